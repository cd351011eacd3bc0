"""Recurrent layers: PyTorch's own where they are the same, else step by step as in Keras."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelkb_store.codegen.torch.code import OMIT, call, code, unless
from modelkb_store.codegen.torch.layers.activations import activation_function
from modelkb_store.codegen.torch.settings import Settings
from modelkb_store.codegen.torch.site import Site, values_in
from modelkb_store.codegen.torch.value import Value

_KINDS = ("LSTM", "GRU", "SimpleRNN")


@dataclass(slots=True)
class Recurrence:
    """A recurrent layer's code, before the call.

    Attributes:
        module: The module.
        own: Whether it is a class of our own, not PyTorch's.
        kind: Which of the three.
        settings: Its configuration.
        backwards: Whether it begins with the last step.
    """

    module: ast.expr
    own: bool
    kind: str
    settings: Settings
    backwards: bool


def _recurrence(
    site: Site, kind: str, config: Mapping[str, Any], x: Value, part: str = ""
) -> Recurrence:
    settings = Settings(config, site.where)
    settings.refuse("stateful")
    if kind not in _KINDS:
        site.refuse("it is a recurrence of another kind than LSTM, GRU and SimpleRNN")
    backwards = settings.flag("go_backwards")
    own = x.mask is not None or not _is_torchs_own(kind, config)
    size, units = site.channels(x), settings.integer("units")
    bias = unless(settings.flag("use_bias", True), True)
    if own:
        made = _own(site, kind, settings, size, bias)
        loader = "load_recurrence"
    else:
        function = "nn.RNN" if kind == "SimpleRNN" else f"nn.{kind}"
        relu = "relu" if kind == "SimpleRNN" and config.get("activation") == "relu" else OMIT
        made = call(function, size, units, nonlinearity=relu, bias=bias, batch_first=True)
        loader = f"load_{kind.lower().removeprefix('simple')}"
    return Recurrence(site.module(made, loader, part), own, kind, settings, backwards)


def _is_torchs_own(kind: str, config: Mapping[str, Any]) -> bool:
    usual = ("tanh", "relu") if kind == "SimpleRNN" else ("tanh",)
    return (
        config.get("activation") in usual
        and (kind == "SimpleRNN" or config.get("recurrent_activation") == "sigmoid")
        and not config.get("dropout")
        and not config.get("recurrent_dropout")
        and (kind != "GRU" or bool(config.get("reset_after", True)))
    )


def _own(site: Site, kind: str, settings: Settings, size: int, bias: Any) -> ast.expr:
    config, units = settings.config, settings.integer("units")
    activation = activation_function(site, config, "activation")
    more: dict[str, Any] = {"bias": bias}
    if kind != "SimpleRNN":
        more["recurrent_activation"] = activation_function(site, config, "recurrent_activation")
    if kind == "GRU":
        more["reset_after"] = unless(settings.flag("reset_after", True), True)
    cell = call(site.piece(f"{kind}Cell"), size, units, activation=activation, **more)
    return call(
        site.piece("Recurrence"),
        cell,
        dropout=unless(settings.number("dropout", 0.0), 0.0),
        recurrent_dropout=unless(settings.number("recurrent_dropout", 0.0), 0.0),
    )


def _run(
    site: Site, recurrence: Recurrence, x: Value, states: list[Value], *, zero: bool
) -> tuple[ast.expr, list[ast.expr]]:
    """Write a call; return the outputs of all steps and the states."""
    node, mask = x.node, x.mask
    if recurrence.backwards:
        node = code("x.flip(1)", x=node)
        mask = None if mask is None else code("x.flip(1)", x=mask)
    begin = [each.node for each in states]
    given: Any = OMIT
    if recurrence.own:
        zeros = unless(zero, False) if mask is not None else OMIT
        given = tuple(begin) if begin else OMIT
        made = call(
            recurrence.module, node, states=given, mask=OMIT if mask is None else mask,
            zero_output_for_mask=zeros,
        )  # fmt: skip
        pair = site.assign(made)
        count = 2 if recurrence.kind == "LSTM" else 1
        found = [code("pair[1][i]", pair=pair, i=i) for i in range(count)]
        return code("pair[0]", pair=pair), found
    if begin:
        begin = [code("state[None]", state=each) for each in begin]
        given = tuple(begin) if recurrence.kind == "LSTM" else begin[0]
    pair = site.assign(call(recurrence.module, node, given))
    if recurrence.kind == "LSTM":
        return code("pair[0]", pair=pair), [code(f"pair[1][{i}][0]", pair=pair) for i in (0, 1)]
    return code("pair[0]", pair=pair), [code("pair[1][0]", pair=pair)]


def _called(
    site: Site, recurrence: Recurrence, x: Value, states: list[Value], *, zero: bool
) -> list[Value]:
    outputs, found = _run(site, recurrence, x, states, zero=zero)
    settings = recurrence.settings
    units, batch = settings.integer("units"), (x.shape or (None,))[0]
    if settings.flag("return_sequences"):
        steps = x.shape[1] if x.shape and len(x.shape) > 1 else None
        result = Value(outputs, (batch, steps, units), mask=x.mask)
    else:
        result = Value(code("outputs[:, -1]", outputs=outputs), (batch, units))
    if not settings.flag("return_state"):
        return [result]
    return [result, *(Value(each, (batch, units)) for each in found)]


def _inputs(site: Site) -> tuple[Value, list[Value]]:
    """Return the sequence, and the states to begin with."""
    values = site.values
    states = list(values_in(site.kwargs.get("initial_state"))) or values[1:]
    return site.last(values[0]), [site.last(each) for each in states]


def _recurrent(site: Site) -> list[Value]:
    x, states = _inputs(site)
    recurrence = _recurrence(site, site.layer.class_name, site.layer.config, x)
    zero = site.settings.flag("zero_output_for_mask")
    return _called(site, recurrence, x, states, zero=zero)


def _with_cell(site: Site) -> list[Value]:
    """Write ``RNN(cell)``."""
    x, states = _inputs(site)
    cell = site.layer.config.get("cell")
    if not isinstance(cell, Mapping) or not isinstance(cell.get("config"), Mapping):
        site.settings.fail("cell")
    kind = str(cell.get("class_name")).removesuffix("Cell")
    if str(cell.get("module", "keras")).split(".")[0] != "keras":
        kind = ""
    keys = ("go_backwards", "return_sequences", "return_state", "stateful")
    outer = {key: site.layer.config.get(key) for key in keys}
    recurrence = _recurrence(site, kind, {**cell["config"], **outer}, x)
    zero = site.settings.flag("zero_output_for_mask")
    return _called(site, recurrence, x, states, zero=zero)


def _bidirectional(site: Site) -> list[Value]:
    x, states = _inputs(site)
    mode = site.layer.config.get("merge_mode", "concat")
    if mode not in ("concat", "sum", "mul", "ave", None):
        site.settings.fail("merge_mode")
    results = []
    for place, part in enumerate(("forward_layer", "backward_layer")):
        kind, config = _half(site, part, backwards=place == 1)
        recurrence = _recurrence(site, kind, config, x, part)
        half = len(states) // 2
        begin = states[half * place : half * (place + 1)]
        zero = recurrence.settings.flag("return_sequences")
        results.append(_called(site, recurrence, x, begin, zero=zero))
        if zero and recurrence.backwards:
            last = results[-1][0]
            node = code("x.flip(1)", x=site.assign(last.node))
            results[-1][0] = last.changed(node)
    forward, backward = results
    kept = [*forward[1:], *backward[1:]]
    if mode is None:
        return [forward[0], backward[0], *kept]
    return [_merged(forward[0], backward[0], str(mode)), *kept]


def _half(site: Site, part: str, *, backwards: bool) -> tuple[str, Mapping[str, Any]]:
    """Return the kind and the configuration of one of the two directions."""
    entry = site.layer.config.get(part) or site.layer.config.get("layer")
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        site.settings.fail("layer")
    if str(entry.get("module") or "keras").split(".")[0] != "keras":
        site.settings.fail("layer")
    config = dict(entry["config"])
    if backwards and not site.layer.config.get(part):
        config["go_backwards"] = not config.get("go_backwards")
    return str(entry.get("class_name")), config


def _merged(forward: Value, backward: Value, mode: str) -> Value:
    pattern = {
        "concat": "torch.cat([a, b], dim=-1)",
        "sum": "a + b",
        "mul": "a * b",
        "ave": "(a + b) / 2",
    }[mode]
    node = code(pattern, a=forward.node, b=backward.node)
    shape = forward.shape
    if mode == "concat" and shape is not None:
        shape = (*shape[:-1], (shape[-1] or 0) + ((backward.shape or (0,))[-1] or 0))
    return Value(node, shape, mask=forward.mask)


WRITERS = {
    **dict.fromkeys(_KINDS, _recurrent),
    "Bidirectional": _bidirectional,
    "RNN": _with_cell,
}
