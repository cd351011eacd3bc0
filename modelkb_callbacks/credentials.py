"""What looks like a credential, and so is never written."""

from __future__ import annotations

import re
from typing import Any

REDACTED = "[redacted]"

# Names of settings that surely are secrets, whoever chose them.
SURE_NAME = re.compile(
    r"pass(words?|wd|phrase)(?![a-z])|secret|credential|(api|access|private|account|encryption)[_-]?key"
    r"|(api|access|auth|refresh)[_-]?token|authorization|connection[_-]?string",
    re.IGNORECASE,
)
# Names that are secrets among a user's settings, but can be anything in a model.
NAME = re.compile(
    rf"{SURE_NAME.pattern}|pass(?![a-z])"
    r"|(?<!oov_)(?<!mask_)(?<!pad_)(?<!start_)(?<!end_)(?<!unk_)(?<!sep_)token(?!i[sz]|s)"
    r"|(^|[_.-])(auth|key|pwd|pw|cookies?|session(_?id)?|signature)([_.-]|$)",
    re.IGNORECASE,
)
# Values that are secrets whatever their names are.
SHAPE = re.compile(
    r"://[^/\s:@\"']*:[^/\s\"']+@"  # user and password in an address
    r"|\b(sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|hf|xox[abprs])[-_][A-Za-z0-9_-]{16,}"
    r"|\bmkb_[0-9a-f]{10}_[A-Za-z0-9_-]{20,}"  # of our own servers
    r"|\b(npm_|pypi-|dop_v1_|AIza|ya29\.)[A-Za-z0-9_-]{20,}"
    r"|\bhooks\.slack\.com/services/\S+"
    r"|\b(AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # a JSON web token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*"
    r"|\bbearer\s+[\w.~+/=-]+",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rf"{SHAPE.pattern}|(password|passwd|secret|token|api_?key)[\"']?\s*[=:]\s*\S+",
    re.IGNORECASE,
)


def looks_like_credential(name: str, value: str = "") -> bool:
    """Return whether a named value may be a secret; in doubt it is one.

    Example:
        >>> looks_like_credential("DB_PASSWORD"), looks_like_credential("OMP_NUM_THREADS", "2")
        (True, False)
    """
    return bool(NAME.search(name) or _VALUE.search(value))


def without_credentials(text: str) -> str:
    """Return a text, such as an error's, without what looks like a secret in it."""
    return _VALUE.sub(REDACTED, text)


def redacted(value: Any, name: str = "", *, of_model: bool = False) -> Any:
    """Return a JSON value with every text in it that may be a secret replaced.

    Only texts are: a number such as ``max_tokens`` is no secret, nor is an empty text.

    Args:
        value: Any nesting of dictionaries, lists and plain values.
        name: The name that the value goes by.
        of_model: Whether it is a model's configuration, where ``token`` or ``session`` can
            be the name of an input, and a text that is missing breaks the model.

    Example:
        >>> redacted({"db": {"user": "ada", "password": "hunter2"}})
        {'db': {'user': 'ada', 'password': '[redacted]'}}
    """
    if isinstance(value, str):
        names = SURE_NAME if of_model else NAME
        return REDACTED if value and (names.search(name) or _VALUE.search(value)) else value
    if isinstance(value, dict):
        return {key: redacted(item, str(key), of_model=of_model) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        # An option's value comes after it: ["--password", "hunter2"].
        before = [name, *(item if isinstance(item, str) else "" for item in value)]
        return [
            redacted(item, option if option.startswith("-") else name, of_model=of_model)
            for option, item in zip(before, value, strict=False)
        ]
    return value
