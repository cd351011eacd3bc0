"""Texts of many lines (source, differences, console output) without credentials.

A line may be anything: Python, YAML, JSON, an env file, a command. What is found is a name
that looks like a secret's and the value behind it, or a value that looks like one itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelkb_callbacks.credentials import NAME, REDACTED, SHAPE, SURE_NAME

# Longer ones were not written by a person; of those that are suspect the rest is left out.
_LONGEST_LINE = 20_000  # characters
# Lines without any of these hold nothing to redact; all but a few end here, for a search for
# plain words is a hundred times as fast as one for a pattern.
_WORDS = (
    *("pass", "secret", "credential", "key", "token", "auth", "connection", "pwd", "pw", "cookie"),
    *("session", "signature", "://", "-----begin", "bearer", "hooks.slack", "akia", "asia", "eyj"),
    *("npm_", "pypi-", "dop_v1_", "aiza", "ya29."),
    *(f"{kind}{dash}" for kind in ("sk", "pk", "rk", "hf", "glpat") for dash in "-_"),
    *("ghp", "gho", "ghs", "ghu", "github_pat", "xox", "-u ", "--user"),
)
_SUSPECT = re.compile(
    rf"{NAME.pattern}|{SHAPE.pattern}"
    r"|(?<![A-Za-z])(auth|key|pwd|pw|cookies?|session(_?id)?|signature)(?![A-Za-z])"
    r"|(?<!\S)(-u|--user)[ =]",
    re.IGNORECASE,
)
# A name and what may stand before its value: NAME=, "name": , ["name"] = , "name", , --name
_PLACE = re.compile(
    r"(?P<quote>\\*[\"'])?(?P<name>(?<![A-Za-z_-])-{0,2}[A-Za-z_][\w.-]*)(?(quote)\\*[\"'])(?P<end>\]?)"
    r"(?:\s*(?P<sign>:=|=>|==|!=|=|:(?!:)|,|>)\s*|(?P<space>\s+))"
)
_QUOTE = re.compile(r"[rRbBfFuU]{0,2}(\\+[\"']|\"\"\"|'''|[\"'])")
_NEXT_PART = re.compile(r"\s*(?:\+|or\b|%|\\)?\s*(?=[rRbBfFuU]{0,2}\\*[\"'])")
_NOTHING = re.compile(r"(None|True|False|null|~)?\s*[,;)\]}]*\s*$|(None|True|False|null)\b")
_OPENER = re.compile(r"(\(|\[|\{|[|>][+-]?|\\|[rRbBfFuU]{0,2}(\"\"\"|'''))?\s*$")
_CALL = re.compile(r"[A-Za-z_][\w.]{0,100}\s*(\(.{0,2000}\)|\[.{0,2000}\])")
_STATEMENT = re.compile(r"\W*(if|elif|else|while|for|with|def|class|try|lambda|assert|return)\b")
_AT_START = re.compile(r"[+\- ]?\s*(export\s+|set\s+|[-*]\s+)?[\"']?$")
_RANDOM_WORD = re.compile(
    r"(?=\S{0,80}\d)(?=\S{0,80}[A-Za-z])"
    r"([\w./+=~-]{500}|[\w./+=~-]{8,499}(?=[\s,;)&\"'<]|$))"
)
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?\s*,?\s*(#.*)?$")
_WORD = re.compile(r"([!&]\S+\s+)?\S+\s*$")
_SEVERAL_NAMES = re.compile(r"[+\- ]?\s*([\w.]+(\s*,\s*[\w.]+)+)\s*=(?!=)")
_USER_AND_PASSWORD = re.compile(r"(?<!\S)(-u|--user)([ =]+)[^\s:\"']+:[^\s\"']+")
# `name: DB_PASSWORD`, with `value: ..` on the next line, as Kubernetes and CI have it.
_NAME_LINE = re.compile(r"[+\- ]?[\s-]*name:\s*[\"']?(?P<name>[\w-]+)[\"']?\s*$")
_VALUE_LINE = re.compile(r"[+\- ]?[\s-]*value:")
_BASE64_LINE = re.compile(r"[+\- ]?\s*[A-Za-z0-9+/]{60,}={0,2}\s*$")
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_KEY_ENDS = re.compile(r"-----END [A-Z ]*PRIVATE KEY")
_INDENT = re.compile(r"[+\- ]?\s*")


def redacted_text(text: str) -> str:
    """Return a text in which every value that may be a secret is replaced; in doubt it is one.

    Lines stay lines, and the first character of a line of a difference stays.

    Example:
        >>> redacted_text('db = connect("ada", password="hunter2")')
        'db = connect("ada", password="[redacted]")'
    """
    return "\n".join(_lines(text.split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    inside_key = value_follows = False
    name_line = None
    for line in lines:
        lowered = line.lower()
        is_value = name_line is not None and _VALUE_LINE.match(line)
        name_line = None
        if inside_key or is_value or (value_follows and line.strip("+- ")):
            inside_key = inside_key and not _KEY_ENDS.search(line)
            value_follows = False
            yield _blank(line)
        elif _BASE64_LINE.match(line):
            yield _blank(line)
        elif any(word in lowered for word in _WORDS) and _SUSPECT.search(line):
            begins = _KEY_BEGINS.search(line)
            inside_key = begins is not None and not _KEY_ENDS.search(line)
            name_line = _NAME_LINE.match(line)
            if name_line is not None and not NAME.search(name_line["name"]):
                name_line = None
            clean, value_follows = _redacted_line(line[:_LONGEST_LINE])
            yield clean if len(line) <= _LONGEST_LINE else f"{clean}{REDACTED}"
        else:
            yield line


def _blank(line: str) -> str:
    indent = _INDENT.match(line)
    return f"{indent[0] if indent else ''}{REDACTED}"


def _redacted_line(line: str) -> tuple[str, bool]:
    """Return the line, and whether the value of its last name is on the next one."""
    several = _SEVERAL_NAMES.match(line)
    if several is not None and NAME.search(several[1].replace(" ", "").replace(",", "-")):
        line = f"{several[0]}{_without_literals(line[several.end() :])}"
    line = _USER_AND_PASSWORD.sub(rf"\1\2{REDACTED}", line)
    parts, position, value_follows = [], 0, False
    while (place := _PLACE.search(line, position)) is not None:
        name = place["name"]
        if not _may_be_secret(place):
            parts.append(line[position : place.end("name")])
            position = place.end("name")
            continue
        start = place.end()
        parts.append(line[position:start])
        value, position = _redacted_value(line, start, place)
        parts.append(value)
        opens = place["sign"] in ("=", ":", ":=") and _OPENER.match(line, start)
        if opens and SURE_NAME.search(name) and not _STATEMENT.match(line):
            value_follows = True
    parts.append(line[position:])
    return SHAPE.sub(REDACTED, "".join(parts)), value_follows


def _may_be_secret(place: re.Match[str]) -> bool:
    if not NAME.search(place["name"]):
        return False
    if place["sign"] == ",":  # ("password", "hunter2"): a name only if it is quoted
        return place["quote"] is not None
    if place["sign"] == ">":  # <password>hunter2</password>, not a comparison
        return place.string[: place.start("name")].endswith("<")
    if place["sign"] is None and SURE_NAME.search(place["name"]):
        # password hunter2, as in .netrc and Dockerfiles; not what is said in a sentence.
        return _RANDOM_WORD.match(place.string, place.end()) is not None or _is_option(place)
    return place["sign"] is not None or _is_option(place)


def _is_option(place: re.Match[str]) -> bool:
    return place["name"].startswith("--")


def _redacted_value(line: str, start: int, place: re.Match[str]) -> tuple[str, int]:
    """Return what to write for the value that starts there, and where the line goes on."""
    rest = line[start:]
    sure = SURE_NAME.search(place["name"]) is not None
    if _NOTHING.match(rest):
        return "", start
    if place["sign"] == ",":
        return _without_literals(rest), len(line)
    if _QUOTE.match(rest):
        end = _end_of_literals(rest)
        return _without_literals(rest[:end]), start + end
    if rest[0] in "([{" or (_CALL.match(rest) and place["sign"] != ":"):
        clean = _without_literals(rest)
        bare = sure and clean == rest and rest[0] in "([{" and len(rest.strip()) > 1
        return (REDACTED if bare else clean), len(line)
    return _redacted_word(line, start, place, sure=sure)


def _redacted_word(line: str, start: int, place: re.Match[str], *, sure: bool) -> tuple[str, int]:
    """Return the same for a value that has neither quotes nor brackets around it."""
    rest = line[start:]
    at_start = _AT_START.match(line[: place.start("name")]) is not None
    if not sure and not _is_value(rest, place, at_start):
        return "", start
    if at_start and place["sign"] not in (None, ">"):
        return REDACTED, len(line)
    stop = re.search(r"[\"',;)}\]]" if place["sign"] == ":" else r"[\s\"',;&)}\]<]", rest)
    end = stop.start() if stop else len(rest)
    return (REDACTED if end else ""), start + end


def _is_value(rest: str, place: re.Match[str], at_start: bool) -> bool:
    """Return whether what has no quotes is a value (YAML, env files, options), not code."""
    if _is_option(place) or _RANDOM_WORD.match(rest) or place["sign"] == ">":
        return True
    if not at_start or _NUMBER.match(rest):
        return False
    if place["sign"] == ":" and _WORD.match(rest):
        return True
    env_line = place["sign"] == "=" and place[0].endswith(f"{place['name']}=")
    return env_line and place["name"].isupper()


def _without_literals(text: str) -> str:
    """Return the text with all that is quoted in it replaced."""
    parts, position = [], 0
    while (quote := _QUOTE.search(text, position)) is not None:
        inner, end = quote.end(), _end_of_literal(text, quote)
        close = text[end - len(quote[1]) : end] if text[:end].endswith(quote[1], inner) else ""
        body = text[inner : end - len(close)]
        parts += [text[position:inner], REDACTED if body.strip() else body, close]
        position = end
    return "".join([*parts, text[position:]])


def _end_of_literals(text: str) -> int:
    """Return where the literal at the start ends, with what is joined to it."""
    end = 0
    while (quote := _QUOTE.match(text, end)) is not None:
        end = _end_of_literal(text, quote)
        joined = _NEXT_PART.match(text, end)
        if joined is None:
            break
        end = joined.end()
    return end


def _end_of_literal(text: str, quote: re.Match[str]) -> int:
    mark = quote[1]
    if mark.startswith("\\"):
        found = text.find(mark, quote.end())
        return len(text) if found < 0 else found + len(mark)
    closing = re.compile(rf"(?:\\.|[^\\])*?{re.escape(mark)}").match(text, quote.end())
    return len(text) if closing is None else closing.end()
