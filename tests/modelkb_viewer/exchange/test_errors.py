from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.errors import ModelKBError
from modelkb_viewer.exchange.errors import (
    DamagedSourceError,
    ExportError,
    ExportTargetError,
    NoRunInFileError,
    NothingToImportError,
)

PATH = Path("folder") / "file"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (NothingToImportError("CSV", PATH, "a file"), ValueError, [str(PATH), "CSV", "`--from`"]),
        (DamagedSourceError(PATH, "line 3\nx"), ValueError, [str(PATH), "(line 3)", "again"]),
        (DamagedSourceError(PATH, OSError()), ValueError, ["(OSError)"]),
        (NoRunInFileError(PATH, "a column"), ValueError, [str(PATH), "passed over", "a column"]),
        (ExportTargetError(PATH), FileExistsError, [str(PATH), "-o", "nothing was written"]),
        (ExportError("ab", "onnx", ValueError("why\nx")), RuntimeError, ["ab", "onnx: why"]),
        (ExportError("ab", "onnx", ValueError()), RuntimeError, ["onnx: ValueError"]),
    ],
)
def test_errors_say_what_to_do(error: ModelKBError, kind: type, words: list[str]) -> None:
    assert isinstance(error, kind)
    assert all(word in str(error) for word in words)
    assert "\n" not in str(error)
