"""A class of the generated module while it is written."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.naming import Wishes, identifier
from modelkb_store.codegen.torch.code import call, code

# What a module of PyTorch has already, and what we add to it.
RESERVED = frozenset(
    (
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
        "load_keras",
    )
)


@dataclass(slots=True)
class Shared:
    """What all classes of one generated module have together.

    Attributes:
        pieces: The functions and classes of our own that they use.
        problems: What is not exactly the same as in Keras.
        classes: The classes that are finished, as text.
        taken: Names that mean something at the top of the module.
    """

    pieces: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def free_name(self, wish: str) -> str:
        """Take a name at the top of the module."""
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}{number}"
        self.taken.add(name)
        return name


@dataclass(slots=True)
class Draft:
    """The parts of a class.

    Attributes:
        shared: What it has together with the others.
        making: Statements of ``__init__``.
        forward: Statements of ``forward``.
        loading: Statements of ``load_keras``.
        attributes: The attribute that holds a layer, by its place in Keras' file.
        wishes: What variables would like to be called.
    """

    shared: Shared
    making: list[ast.stmt] = field(default_factory=list)
    forward: list[ast.stmt] = field(default_factory=list)
    loading: list[ast.stmt] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    wishes: Wishes = field(default_factory=Wishes)
    _converted: dict[tuple[str, bool], str] = field(default_factory=dict)
    _count: int = 0

    def make(self, key: str, wish: str, made: ast.expr, load: str | None) -> str:
        """Add a module, and the loading of its variables; return its attribute."""
        attribute = self._free_attribute(identifier(wish))
        self.attributes[key] = attribute
        self.making.append(ast.Assign([_own(attribute)], made))
        if load is not None:
            self.shared.pieces.add(load)
            place = code("layers[place]", place=key)
            self.loading.append(ast.Expr(call(load, _own(attribute), place)))
        return attribute

    def freeze(self, attribute: str) -> None:
        """Keep a module's parameters from being trained."""
        expression = code("module.requires_grad_(False)", module=_own(attribute))
        self.making.append(ast.Expr(expression))

    def assign(self, expression: ast.expr, wish: str, *, named: bool = False) -> ast.Name:
        """Add a statement that keeps a value in a new variable."""
        self._count += 1
        # With a capital, so that it is never what another is called in the end.
        variable = f"V{self._count}_{identifier(wish)}"
        (self.wishes.always if named else self.wishes.kept)[variable] = identifier(wish)
        self.forward.append(ast.Assign([ast.Name(variable)], expression))
        return ast.Name(variable)

    def converted(self, node: ast.expr, *, first: bool, order: tuple[int, ...]) -> ast.expr:
        """Return a variable with its channels moved, once for all that use it so."""
        source = ast.unparse(node)
        key = source, first
        if key not in self._converted:
            made = self.assign(call(ast.Attribute(node, "permute"), *order), "x")
            self._converted[key] = made.id
            self._converted[made.id, not first] = source
        return ast.Name(self._converted[key])

    def _free_attribute(self, wish: str) -> str:
        taken = {*RESERVED, *self.attributes.values()}
        name, number = wish, 1
        while name in taken:
            number += 1
            name = f"{wish}_{number}"
        return name


def _own(attribute: str) -> ast.Attribute:
    return ast.Attribute(ast.Name("self"), attribute)
