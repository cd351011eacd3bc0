"""Secrets in texts of many lines are replaced, and code stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_callbacks.redacted_text import redacted_text

PEM = """+-----BEGIN RSA PRIVATE KEY-----
+MIIEpAIBAAKCAQEAhunter2hunter2hunter2hunter2hunter2hunter2hunter
+hunter2Q==
+-----END RSA PRIVATE KEY-----
+after = 1"""


@pytest.mark.parametrize(
    "text",
    [
        # Env files and shells.
        "DB_PASSWORD=hunter2",
        "+export DB_PASSWORD='hunter2 hunter2'",
        "-API_KEY=hunter2 hunter2",
        "SESSION=hunter2",
        "mysql --password hunter2 --host db",
        "mysql --password='hunter2' --host db",
        "tool --auth-token=hunter2",
        "curl -H 'Authorization: Basic hunter2' https://example.org",
        "curl https://ada:hunter2@example.org/data",
        # YAML, INI and JSON.
        "password: hunter2",
        "1/3 - loss: 1.2423password: hunter2",
        "  api_key: 'hunter2'  # a comment",
        "- token: hunter2",
        "password:\n  hunter2",
        "secret: |-\n  hunter2",
        "password: my long hunter2 phrase",
        "token = a1hunter2b3",
        '"password": "hunter2",',
        '{"user": "ada", "password": "hunter2", "port": 5}',
        '    "client = connect(password=\\"hunter2\\")\\n",',
        "passwords: [hunter2, other]",
        # Python.
        'PASSWORD = "hunter2"',
        "password = 'hun\\'ter2'  # 'quoted'".replace("hun\\'ter2", "x\\'hunter2"),
        'password = "abc" "hunter2"',
        'password = "abc" + "hunter2"',
        'password = b"hunter2"',
        'password = f"""hunter2"""',
        'password = """\nhunter2\n"""',
        'password = (\n    "hunter2"\n)',
        'connect("ada", password="hunter2", port=5)',
        "connect(password='hunter2')",
        'requests.get(url, auth=("ada", "hunter2"))',
        'os.environ["API_TOKEN"] = "hunter2"',
        'os.environ.setdefault("API_TOKEN", "hunter2")',
        'token = os.environ.get("API_TOKEN", "hunter2")',
        'token = os.environ.get("API_TOKEN") or "hunter2"',
        'secret = decrypt("hunter2")',
        'parser.add_argument("--password", default="hunter2")',
        'password: str = "hunter2"',
        'self.api_key = "hunter2"',
        'if password == "hunter2":',
        'wandb.login(key="hunter2")',
        'x = {"token": "hunter2"}',
        "password=hunter2",
        'password = "hunter2',
        '# password: "hunter2"',
        'x = {"X-Api-Key": "hunter2"}',
        'session.auth = ("ada", "hunter2")',
        "machine example.org login ada password hunter2a1",
        "ENV SECRET_KEY hunter2a1",
        "ARG TOKEN=hunter2a1",
        "<password>hunter2</password>",
        "curl -u ada:hunter2 https://example.org",
        "token: !!str hunter2",
        'login = {"pw": "hunter2"}',
        'password, user = "hunter2", "ada"',
        'user, password = "ada", "hunter2"',
        "- name: DB_PASSWORD\n  value: hunter2",
        'url = "postgresql://ada:p@hunter2@host/db"',
        PEM,
        "+" + "hunter2A" * 9,
        'webhook = "https://hooks.slack.com/services/T0/B0/hunter2"',
    ],
)
def test_secrets(text: str) -> None:
    clean = redacted_text(text)
    assert "hunter2" not in clean
    assert "[redacted]" in clean
    assert clean.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "for token in tokens:",
        "tokens = tokenizer(text)",
        "rng, key = jax.random.split(key)",
        "key = jax.random.PRNGKey(0)",
        "best = max(scores, key=scores.get)",
        "password = None",
        'password = ""',
        "session = requests.Session()",
        "if password:\n    connect()",
        "layer = Dense(8, activation='relu', name='hidden')",
        '{"inbound": "input", "units": 8}',
        "def forward(self, key, query, value):",
        "key_dim: 64",
        "if password > 3:",
        "the password is kept by the server",
        "- name: accuracy\n  value: 3",
        "assert passed == 3, 'passes'",
        "-learning_rate = 0.1\n+learning_rate = 0.01",
    ],
)
def test_code_stays(text: str) -> None:
    assert redacted_text(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('connect(password="x", port=5)', 'connect(password="[redacted]", port=5)'),
        ("mysql --password x --host db", "mysql --password [redacted] --host db"),
        ('+password = "x"  # why', '+password = "[redacted]"  # why'),
        ("url?password=x&size=3", "url?password=[redacted]&size=3"),
    ],
)
def test_only_the_value_goes(text: str, expected: str) -> None:
    assert redacted_text(text) == expected


def test_what_follows_a_private_key_stays() -> None:
    assert redacted_text(PEM).endswith("+after = 1")


def test_a_line_without_an_end() -> None:
    clean = redacted_text("key=" * 5000 + "a" * 200_000 + "password=hunter2")
    assert len(clean) < 30_000
    assert clean.endswith("[redacted]")
    assert redacted_text("a b" * 90_000) == "a b" * 90_000


@given(st.text())
def test_any_text_keeps_its_lines(text: str) -> None:
    clean = redacted_text(text)
    assert clean.count("\n") == text.count("\n")


@given(st.text(alphabet="pasword=:'\"\\ ,([{\n-+key", max_size=60))
def test_again_changes_nothing_that_matters(text: str) -> None:
    assert redacted_text(text).count("\n") == text.count("\n")
