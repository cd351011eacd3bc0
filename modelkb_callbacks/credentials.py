"""What looks like a credential, and so is never written."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"pass(word|wd|phrase)?(?![a-z])|secret|token(?!i[sz])|credential|api_?key|access_?key|private_?key"
    r"|(^|_)(auth|key|pwd|cookie|session|signature)(_|$)",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"://[^/\s:@]+:[^/\s@]+@"  # user and password in an address
    r"|\b(sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|hf|xox[abprs])[-_][A-Za-z0-9_-]{16,}"
    r"|\b(AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\."  # a JSON web token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(password|passwd|secret|token|api_?key)=\S",
    re.IGNORECASE,
)


def looks_like_credential(name: str, value: str = "") -> bool:
    """Return whether a named value may be a secret; in doubt it is one.

    Example:
        >>> looks_like_credential("DB_PASSWORD"), looks_like_credential("OMP_NUM_THREADS", "2")
        (True, False)
    """
    return bool(_NAME.search(name) or _VALUE.search(value))
