"""What Python 2 wrote in other ways, mended line by line so that the rest of a file is read."""

from __future__ import annotations

import ast
import re
import warnings

_ARTICLES = {"exec": "n", "print": ""}
_MOST_LINES = 8  # of one statement
_STATEMENT = re.compile(r"^(\s*|.*?:\s+)(print|exec)(\s+(?=[^\s=(\[.,)])|\s*(?=>>))(.*)$")
_RAISE = re.compile(r"^((?:\s*|.*?:\s+)raise\s+[\w.]+)\s*,(.*)$")
_EXCEPT = re.compile(r"^(\s*except\s+(?:[\w.]+|\([^()]*\)))\s*,\s*(\w+)\s*:")
_TOKEN = re.compile(
    r"""(?P<kept>'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\#[^\n]*)
      | (?P<octal>(?<![\w.])0(?P<digits>[0-7]+)\b(?!\.))
      | (?P<long>(?<![\w.])(?P<number>\d+)[lL]\b)
      | (?P<differs><>)
      | `(?P<shown>[^`'"\n]+)`""",
    re.VERBOSE | re.DOTALL,
)


def without_old_statements(text: str) -> tuple[str, list[tuple[int, str]]]:
    """Return a text of the same lines in Python 3, as far as that is simple.

    Returns:
        The text, and which statements were taken out of which lines.
    """
    lines = _TOKEN.sub(_token, text).split("\n")
    problems = []
    index = 0
    while index < len(lines):
        line = lines[index]
        count = 1
        if "print" in line or "exec" in line:
            statement, count = _taken_out(lines, index)
            if statement:
                problems.append(
                    (index + 1, f"a{_ARTICLES[statement]} {statement} statement of Python 2")
                )
        elif "raise" in line:
            count = _without_second_part(lines, index)
        elif "except" in line:
            lines[index] = _EXCEPT.sub(r"\1 as \2:", line)
        index += count
    return "\n".join(lines), problems


def _token(match: re.Match[str]) -> str:
    if match["kept"] is not None:
        return match["kept"]
    if match["octal"]:
        return f"0o{match['digits']}"
    if match["long"]:
        return match["number"]
    return "!=" if match["differs"] else f"repr({match['shown']})"


def _taken_out(lines: list[str], index: int) -> tuple[str | None, int]:
    """Put ``pass`` for ``print x`` or ``exec x``; return which it was, and of how many lines."""
    match = _STATEMENT.match(lines[index])
    if match is None:
        return None, 1
    rest = match[4].removeprefix(">>")
    count = _lines_of_expression(lines, index, rest)
    if count:
        lines[index : index + count] = [f"{match[1]}pass", *["#"] * (count - 1)]
        return match[2], count
    first, semicolon, others = rest.partition(";")
    if semicolon and _is_expression(first):
        lines[index] = f"{match[1]}pass;{others}"
        return match[2], 1
    return None, 1


def _without_second_part(lines: list[str], index: int) -> int:
    """Keep the class of ``raise Class, value``; return of how many lines that was."""
    match = _RAISE.match(lines[index])
    count = _lines_of_expression(lines, index, match[2]) if match else 0
    if match is None or not count:
        return 1
    lines[index : index + count] = [match[1], *["#"] * (count - 1)]
    return count


def _lines_of_expression(lines: list[str], index: int, rest: str) -> int:
    """Return how many lines an expression takes, 0 if that cannot be told."""
    text = rest
    for count in range(1, _MOST_LINES + 1):
        if not text.endswith("\\") and _is_expression(text):
            return count
        if index + count < len(lines):
            text += "\n" + lines[index + count]
    return 0


def _is_expression(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(f"({text}\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
