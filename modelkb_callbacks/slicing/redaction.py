"""Taking secrets out of source, which stays source."""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator, Sequence

from modelkb_callbacks.credentials import REDACTED, looks_like_credential, without_credentials
from modelkb_callbacks.slicing.text_edits import Edit, SourceText, end_of, start_of

# Words that name a secret among settings, but in code are mostly the name of something else:
# `pd.read_hdf(path, key="data")`. With such a word before them they do name one.
_EVERYDAY = re.compile(r"(^|_)(key|session|signature)s?(_|$)", re.IGNORECASE)
_SURELY = re.compile(
    r"api|access|private|secret|auth|token|pass|pwd|encrypt|account", re.IGNORECASE
)
_SPECIAL_TOKEN = re.compile(r"[<\[].*[>\]]$")
_OPTION = re.compile(r"-{0,2}[A-Za-z][\w-]*$")
# What is looked up by a text does not hold the secret in it.
_LOOKUPS = frozenset(
    {
        "getenv",
        "getpass",
        "input",
        "open",
        "Path",
        "read_text",
        "print",
        "getattr",
        "join",
        "prompt",
    }
)
_DEFAULTS = frozenset({"getenv", "get", "setdefault", "pop", "getattr"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def redacted_source(text: str) -> str:
    """Return Python source with the texts in it that may be secrets replaced.

    Texts are replaced where an argument, a variable, a dictionary's key or an option names a
    secret, and wherever they look like one. Comments lose what looks like one.

    Raises:
        SyntaxError: It is no Python, or would be none without the secrets.

    Example:
        >>> redacted_source('login("ada", password="hunter2")')
        'login("ada", password="[redacted]")'
    """
    tree = ast.parse(text)
    edits = {edit.start: edit for edit in _edits(tree)}
    lines = text.split("\n")
    end = (len(lines), len(lines[-1].encode()))
    found = SourceText(text).cut((1, 0), end, edits.values())
    redacted = _without_secret_comments(found)
    if redacted != text:
        ast.parse(redacted)
    return redacted


def _names_secret(name: str) -> bool:
    name = name.replace("-", "_").strip("_")
    if _EVERYDAY.search(name) and not _SURELY.search(name):
        return False
    return looks_like_credential(name)


def _edits(tree: ast.AST) -> Iterator[Edit]:
    inside_text: set[int] = set()
    for node in ast.walk(tree):
        for value in _secrets_at(node):
            yield _edit(value)
        if isinstance(node, ast.JoinedStr):
            inside_text.update(id(each) for each in ast.walk(node) if each is not node)
            # A blank for what is put in: `f"https://{user}:{word}@host"` has no secret in it.
            parts = [
                str(each.value) if isinstance(each, ast.Constant) else " " for each in node.values
            ]
            if looks_like_credential("", "".join(parts)) and id(node) not in inside_text:
                yield _edit(node)
        is_plain = isinstance(node, ast.Constant) and id(node) not in inside_text
        if isinstance(node, ast.Constant) and is_plain and _looks_secret(node.value):
            yield _edit(node)


def _looks_secret(value: object) -> bool:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return isinstance(value, str) and looks_like_credential("", value)


def _edit(node: ast.expr) -> Edit:
    is_bytes = isinstance(node, ast.Constant) and isinstance(node.value, bytes)
    return Edit(start_of(node), end_of(node), f'{"b" if is_bytes else ""}"{REDACTED}"')


def _secrets_at(node: ast.AST) -> Iterator[ast.expr]:
    """Give the literals that a node gives the name of a secret."""
    if isinstance(node, ast.keyword):
        if node.arg and _names_secret(node.arg):
            yield from _texts(node.value)
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None:
            yield from _of_targets(targets, node.value)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and _names_secret(str(key.value)):
                yield from _texts(value)
    elif isinstance(node, ast.Compare):
        if any(_names_secret(_name_of(each)) for each in [node.left, *node.comparators]):
            for each in [node.left, *node.comparators]:
                yield from _texts(each)
    elif isinstance(node, _DEFINITIONS):
        yield from _of_defaults(node.args)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, (ast.Tuple, ast.List)):
        yield from _after_names(node.elts)


def _of_targets(targets: Sequence[ast.expr], value: ast.expr) -> Iterator[ast.expr]:
    for target in targets:
        if _names_secret(_name_of(target)):
            yield from _texts(value)
        elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            for one, part in zip(target.elts, value.elts, strict=False):
                yield from _of_targets([one], part)


def _of_defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    pairs += [(each, value) for each, value in only if value is not None]
    for parameter, value in pairs:
        if _names_secret(parameter.arg):
            yield from _texts(value)


def _of_call(call: ast.Call) -> Iterator[ast.expr]:
    """Give what follows the name of a secret: ``add_argument("--token", default="..")``."""
    yield from _after_names(call.args)
    names = [each for each in call.args if _is_name_of_secret(each)]
    if names:
        for each in call.keywords:
            if each.arg in ("default", "const", "value"):
                yield from _texts(each.value)


def _after_names(values: list[ast.expr]) -> Iterator[ast.expr]:
    for before, value in itertools.pairwise(values):
        if _is_name_of_secret(before):
            yield from _texts(value)


def _is_name_of_secret(node: ast.expr) -> bool:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    return bool(_OPTION.match(node.value)) and _names_secret(node.value)


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return ""


def _texts(node: ast.expr) -> Iterator[ast.expr]:
    """Give the literals that a value is made of."""
    if isinstance(node, ast.Constant):
        is_text = isinstance(node.value, (str, bytes)) and node.value
        if is_text and not _SPECIAL_TOKEN.match(str(node.value)):
            yield node
    elif isinstance(node, ast.JoinedStr):
        if any(isinstance(each, ast.Constant) for each in node.values):
            yield node
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        for each in node.elts:
            yield from _texts(each)
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from _texts(each)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left)
        yield from _texts(node.right)
    elif isinstance(node, ast.Call):
        yield from _texts_of_call(node)


def _texts_of_call(node: ast.Call) -> Iterator[ast.expr]:
    name = _name_of(node.func)
    if isinstance(node.func, ast.Attribute):
        yield from _texts(node.func.value)  # "...".encode()
    if name in _DEFAULTS:
        for each in node.args[1:]:
            yield from _texts(each)
    elif name not in _LOOKUPS and not name.startswith(("load", "read", "get_")):
        for each in node.args:
            yield from _texts(each)


def _without_secret_comments(text: str) -> str:
    if "#" not in text:
        return text
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                line = lines[row - 1]
                lines[row - 1] = line[:column] + without_credentials(line[column:])
    except (tokenize.TokenError, SyntaxError):
        return text
    return "\n".join(lines)
