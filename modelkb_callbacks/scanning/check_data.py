"""Warnings of how data is split, shuffled and used."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from modelkb_callbacks.scanning import fit_calls
from modelkb_callbacks.scanning.canonical_names import last_part
from modelkb_callbacks.scanning.checks import Concern
from modelkb_callbacks.scanning.findings import Event, Findings
from modelkb_callbacks.scanning.origins import PART, DataPart
from modelkb_callbacks.scanning.values import Constant, Items, Value, origins_of


def check_data(findings: Findings) -> Iterator[Concern]:
    """Check what is used for validation, and what is shuffled or split."""
    evaluated = {name for event in findings.evaluations for name in _names(event)}
    for event in findings.fits:
        if not event.is_shadow:
            yield from _check_validation(event, evaluated)
    if not findings.seeds:
        for name, event in findings.shuffles:
            if not event.is_shadow:
                yield from _check_seed(name, event)


def _names(event: Event) -> Iterator[str]:
    for argument in (*event.arguments.positional[:1], event.arguments.find("x")):
        if argument is not None and isinstance(argument.node, ast.Name):
            yield argument.node.id


def _check_validation(event: Event, evaluated: set[str]) -> Iterator[Concern]:
    argument = fit_calls.argument_of(event, "validation_data")
    if argument is None:
        return
    value = argument.value
    inputs = value.items[0].value if isinstance(value, Items) and value.items else value
    split = _test_split(inputs)
    if split is not None:
        loader = split.loader.removesuffix(".load_data")
        message = (
            f"validation_data is the test split of {last_part(loader)} (line {split.line}): "
            "what is chosen by it is no longer tested by it"
        )
        yield Concern("test-as-validation", message, argument.node)
        return
    node = argument.node
    if isinstance(node, (ast.Tuple, ast.List)) and node.elts:
        node = node.elts[0]
    if isinstance(node, ast.Name) and _is_named_test(node.id) and node.id in evaluated:
        message = f"{node.id} is used for validation and evaluated as the test set"
        yield Concern("test-as-validation", message, argument.node)


def _is_named_test(name: str) -> bool:
    return name.lower().endswith("test") or "test" in name.lower().split("_")


def _test_split(value: Value) -> DataPart | None:
    origins = origins_of(value)
    parts = [each for each in origins if isinstance(each, DataPart)]
    if len(parts) == 1 and parts[0].split == "test" and PART not in origins:
        return parts[0]
    same_load = {(part.loader, part.line, part.split) for part in parts}
    if len(same_load) == 1 and parts[0].split == "test" and PART not in origins:
        return parts[0]
    return None


def _check_seed(name: str, event: Event) -> Iterator[Concern]:
    arguments = event.arguments
    if arguments.rest is not None or _is_false(arguments.value("shuffle")):
        return
    last = last_part(name)
    if last in ("KFold", "StratifiedKFold") and not _is_true(arguments.value("shuffle")):
        return
    if name == "dataset.shuffle":
        seed = arguments.value("seed", position=1)
    elif name.startswith("sklearn."):
        seed = arguments.value("random_state")
    else:
        seed = None
    if seed is not None and not (isinstance(seed, Constant) and seed.value is None):
        return
    code = "unseeded-shuffle" if "shuffle" in last or last == "permutation" else "unseeded-split"
    how = "random_state" if name.startswith("sklearn.") else "a seed"
    yield Concern(
        code, f"{name} without {how}: another run gets another order or other parts", event.node
    )


def _is_false(value: Value | None) -> bool:
    return isinstance(value, Constant) and value.value is False


def _is_true(value: Value | None) -> bool:
    return isinstance(value, Constant) and value.value is True
