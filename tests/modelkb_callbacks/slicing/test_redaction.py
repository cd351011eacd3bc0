from __future__ import annotations

import ast

import pytest

from modelkb_callbacks.slicing.redaction import redacted_source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('login("ada", password="hunter2")', 'login("ada", password="[redacted]")'),
        ("API_KEY = 'abc' + 'def'", 'API_KEY = "[redacted]" + "[redacted]"'),
        ('user, token = "ada", "t0k"', 'user, token = "ada", "[redacted]"'),
        ('cfg = {"secret": "s", "rows": "s"}', 'cfg = {"secret": "[redacted]", "rows": "s"}'),
        ('self.db.passwd = b"hunter2"', 'self.db.passwd = b"[redacted]"'),
        (
            'p.add_argument("--api-key", default="abc", help="it")',
            'p.add_argument("--api-key", default="[redacted]", help="it")',
        ),
        ('os.environ["HF_TOKEN"] = "abc"', 'os.environ["HF_TOKEN"] = "[redacted]"'),
        ('os.getenv("DB_PASSWORD", "abc")', 'os.getenv("DB_PASSWORD", "[redacted]")'),
        ('token = os.getenv("HF_TOKEN", "x")', 'token = os.getenv("HF_TOKEN", "[redacted]")'),
        ('def f(user, password="abc"): pass', 'def f(user, password="[redacted]"): pass'),
        ('if token == "abc": pass', 'if token == "[redacted]": pass'),
        ('x = get("https://ada:hunter2@host/x.csv")', 'x = get("[redacted]")'),
        ('x = f"https://ada:hunter2@{host}/x"', 'x = "[redacted]"'),
        ("x = 1  # password=hunter2", "x = 1  # [redacted]"),
        (
            'k = "é" + "sk-abcdefghijklmnopqrstuv"  # ü',
            'k = "é" + "[redacted]"  # ü',
        ),
    ],
)
def test_secrets_are_replaced(source: str, expected: str) -> None:
    found = redacted_source(source)
    assert found == expected
    ast.parse(found)


@pytest.mark.parametrize(
    "source",
    [
        'x = pd.read_hdf("rows.h5", key="data")',
        'tokens = Tokenizer(oov_token="<OOV>", num_words=100)',
        'cls_token = "[CLS]"',
        'x = f"https://{user}:{word}@host/x"',
        'rows = sorted(rows, key=lambda row: row["key"])',
        'password = getpass("Your password: ")',
        'max_tokens, token = 5, load_token("token.txt")',
        'x = db["features"]  # the key of the table',
    ],
)
def test_other_texts_stay(source: str) -> None:
    assert redacted_source(source) == source
