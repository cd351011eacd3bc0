"""Environment variables that a text reads."""

from __future__ import annotations

import pytest

from modelkb_callbacks.slicing import environment_reads


@pytest.mark.parametrize(
    ("text", "names", "has_others"),
    [
        ("import os\nos.environ['A'], os.environ.get('B', 1), os.getenv(key='C')", "A B C", False),
        ("import os as o\nfrom os import environ as e, getenv as g\ng('A'), e['B'], o.getenv('A')",
         "A B", False),
        ("import os\nos.environ['A'] = '1'\nos.environ.pop('B')\n'C' in os.environ", "B C", False),
        ("import os\nos.environ[name], os.getenv('A')", "A", True),
        ("import os\nread = os.getenv\nread('A')", "", True),
        ("import os\ndict(os.environ)", "", True),
        ("import os\nos.environ.setdefault('A', '1')\nos.path.join('B')", "A", False),
        ("environ = {}\nenviron['A']\ngetenv('B')\nx.environ['C']", "", False),
        ("import os as o\no.path.join('B')", "", False),
        ("import os\nos.ｅnviron['A']", "A", False),  # Python reads it as `environ`
        ("def f():\n    import os\n    return os.environ['A']", "A", False),
    ],
)  # fmt: skip
def test_names(text: str, names: str, has_others: bool) -> None:
    found = environment_reads(text)
    assert sorted(found.names) == names.split()
    assert found.has_others is has_others
