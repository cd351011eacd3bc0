"""Repetitions side by side as passes of a loop: which of them go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelkb_store.codegen.keras.folding.attributes import Attribute, tokens
from modelkb_store.codegen.keras.folding.graph import Region, Value
from modelkb_store.codegen.keras.folding.shapes import Shapes

# Where an operand of a pass comes from: this pass, the one before, or from outside.
Source = tuple[str, int, int]
INSIDE, BEFORE, OUTSIDE = "inside", "before", "outside"
Part = tuple[int, int]  # the first pass, and the one after the last


class Passes:
    """Repetitions side by side.

    Attributes:
        region: The region that they are in.
        start: The place of the first operation.
        period: How many operations a pass has.
        count: How many passes there are.
        sources: For each pass where its operands come from, one after another.
        operands: For each pass its operands.
        attributes: For each pass its constants.
    """

    def __init__(
        self,
        region: Region,
        shapes: Shapes,
        *,
        last: Mapping[Value, int],
        start: int,
        period: int,
        count: int,
    ) -> None:
        self.region = region
        self.start, self.period, self.count = start, period, count
        self.sources: list[tuple[Source, ...]] = []
        self.operands: list[tuple[Value, ...]] = []
        self.attributes: list[list[Attribute]] = []
        self._breaks: set[int] = set()
        before: dict[Value, tuple[int, int]] = {}
        for number in range(count):
            begin = start + number * period
            here: dict[Value, tuple[int, int]] = {}
            sources: list[Source] = []
            operands: list[Value] = []
            attributes: list[Attribute] = []
            for place, operation in enumerate(region.operations[begin : begin + period]):
                for operand in operation.operands:
                    operands.append(operand)
                    if operand in here:
                        sources.append((INSIDE, *here[operand]))
                    elif operand in before:
                        sources.append((BEFORE, *before[operand]))
                    else:
                        sources.append((OUTSIDE, operand, 0))
                attributes += shapes.of(operation).attributes
                for output, result in enumerate(operation.results):
                    here[result] = place, output
                    if last.get(result, -1) >= begin + 2 * period:
                        self._breaks.add(number)
            self.sources.append(tuple(sources))
            self.operands.append(tuple(operands))
            self.attributes.append(attributes)
            before = here

    def divisions(self) -> Iterator[list[Part]]:
        """Walk ways to divide the passes into loops."""
        parts = list(self._connected())
        if parts:
            yield parts
        finer = [each for part in parts for each in self._even(part)]
        if finer and finer != parts:
            yield finer

    def _connected(self) -> Iterator[Part]:
        """Walk the longest parts in which each pass takes its values from the same places."""
        begin = 0
        while begin < self.count - 1:
            end = begin + 1
            if begin not in self._breaks and self._can_follow(begin):
                while end < self.count and self.sources[end] == self.sources[begin + 1]:
                    end += 1
                    if end - 1 in self._breaks:
                        break
            if end - begin >= 2:
                yield begin, end
                begin = end
            else:
                begin += 1

    def _can_follow(self, first: int) -> bool:
        """Return whether a pass can be the first one, and the one after it the second."""
        sources = zip(
            self.sources[first], self.operands[first], self.sources[first + 1], strict=True
        )
        for source, operand, following in sources:
            if (source[0] == INSIDE or following[0] == INSIDE) and source != following:
                return False
            if following[0] == OUTSIDE and following[1] != operand:
                return False
        return True

    def _even(self, part: Part) -> Iterator[Part]:
        """Walk parts in which every constant stays as it is, or counts in equal steps."""
        begin, stop = part
        changes = [
            tuple(map(_change, self.attributes[each], self.attributes[each + 1]))
            for each in range(begin, stop - 1)
        ]
        while begin < stop:
            end = begin + 1
            while end < stop and None not in changes[end - 1 - part[0]]:
                if end > begin + 1 and changes[end - 1 - part[0]] != changes[end - 2 - part[0]]:
                    break
                end += 1
            if end - begin >= 2:
                yield begin, end
            begin = end


def _change(first: Attribute, second: Attribute) -> object:
    """Return how a constant changes to the next pass; None if it does not count."""
    if first == second:
        return 0
    numbers = getattr(first, "value", None), getattr(second, "value", None)
    if isinstance(numbers[0], int) and isinstance(numbers[1], int):
        return numbers[1] - numbers[0]
    before, after = tokens(first), tokens(second)
    if before is None or after is None or len(before) != len(after):
        return None
    steps: list[object] = []
    for one, other in zip(before, after, strict=True):
        if one == other:
            steps.append(0)
        elif isinstance(one, str) and isinstance(other, str) and one.isdigit() and other.isdigit():
            steps.append(int(other) - int(one))
        else:
            return None
    return tuple(steps)
