from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

FoldText = Callable[..., str]


def random_program(seed: int, blocks: int) -> str:
    """Write a program of blocks that are repeated, with constants and values that vary."""
    draw = random.Random(seed)
    kinds = [_random_block(draw) for _ in range(draw.randint(1, 3))]
    values, lines = ["V0"], ["V0 = F()"]
    for _ in range(blocks):
        kind = draw.choice(kinds)
        counts = draw.random() < 0.7
        for repeat in range(draw.randint(1, 5)):
            number = repeat if counts else draw.randint(0, 3)
            local: list[str] = []
            for function, operands, constants in kind:
                taken = [
                    local[-back] if back <= len(local) else values[-min(back, len(values))]
                    for back in operands
                ]
                texts = [text.format(number, draw.choice("ab")) for text in constants]
                name = f"V{len(lines)}"
                target = "" if draw.random() < 0.02 else f"{name} = "
                lines.append(f"{target}{function}({', '.join([*taken, *texts])})")
                if target:
                    local.append(name)
            values += local[-1:] if draw.random() < 0.8 else local
    return "\n".join(lines)


def _random_block(draw: random.Random) -> list[tuple[str, list[int], list[str]]]:
    texts = [
        "1",
        "{0}",
        "'same'",
        "name='b{0}_c'",
        "name='{1}_b{0}'",
        "'{1}'",
        "-{0}",
        "size=({0}, 2)",
    ]
    block = []
    for _ in range(draw.randint(1, 5)):
        operands = [draw.choice([1, 1, 1, 2, 3, 5]) for _ in range(draw.randint(1, 2))]
        constants = [draw.choice(texts) for _ in range(draw.randint(0, 2))]
        constants.sort(key=lambda text: "=" in text)
        if sum("name=" in text for text in constants) > 1 or constants.count(texts[-1]) > 1:
            constants = constants[:1]
        block.append((draw.choice("FGH"), operands, constants))
    return block


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9), blocks=st.integers(1, 12))
def test_random_programs_make_the_same_calls(fold_text: FoldText, seed: int, blocks: int) -> None:
    fold_text(random_program(seed, blocks))
