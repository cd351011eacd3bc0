from __future__ import annotations

from pathlib import Path

import pytest

from slicing_idioms import IDIOMS
from slicing_runs import assert_same, run_slice, run_to_fit


@pytest.mark.parametrize("script", IDIOMS.values(), ids=IDIOMS.keys())
def test_slice_gives_the_same_data(script: str, tmp_path: Path) -> None:
    seen = run_to_fit(script, tmp_path)
    assert seen.slice is not None
    assert_same(run_slice(seen.slice, tmp_path), seen.data)
