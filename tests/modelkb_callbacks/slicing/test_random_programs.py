"""Programs made up by Hypothesis: a slice gives the data that the program gave."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from slicing_runs import assert_same, run_slice, run_to_fit

_settings = partial(
    settings,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # programs fail for reasons; shrinking takes minutes
)
_ARRAYS = st.sampled_from(["a", "b", "c", "d"])
_NUMBERS = st.sampled_from(["i", "j", "k"])
_PRELUDE = """
import random
import numpy as np
np.random.seed(3)
random.seed(3)
a, b, c, d = np.arange(4), np.ones(4, dtype=int), np.zeros(4, dtype=int), np.arange(4) * 2
i, j, k = 1, 2, 3
rows = []
rng = np.random.default_rng(0)
def fill(target, value):
    part = target[1:]
    part[:] = value
def double(values):
    return values * i
def remember(values):
    global c
    c = values + j
    return len(values)
class Box:
    def __init__(self, values):
        self.values = values
        self.count = 0
    def grow(self, by):
        self.values = self.values + by
        self.count += 1
    def poke(self):
        self.values[0] += 1
box = Box(np.arange(4))
"""

_SIMPLE = st.one_of(
    st.builds("{} = {} + {}".format, _ARRAYS, _ARRAYS, _NUMBERS),
    st.builds("{} = {}".format, _ARRAYS, _ARRAYS),
    st.builds("{} = {}[:]".format, _ARRAYS, _ARRAYS),
    st.builds("{} = {}.copy()".format, _ARRAYS, _ARRAYS),
    st.builds("{}[{} % 4] = {}".format, _ARRAYS, _NUMBERS, _NUMBERS),
    st.builds("{} += {}".format, _ARRAYS, _NUMBERS),
    st.builds("{0}, {1} = {1}, {0}".format, _ARRAYS, _ARRAYS),
    st.builds("{} = ({} * 3 + {}) % 7".format, _NUMBERS, _NUMBERS, _NUMBERS),
    st.builds("{} += 1".format, _NUMBERS),
    st.builds("{} = int({}.sum())".format, _NUMBERS, _ARRAYS),
    st.builds("fill({}, {})".format, _ARRAYS, _NUMBERS),
    st.builds("{} = double({})".format, _ARRAYS, _ARRAYS),
    st.builds("{} = remember({})".format, _NUMBERS, _ARRAYS),
    st.builds("rows.append({})".format, _ARRAYS),
    st.builds("{} = rows[-1] if rows else {}".format, _ARRAYS, _ARRAYS),
    st.builds("{} = rows.pop() if rows else {}".format, _ARRAYS, _ARRAYS),
    st.builds("{} = np.random.randint(0, 9, 4)".format, _ARRAYS),
    st.builds("{} = rng.integers(0, 9, 4)".format, _ARRAYS),
    st.builds("{} = random.randrange(9)".format, _NUMBERS),
    st.builds("np.random.shuffle({})".format, _ARRAYS),
    st.builds("{}.sort()".format, _ARRAYS),
    st.builds("print({}, {})".format, _ARRAYS, _NUMBERS),
    st.builds("box.grow({})".format, _NUMBERS),
    st.just("box.poke()"),
    st.builds("{} = box.values".format, _ARRAYS),
    st.builds("box.values = {}".format, _ARRAYS),
    st.builds("{} = (lambda v: v + {})({})".format, _ARRAYS, _NUMBERS, _ARRAYS),
    st.builds("{} = np.array([v + {} for v in {}])".format, _ARRAYS, _NUMBERS, _ARRAYS),
    st.builds("{} = (j := {} % 5) + 1".format, _NUMBERS, _NUMBERS),
)


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _compound(blocks: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    def choice(number: str, one: list[str], other: list[str]) -> list[str]:
        return [f"if {number} % 2:", *_indented(one), "else:", *_indented(other)]

    def loop(number: str, body: list[str], jump: str, rest: list[str]) -> list[str]:
        test = [f"if {number} > 3:", f"    {jump}"] if jump else []
        return [f"for {number} in range(3):", *_indented([*body, *test, *rest])]

    def attempt(number: str, body: list[str], handler: list[str]) -> list[str]:
        raising = f"[][{number}] if {number} % 3 == 0 else None"
        lines = ["try:", *_indented([*body, raising, *body]), "except IndexError:"]
        return [*lines, *_indented(handler)]

    def once(number: str, body: list[str]) -> list[str]:
        return [
            "count = 0",
            "while count < 2:",
            *_indented([*body, "count += 1"]),
            f"{number} += count",
        ]

    return st.one_of(
        st.builds(choice, _NUMBERS, blocks, blocks),
        st.builds(loop, _NUMBERS, blocks, st.sampled_from(["", "break", "continue"]), blocks),
        st.builds(attempt, _NUMBERS, blocks, blocks),
        st.builds(once, _NUMBERS, blocks),
    )


_BLOCKS = st.recursive(
    st.lists(_SIMPLE, min_size=1, max_size=5),
    lambda blocks: st.lists(_compound(blocks), min_size=1, max_size=3).map(
        lambda parts: [line for part in parts for line in part]
    ),
    max_leaves=8,
)
_PROGRAMS = st.lists(_BLOCKS, min_size=1, max_size=6).map(
    lambda blocks: [line for block in blocks for line in block]
)


@_settings(max_examples=40)
@given(lines=_PROGRAMS, data=_ARRAYS, other=_ARRAYS, inside=st.booleans())
def test_slice_of_any_program(lines: list[str], data: str, other: str, inside: bool) -> None:
    end = f"model.fit({data}, [{other}, i])"
    body = "\n".join([*lines, end])
    if inside:
        declared = "global a, b, c, d, i, j, k, count\n"
        body = "def main():\n" + "\n".join(_indented((declared + body).split("\n"))) + "\nmain()"
    _check(_PRELUDE + body)


@_settings(max_examples=25)
@given(lines=_PROGRAMS, data=_ARRAYS, names=st.permutations(["a", "b", "c", "d"]))
def test_slice_through_a_function(lines: list[str], data: str, names: list[str]) -> None:
    first = "def main(a, b, c, d, i=4, j=5, k=6):"
    body = _indented([*lines, f"train({data}, [i, {names[0]}])"])
    train = "def train(k, a):\n    i = k\n    i += 1\n    model.fit(i, a)"
    call = f"main({', '.join(names)}, k=k)"
    _check("\n".join([_PRELUDE, train, first, *body, call]))


def _check(script: str) -> None:
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        try:
            seen = run_to_fit(script, Path(folder))
        except (AssertionError, ValueError, OverflowError, TypeError, UnboundLocalError):
            return  # the program itself fails
        assert seen.slice is not None
        assert_same(run_slice(seen.slice, Path(folder)), seen.data)
