from __future__ import annotations

from streamlit.testing.v1 import AppTest

SCRIPT = """
from modelkb_viewer.components.damage import show_damage

show_damage({texts!r})
"""


def test_damaged_files_are_named_and_what_to_do() -> None:
    texts = [f"metrics/{number}[x](http://a.example).parquet is damaged" for number in range(7)]

    (box,) = AppTest.from_string(SCRIPT.format(texts=texts), default_timeout=60).run().warning

    assert "modelkb check --repair" in box.value
    assert box.value.count("\n- ") == 6
    assert "and 2 more" in box.value
    assert "http://" not in box.value


def test_nothing_is_said_of_a_store_that_is_whole() -> None:
    assert not AppTest.from_string(SCRIPT.format(texts=[]), default_timeout=60).run().warning
