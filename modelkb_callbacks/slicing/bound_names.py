"""Which names a block of statements binds, as Python's own rules of scope have it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_WITH_BODIES = (*_DEFINITIONS, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

# Where names can be bound when there is no `:=` in expressions.
_BINDING_FIELDS: dict[type, tuple[str, ...]] = {
    ast.Assign: ("targets",),
    ast.AugAssign: ("target",),
    ast.AnnAssign: ("target",),
    ast.Expr: (),
    ast.Return: (),
    ast.Assert: (),
    ast.Raise: (),
    ast.If: ("body", "orelse"),
    ast.While: ("body", "orelse"),
    ast.For: ("target", "body", "orelse"),
    ast.withitem: ("optional_vars",),
    ast.Attribute: (),
    ast.Subscript: (),
}


def bound_names(body: Iterable[ast.AST], *, walrus: bool = True) -> set[str]:
    """Return the names that statements bind in their own scope, not in the ones inside.

    Args:
        body: The statements.
        walrus: Whether there may be ``:=`` in them; without any it is faster.
    """
    names: set[str] = set()
    for node in own_nodes(body, walrus=walrus):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        elif isinstance(node, _DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(imported_name(alias) for alias in node.names if alias.name != "*")
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            names.add(node.name or "")
        elif isinstance(node, ast.MatchMapping):
            names.add(node.rest or "")
    names.discard("")
    return names


def imports_of(
    body: Iterable[ast.AST], *, walrus: bool = True
) -> tuple[list[ast.Import | ast.ImportFrom], set[str]]:
    """Return the imports of a block, and the names that are bound otherwise."""
    nodes = list(own_nodes(body, walrus=walrus))
    found = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    otherwise = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    otherwise |= {node.name for node in nodes if isinstance(node, _DEFINITIONS)}
    return found, otherwise


def local_names(function: FunctionNode, *, walrus: bool = True) -> set[str]:
    """Return the parameters and local variables of a function."""
    names = set(parameter_names(function.args))
    if isinstance(function, ast.Lambda):
        return names | bound_names([function.body])
    names |= bound_names(function.body, walrus=walrus)
    return names - declared_elsewhere(function.body)


def declared_elsewhere(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that a function's ``global`` and ``nonlocal`` statements list."""
    return {
        name
        for node in own_nodes(body, walrus=False)
        if isinstance(node, (ast.Global, ast.Nonlocal))
        for name in node.names
    }


def statements_of(function: ast.AST) -> Iterator[ast.AST]:
    """Walk the statements of a function, also nested ones, but of no function inside."""
    stack: list[ast.AST] = list(getattr(function, "body", ()))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _DEFINITIONS):
            for name in ("body", "orelse", "finalbody", "handlers", "cases"):
                stack += getattr(node, name, ())


def comprehension_names(node: Comprehension) -> set[str]:
    """Return the loop variables of a comprehension."""
    return bound_names([generator.target for generator in node.generators])


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """Return all parameters in the order of a signature."""
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found += arguments.kwonlyargs
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found


def parameter_names(arguments: ast.arguments) -> list[str]:
    """Return the names of all parameters in the order of a signature."""
    return [each.arg for each in parameters(arguments)]


def imported_name(alias: ast.alias) -> str:
    """Return the name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def outer_parts(node: DefinitionNode | ast.Lambda) -> list[ast.AST]:
    """Return what of a definition is evaluated around it: decorators, defaults, bases."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    parts: list[ast.AST] = [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
    if isinstance(node, ast.Lambda):
        return parts
    annotations = [each.annotation for each in parameters(node.args)] + [node.returns]
    return [*node.decorator_list, *parts, *(each for each in annotations if each)]


def own_nodes(body: Iterable[ast.AST], *, walrus: bool) -> Iterator[ast.AST]:
    """Walk nodes whose names are bound in this scope.

    Args:
        body: Some nodes.
        walrus: Whether there may be ``:=`` in them; without any only what can bind is walked.
    """
    stack = list(body)
    while stack:
        node = stack.pop()
        yield node
        binding = None if walrus else _BINDING_FIELDS.get(type(node))
        if binding is not None:
            for field in binding:
                part = getattr(node, field)
                stack += part if isinstance(part, list) else [part] if part else []
        elif not walrus and isinstance(node, _DEFINITIONS):
            continue
        elif isinstance(node, _WITH_BODIES):
            stack += outer_parts(node)
        elif isinstance(node, _COMPREHENSIONS):
            # Of what is inside, only `:=` reaches out; loop variables do not.
            stack += [each for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
        elif isinstance(node, (ast.Name, ast.Constant)):
            continue
        elif isinstance(node, ast.NamedExpr):
            stack += [node.target, node.value]
        else:
            stack += ast.iter_child_nodes(node)
