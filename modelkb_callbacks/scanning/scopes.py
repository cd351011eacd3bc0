"""Where names are bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.values import Value


@dataclass(slots=True, eq=False)
class Scope:
    """The names of a module, a function or a class body.

    Attributes:
        names: What they are bound to at this moment.
        parent: The scope around it.
        is_class: Names of a class body are not seen from its methods.
        outer: Names that ``global`` and ``nonlocal`` bind further out.
        place: The definition that it belongs to; None for the module's.
        stars: Modules of ``from module import *``, the last one first.
    """

    names: dict[str, Value] = field(default_factory=dict)
    parent: Scope | None = None
    is_class: bool = False
    outer: set[str] = field(default_factory=set)
    place: object | None = None
    stars: list[str] = field(default_factory=list)

    def find(self, name: str) -> Value | None:
        """Return what a name is bound to, here or further out."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and not (scope.is_class and scope is not self):
                return scope.names[name]
            scope = scope.parent
        return None

    def bind(self, name: str, value: Value) -> None:
        """Bind a name."""
        scope = self.home_of(name)
        scope.names[name] = value

    def home_of(self, name: str) -> Scope:
        """Return the scope in which an assignment binds a name."""
        if name in self.outer and self.parent is not None:
            scope = self.parent
            while scope.parent is not None and (scope.is_class or name not in scope.names):
                scope = scope.parent
            return scope
        return self

    def all_stars(self) -> list[str]:
        """Return the modules of all star imports that names are looked up in."""
        stars: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            stars += scope.stars
            scope = scope.parent
        return stars
