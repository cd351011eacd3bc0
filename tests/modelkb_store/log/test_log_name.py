from __future__ import annotations

import pytest

from modelkb_store.log.log_name import LogName, parse_segment

ID = "20260102-030405678-00000000ab"


def test_a_segment_leads_back_to_its_log() -> None:
    name = LogName("project=cats%20%26%20dogs", ID)

    assert name.segment(12) == f"log/project=cats%20%26%20dogs/{ID}-0012.jsonl"
    assert name.stem(12) == f"{ID}-0012"
    assert parse_segment(name.segment(12)) == (name, 12)
    assert parse_segment(name.segment(123456)) == (name, 123456)


def test_a_further_log_has_a_name_of_its_own() -> None:
    names = {LogName.further("project=digits", ID) for _ in range(20)}

    assert len(names) == 20
    for name in names:
        assert name.log_id.startswith(f"{ID}-")
        assert parse_segment(name.segment(0)) == (name, 0)


@pytest.mark.parametrize("file", ["x.claim", f"{ID}.claim", "x.jsonl", "x-1.json", "x-y.jsonl", ""])
def test_other_files_are_no_segments(file: str) -> None:
    assert parse_segment(f"log/project=digits/{file}") is None
