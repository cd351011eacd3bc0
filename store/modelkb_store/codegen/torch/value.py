"""What flows through a module: a variable, with what is known of the tensor in it."""

from __future__ import annotations

import ast
import dataclasses
from dataclasses import dataclass

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor in the code.

    Attributes:
        node: The variable that holds it.
        shape: Its shape as in Keras, the batch first; None if it is unknown.
        first: Whether its channels stand second, as PyTorch wants them, and not last.
            Its shape has then a known length.
        mask: The variable that holds Keras' mask of it.
        dtype: The name of its type, where that matters.
    """

    node: ast.expr
    shape: Shape | None = None
    first: bool = False
    mask: ast.expr | None = None
    dtype: str | None = None

    def axis(self, axis: int) -> int:
        """Return where one of Keras' axes is in this tensor."""
        if not self.first or self.shape is None:
            return axis
        rank = len(self.shape)
        place = axis % rank
        if place == 0:
            return 0
        return 1 if place == rank - 1 else place + 1

    def changed(
        self, node: ast.expr, shape: Shape | None = None, *, first: bool | None = None
    ) -> Value:
        """Return what a layer made of it, that passes the mask on."""
        return dataclasses.replace(
            self,
            node=node,
            shape=self.shape if shape is None else shape,
            first=self.first if first is None else first,
            dtype=None,
        )


def to_first(rank: int) -> tuple[int, ...]:
    """Return the permutation that moves channels from the last place to the second."""
    return (0, rank - 1, *range(1, rank - 1))


def to_last(rank: int) -> tuple[int, ...]:
    """Return the permutation that moves channels from the second place to the last."""
    return (0, *range(2, rank), 1)
