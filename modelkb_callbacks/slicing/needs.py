"""A set of variables that are needed, whole or by single attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelkb_callbacks.slicing.effects import Path
from modelkb_callbacks.slicing.scope import Variable


class Needs:
    """Variables that are needed at a point of the program.

    To need ``self.x`` is not to need ``self.model``; to need ``self`` is to need both.
    """

    __slots__ = ("_attributes",)

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._attributes: dict[Variable, set[str]] = {}
        self.add(paths)

    def __iter__(self) -> Iterator[Path]:
        for variable, attributes in self._attributes.items():
            for attribute in attributes:
                yield (variable, attribute)

    def __len__(self) -> int:
        return sum(len(attributes) for attributes in self._attributes.values())

    def add(self, paths: Iterable[Path]) -> None:
        """Need more."""
        for variable, attribute in paths:
            self._attributes.setdefault(variable, set()).add(attribute)

    def drop(self, variable: Variable) -> None:
        """Need nothing of a variable any more, as it is set anew."""
        self._attributes.pop(variable, None)

    def has_variable(self, variable: Variable) -> bool:
        """Return whether anything of a variable is needed."""
        return variable in self._attributes

    def attributes(self, variable: Variable) -> set[str]:
        """Return what of a variable is needed; an empty text for the whole."""
        return self._attributes.get(variable, set())

    def touches(self, path: Path) -> bool:
        """Return whether a change of something changes what is needed."""
        needed = self._attributes.get(path[0])
        if needed is None:
            return False
        return not path[1] or "" in needed or path[1] in needed

    def copy(self) -> Needs:
        """Return a set that can grow by itself."""
        other = Needs()
        other._attributes = {key: set(value) for key, value in self._attributes.items()}
        return other
