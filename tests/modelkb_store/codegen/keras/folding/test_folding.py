from __future__ import annotations

import ast
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkb_store.codegen.keras.folding import fold

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


def chain(*expressions: str) -> str:
    """Write a program in which each statement takes the value of the one before as `{}`."""
    lines = ["V0 = F()"]
    lines += [f"V{n} = {text.replace('{}', f'V{n - 1}')}" for n, text in enumerate(expressions, 1)]
    return "\n".join(lines)


def residual_network(blocks: tuple[int, ...]) -> str:
    """Write a network of stacks of blocks, as its layers are made."""
    lines, last = ["V0 = L.Input(3)"], 0

    def add(text: str) -> int:
        lines.append(f"V{len(lines)} = {text}")
        return len(lines) - 1

    for stage, count in enumerate(blocks, 2):
        filters = 2 ** (stage + 4)
        for block in range(1, count + 1):
            name, shortcut, strides = f"conv{stage}_block{block}", last, ""
            if block == 1:
                strides = "strides=2, "
                shortcut = add(
                    f"L.Conv({4 * filters}, 1, strides=2, name='{name}_0_conv')(V{last})"
                )
            x = add(f"L.Conv({filters}, 1, {strides}name='{name}_1_conv')(V{last})")
            for part, width in ((1, 3), (2, 1)):
                x = add(f"L.Norm(name='{name}_{part}_bn')(V{x})")
                x = add(f"L.Act('relu', name='{name}_{part}_relu')(V{x})")
                wide = filters if part == 1 else 4 * filters
                x = add(f"L.Conv({wide}, {width}, name='{name}_{part + 1}_conv')(V{x})")
            last = add(f"L.Add(name='{name}_add')([V{shortcut}, V{x}])")
    return "\n".join(lines)


def test_a_chain_of_equal_calls_is_a_loop(fold_text: FoldText) -> None:
    text = fold_text(chain(*["G({}, 64)"] * 1000, "H({})"))
    first, loop, body, last = text.splitlines()
    variable = first.split()[0]
    assert loop == "for _ in range(1000):"
    assert body == f"    {variable} = G({variable}, 64)"
    assert last == f"V1001 = H({variable})"


def test_numbers_in_names_count(fold_text: FoldText) -> None:
    text = fold_text(chain(*[f"G({{}}, name='b{n}_c')" for n in range(3, 9)]))
    assert "for i in range(3, 9):" in text
    assert "name=f'b{i}_c'" in text


def test_other_constants_are_listed_under_their_keyword(fold_text: FoldText) -> None:
    constants = [(64, 1), (128, 2), (96, 7), (5, 3), (8, 4)]
    text = fold_text(chain(*[f"G({{}}, filters={f}, rate={r})" for f, r in constants]))
    assert "for filters, rate in [(64, 1), (128, 2), (96, 7), (5, 3), (8, 4)]:" in text


def test_positional_constants_have_the_name_of_their_parameter(fold_text: FoldText) -> None:
    program = chain(*[f"L.Conv({n})({{}})" for n in (3, 7, 4, 9, 1, 6)])
    text = fold_text(program, role=lambda function, place: f"{function[2:].lower()}_{place}")
    assert "for conv_0 in [3, 7, 4, 9, 1, 6]:" in text


def test_stacks_of_blocks_are_short(fold_text: FoldText) -> None:
    text = fold_text(residual_network((3, 8, 36, 3)))
    assert "range(" in text
    assert len(text.splitlines()) < 30


def test_what_is_needed_later_keeps_its_name(fold_text: FoldText) -> None:
    program = chain(*["G({}, 1)"] * 9)
    text = fold_text(program, needed=["V4", "V9"])
    assert "V4 =" in text
    assert "V9 =" in text


def test_a_return_keeps_what_it_returns() -> None:
    statements = ast.parse(chain(*["G({}, 1)"] * 6) + "\nreturn_ = V3").body
    assert isinstance(statements[-1], ast.Assign)
    statements[-1] = ast.Return(statements[-1].value)
    text = "\n".join(map(ast.unparse, fold(statements, taken=()).statements))
    assert text.endswith("return V3")
    assert "V3 =" in text


@pytest.mark.parametrize(
    "expression",
    [
        "G({}, lambda a: a + 1)",
        "G(lambda: {}, 1)",
        "G({}, [a for a in (1, 2)])",
        "G({})[0].part",
        "G({} + {}, -1, k=(1, -2.5, None, ...), **{'a': True})",
        "L.Add(name='it\\'s {{0}} \\n \\\\')([{}, *[{}]])",
    ],
)
def test_any_expression_is_folded_or_left(fold_text: FoldText, expression: str) -> None:
    fold_text(chain(*[expression] * 7))


def test_hostile_names_stay_strings(fold_text: FoldText) -> None:
    names = ["{1/0}", "'+F()+'", '"' * 3, "\\", "a\nb", "{{i}}", "\x00", "e\u0301", "\u202e", "٣"]
    program = chain(*[f"G({{}}, name={f'{name}_{n}'!r})" for name in names for n in range(3)])
    fold_text(program)


def test_equal_but_different_constants_stay_different(fold_text: FoldText) -> None:
    fold_text(chain(*[f"G({{}}, {each})" for each in ("1", "True", "1.0", "0.0", "-0.0", "0") * 2]))


@pytest.mark.parametrize("text", ["A = 1\nA = 2", "A, B = 1, 2", "for A in B: pass", "A = A"])
def test_other_programs_stay_as_they_are(text: str) -> None:
    statements = ast.parse(text).body
    folded = fold(statements, taken=())
    assert folded.functions == []
    assert ast.unparse(folded.statements) == ast.unparse(statements)  # type: ignore[arg-type]


def test_names_that_are_taken_are_not_used(fold_text: FoldText) -> None:
    program = residual_network((3, 4))
    text = fold_text(program, taken={"i", "name", "conv_block", "block", "stack"})
    assigned = {
        node.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    functions = {n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}
    assert not (assigned | functions) & {"i", "name", "conv_block", "block", "stack"}


def test_nothing_is_folded_where_range_means_something_else() -> None:
    statements = ast.parse(chain(*["G({}, 1)"] * 9)).body
    assert fold(statements, taken={"range"}).statements == statements


def test_small_programs_stay_as_they_are() -> None:
    program = chain("Conv({}, 32, 3)", "Pool({})", "Conv({}, 64, 3)", "Pool({})", "Dense({}, 9)")
    statements = ast.parse(program).body
    assert fold(statements, taken=()).statements == statements


# Were it not in proportion to the statements, it would not end before the time limit of a test.
def test_five_thousand_statements_become_one_loop() -> None:
    statements = ast.parse(chain(*[f"G({{}}, name='d{n}')" for n in range(5000)])).body
    folded = fold(statements, taken=())
    assert len(folded.statements) == 2
