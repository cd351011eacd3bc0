"""Gathering the statements that define classes and functions at run time."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType

from modelkb_callbacks.slicing.bound_names import bound_names, imported_name
from modelkb_callbacks.slicing.call_site import first_line
from modelkb_callbacks.slicing.frame_location import is_user_file
from modelkb_callbacks.slicing.free_names import free_names
from modelkb_callbacks.slicing.module_table import is_main_guard
from modelkb_callbacks.slicing.text_edits import SourceText, end_of, start_of
from modelkb_callbacks.source_code import SourceCode, read_source

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_PLAIN = (int, float, str, bool, type(None))


@dataclass(slots=True)
class _File:
    """One of the user's modules: a file, or a cell of a notebook."""

    source: SourceCode
    text: SourceText
    values: dict[str, object]
    kept: dict[int, ast.stmt] = field(default_factory=dict)
    extras: dict[str, str] = field(default_factory=dict)

    def binding(self, name: str) -> list[ast.stmt]:
        """Return the statements at the top level that bind a name."""
        return [
            node
            for node in self.source.tree.body
            if not is_main_guard(node) and name in bound_names([node])
        ]


class DefinitionClosure:
    """Collects definitions and, file by file, what they need."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.future = False
        self._files: dict[str, _File] = {}
        self._order: list[_File] = []
        self._within: list[_File] = []  # modules whose needs are being looked for
        self._homes: dict[str, _File] = {}
        self._seen: set[tuple[str, str]] = set()

    def add(self, value: object) -> str:
        """Take in a class or function.

        Returns:
            The name that defines it; an empty text for what a library defines.
        """
        place = _place(value)
        if place is None:
            return ""
        name, first = place
        file = self._file(name, _namespace(value))
        if file is None:
            self.problems.append(f"the source of {_title(value)} is not at hand")
            return ""
        if getattr(value, "__name__", "") == "<lambda>":
            return self._add_lambda(value, file, first)
        node, around = _definition(file.source.tree, value, first)
        if node is None:
            self.problems.append(f"{_title(value)} is not found in its source")
            return ""
        if around:
            self._add_nested(value, node, file)
        else:
            self._keep(file, node)
        return node.name

    def statements(self) -> Iterator[str]:
        """Give the texts of all statements, imports first, in an order that runs."""
        seen: set[str] = set()
        ordered = [(file, node) for file in self._order for _, node in sorted(file.kept.items())]
        imports = [each for each in ordered if isinstance(each[1], (ast.Import, ast.ImportFrom))]
        others = [each for each in ordered if each not in imports]
        for file, node in imports:
            for text in self._import(file, node):
                if text not in seen:
                    seen.add(text)
                    yield text
        done: set[int] = set()
        for file, node in others:
            if id(file) not in done:
                done.add(id(file))
                yield from (text for key, text in file.extras.items() if key.startswith("="))
            yield file.text.cut(start_of(node), end_of(node))
            self.future |= "import annotations" in file.source.text
        for file in self._order:
            if id(file) not in done:
                yield from (text for key, text in file.extras.items() if key.startswith("="))
            yield from (text for key, text in file.extras.items() if not key.startswith("="))

    def _file(self, name: str, values: dict[str, object]) -> _File | None:
        if name not in self._files:
            text = "".join(linecache.getlines(name, values))
            if not text.strip():
                return None
            source = replace(read_source(f"{text}\n"), name=os.path.basename(name), path=Path(name))
            self._files[name] = _File(source, SourceText(source.text), values)
            # What another module needs comes before it.
            place = self._order.index(self._within[-1]) if self._within else len(self._order)
            self._order.insert(place, self._files[name])
        return self._files[name]

    def _keep(self, file: _File, node: ast.stmt) -> None:
        """Keep a statement at the top level, and what it needs."""
        place = first_line(node) * 1000 + node.col_offset
        if place in file.kept:
            return
        file.kept[place] = node
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return
        for name in bound_names([node]):
            self._claim(name, file)
        self._need(free_names(node), file)

    def _need(self, names: set[str], file: _File) -> None:
        self._within.append(file)
        for name in sorted(names):
            key = (str(file.source.path), name)
            if key not in self._seen:
                self._seen.add(key)
                self._need_name(name, file)
        self._within.pop()

    def _need_name(self, name: str, file: _File) -> None:
        statements = file.binding(name)
        if not statements:
            self._need_elsewhere(name, file)
            return
        value = file.values.get(name)
        is_plain = type(value) in _PLAIN and name in file.values
        for node in statements:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._need_import(name, node, file)
            elif is_plain and not _is_simple(node):
                # Computed from what the definitions do not need: only its value counts.
                file.extras[f"={name}"] = f"{name} = {value!r}"
            else:
                self._keep(file, node)

    def _need_elsewhere(self, name: str, file: _File) -> None:
        """Look for a name that another cell of a notebook, or a star import, defined."""
        if name not in file.values:
            return
        value = file.values[name]
        is_definable = inspect.isclass(value) or inspect.isfunction(value)
        if is_definable and _place(value) is not None:
            self.add(value)
        elif inspect.ismodule(value):
            file.extras[f"={name}"] = f"import {value.__name__} as {name}"
        elif type(value) in _PLAIN:
            file.extras[f"={name}"] = f"{name} = {value!r}"
        elif inspect.isclass(value) or inspect.isroutine(value):
            origin = getattr(value, "__module__", None)
            own = getattr(value, "__name__", name)
            file.extras[f"={name}"] = f"from {origin} import {own} as {name}"
        else:
            self.problems.append(f"the value of `{name}` is not plain, and not put in")

    def _need_import(self, name: str, node: ast.Import | ast.ImportFrom, file: _File) -> None:
        """Keep an import, or put in what it imports where that is the user's."""
        value = file.values.get(name)
        if inspect.ismodule(value):
            path = getattr(value, "__file__", None)
            if path and is_user_file(path, value.__name__):
                self.problems.append(f"`{name}` is a module of yours that is not put in")
        elif (inspect.isclass(value) or inspect.isfunction(value)) and _place(value) is not None:
            defined = self.add(value)
            if defined and defined != name:
                file.extras[f"={name}"] = f"{name} = {defined}"
            return
        elif type(value) in _PLAIN and _is_user_module(getattr(node, "module", None)):
            file.extras[f"={name}"] = f"{name} = {value!r}"
            return
        file.kept[first_line(node) * 1000 + node.col_offset] = node

    def _import(self, file: _File, node: ast.stmt) -> Iterator[str]:
        """Give an import with only those of its names that are needed."""
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            return
        for alias in node.names:
            name = imported_name(alias)
            if alias.name != "*" and (str(file.source.path), name) not in self._seen:
                continue
            as_name = f" as {alias.asname}" if alias.asname else ""
            if isinstance(node, ast.ImportFrom):
                module = _absolute(node, file.values)
                yield f"from {module} import {alias.name}{as_name}"
            else:
                yield f"import {alias.name}{as_name}"

    def _add_nested(self, value: object, node: ast.stmt, file: _File) -> None:
        """Keep a definition inside of a function, with the values that it closes over."""
        start, end = start_of(node), end_of(node)
        indented = file.text.indentation(start[0]) + file.text.cut(start, end)
        name = getattr(node, "name", "")
        self._claim(name, file)
        self._close_over(value, file)
        self._need(free_names(node) - set(_closure(value)), file)
        file.extras[f"{name}"] = textwrap.dedent(indented)

    def _close_over(self, value: object, file: _File) -> None:
        for name, held in _closure(value).items():
            if type(held) in _PLAIN:
                file.extras[f"={name}"] = f"{name} = {held!r}"
            elif name != "__class__" and (inspect.isclass(held) or inspect.isfunction(held)):
                self.add(held)
            elif name != "__class__":
                self.problems.append(
                    f"{_title(value)} closes over `{name}`, whose value is not plain"
                )

    def _add_lambda(self, value: object, file: _File, first: int) -> str:
        found = [
            node
            for node in ast.walk(file.source.tree)
            if isinstance(node, ast.Lambda) and node.lineno == first
        ]
        if isinstance(value, FunctionType) and len(found) > 1:
            found = [each for each in found if _same_code(each, value)]
        if len(found) != 1:
            self.problems.append(f"line {first} of {file.source.name} holds several lambdas")
            return ""
        name = f"lambda_{first}"
        self._close_over(value, file)
        self._need(free_names(found[0]) - set(_closure(value)), file)
        text = file.text.cut(start_of(found[0]), end_of(found[0]))
        file.extras[name] = f"{name} = ({text})" if "\n" in text else f"{name} = {text}"
        return name

    def _claim(self, name: str, file: _File) -> None:
        if self._homes.setdefault(name, file) is not file:
            other = self._homes[name].source.name
            self.problems.append(f"`{name}` is defined in {other} and in {file.source.name}")


def _place(value: object) -> tuple[str, int] | None:
    """Return the file and line of what a user defined; None for what a library did."""
    module = getattr(value, "__module__", None) or ""
    if isinstance(value, FunctionType):
        code = value.__code__
        if not is_user_file(code.co_filename, module):
            return None
        return code.co_filename, code.co_firstlineno
    if not inspect.isclass(value) or module in sys.stdlib_module_names:
        return None
    for each in vars(value).values():
        function = inspect.unwrap(each) if callable(each) else each
        function = getattr(function, "__func__", getattr(function, "fget", function))
        is_own = isinstance(function, FunctionType) and function.__module__ == module
        if is_own and function.__qualname__.startswith(f"{value.__qualname__}."):
            name = function.__code__.co_filename
            return (name, 0) if is_user_file(name, module) else None
    file = getattr(sys.modules.get(module), "__file__", None)
    return (file, 0) if file and is_user_file(file, module) else None


def _namespace(value: object) -> dict[str, object]:
    if isinstance(value, FunctionType):
        return value.__globals__
    for each in vars(value).values():
        function = getattr(each, "__func__", getattr(each, "fget", each))
        if isinstance(function, FunctionType) and function.__module__ == value.__module__:
            return function.__globals__
    return vars(sys.modules.get(getattr(value, "__module__", ""), object()))


def _definition(
    tree: ast.Module, value: object, first: int
) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None, bool]:
    """Find a definition by its qualified name, and whether a function is around it."""
    parts = [each for each in getattr(value, "__qualname__", "").split(".") if each != "<locals>"]
    nodes: list[ast.AST] = [tree]
    for part in parts:
        nodes = [
            each
            for node in nodes
            for each in _inner(node)
            if isinstance(each, _DEFINITIONS) and each.name == part
        ]
    found = [each for each in nodes if isinstance(each, _DEFINITIONS)]
    exact = [each for each in found if first in (each.lineno, first_line(each))]
    chosen = exact or found
    return (chosen[-1] if chosen else None), len(parts) > 1


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the definitions directly inside of another, through `if` and `try`."""
    for each in ast.iter_child_nodes(node):
        yield each
        if not isinstance(each, _DEFINITIONS):
            yield from _inner(each)


def _closure(value: object) -> dict[str, object]:
    """Return the variables of enclosing functions that a function or class uses."""
    functions = [value]
    if inspect.isclass(value):
        functions = [getattr(each, "__func__", each) for each in vars(value).values()]
    found: dict[str, object] = {}
    for each in functions:
        if isinstance(each, FunctionType):
            for name, cell in zip(each.__code__.co_freevars, each.__closure__ or (), strict=False):
                try:
                    found[name] = cell.cell_contents
                except ValueError:  # not set yet
                    continue
    return found


def _same_code(node: ast.Lambda, value: FunctionType) -> bool:
    code = compile(ast.Expression(node), "<lambda>", "eval")
    made = [each for each in code.co_consts if isinstance(each, type(code))]
    return len(made) == 1 and (
        made[0].co_code == value.__code__.co_code
        and made[0].co_names == value.__code__.co_names
        and made[0].co_varnames == value.__code__.co_varnames
        and [each for each in made[0].co_consts if isinstance(each, _PLAIN)]
        == [each for each in value.__code__.co_consts if isinstance(each, _PLAIN)]
    )


def _is_simple(node: ast.stmt) -> bool:
    """Return whether a statement is worth more as it is written than its value."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        return isinstance(node.value, ast.Constant) or not any(
            isinstance(each, (ast.Call, ast.Subscript)) for each in ast.walk(node.value)
        )
    return isinstance(node, (*_DEFINITIONS, ast.Import, ast.ImportFrom))


def _is_user_module(name: str | None) -> bool:
    file = getattr(sys.modules.get(name or ""), "__file__", None)
    return bool(file) and is_user_file(str(file), name or "")


def _absolute(node: ast.ImportFrom, values: dict[str, object]) -> str:
    if not node.level:
        return node.module or ""
    package = str(values.get("__package__") or "").split(".")
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _title(value: object) -> str:
    return f"`{getattr(value, '__qualname__', type(value).__name__)}`"
