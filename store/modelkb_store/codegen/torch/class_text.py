"""The text of a class."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from modelkb_store.codegen.torch.code import code
from modelkb_store.codegen.torch.draft import Draft


def class_text(name: str, draft: Draft, arguments: list[str], body: Sequence[ast.stmt]) -> str:
    """Return a class as text.

    Args:
        name: Its name.
        draft: What ``__init__`` and ``load_keras`` do.
        arguments: The arguments of ``forward``.
        body: The statements of ``forward``.
    """
    begin: list[ast.stmt] = [ast.Expr(code("super().__init__()"))]
    loading: list[ast.stmt] = [ast.Expr(ast.Constant("Take over the weights of a Keras file."))]
    if draft.loading:
        layers = ast.Assign([ast.Name("layers")], code("group['layers']"))
        loading += [layers, *draft.loading]
    functions: list[ast.stmt] = [
        _function("__init__", ["self"], [*begin, *draft.making]),
        _function("forward", ["self", *arguments], body),
        _function("load_keras", ["self", "group"], loading),
    ]
    made = ast.parse("class _(nn.Module): ...").body[0]
    assert isinstance(made, ast.ClassDef)
    made.name, made.body = name, functions
    return ast.unparse(ast.fix_missing_locations(made))


def _function(name: str, arguments: list[str], body: Sequence[ast.stmt]) -> ast.FunctionDef:
    # Parsed, not constructed: the fields differ between versions of Python.
    made = ast.parse("def _(): ...").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.name, made.body = name, list(body)
    made.args.args = [ast.arg(each) for each in arguments]
    return made
