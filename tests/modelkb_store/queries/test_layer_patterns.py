from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import pytest

from modelkb_callbacks.architecture import describe_architecture
from modelkb_store.errors import QueryTypeError, UnknownQueryNameError
from modelkb_store.queries import select_experiments
from parquet_tables import ParquetTables, add_experiment

layers = keras.layers


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> ParquetTables:
    """One run for each of a few models, which are real ones."""
    made = ParquetTables(tmp_path_factory.mktemp("tables"))
    for number, (name, build) in enumerate(MODELS.items()):
        description = describe_architecture(build())
        architecture_id = description.architecture.architecture_id
        add_experiment(made, number, name=name, architecture_id=architecture_id)
        made.write("layers", [dataclasses.asdict(row) for row in description.layers])
    add_experiment(made, 50, name="unbuilt")
    return made


def _sequential() -> Any:
    return keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(32, 3, name="first"),
            layers.BatchNormalization(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ],
        name="plain",
    )


def _residual() -> Any:
    inputs = layers.Input((4,))
    x = layers.Dense(4)(inputs)
    y = layers.Dropout(0.5)(layers.ReLU()(x))
    return keras.Model(inputs, layers.Dense(1, name="last")(layers.Add()([x, y])))


def _nested() -> Any:
    inner_in = layers.Input((4,))
    inner = keras.Model(
        inner_in, layers.Dropout(0.1)(layers.ReLU()(layers.Dense(7)(inner_in))), name="block"
    )
    inputs = layers.Input((4,))
    x = layers.LayerNormalization()(inputs)
    return keras.Model(inputs, layers.Softmax()(inner(x)))


def _nested_twice() -> Any:
    innermost = keras.Sequential([layers.Input((4,)), layers.Dense(4), layers.ELU()])
    middle = keras.Sequential([layers.Input((4,)), innermost])
    return keras.Sequential([layers.Input((4,)), layers.Dropout(0.3), middle, layers.Softmax()])


def _shared() -> Any:
    inputs = layers.Input((4,))
    dense = layers.Dense(4)
    return keras.Model(inputs, dense(layers.ReLU()(dense(inputs))))


def _recurrent() -> Any:
    return keras.Sequential(
        [
            layers.Input((5, 3)),
            layers.Masking(),
            layers.Bidirectional(layers.LSTM(4)),
            layers.Dense(2),
        ]
    )


class _Subclass(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = layers.Dense(2), layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.two(self.one(x))


def _subclass() -> Any:
    model = _Subclass()
    model(keras.ops.zeros((1, 4)))
    return model


MODELS: dict[str, Callable[[], Any]] = {
    "sequential": _sequential,
    "residual": _residual,
    "nested": _nested,
    "nested twice": _nested_twice,
    "shared": _shared,
    "recurrent": _recurrent,
    "subclass": _subclass,
}


def chosen(tables: ParquetTables, where: str) -> list[str]:
    return list(select_experiments(tables, where=where)["name"].to_pylist())


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("has(Conv2D)", ["sequential"]),
        ("has(conv2d)", ["sequential"]),
        ("has(Conv2D -> BatchNormalization -> Conv2D)", ["sequential"]),
        ("has(BatchNormalization -> MaxPooling2D)", []),
        ("has(BatchNormalization ->> MaxPooling2D)", ["sequential"]),
        ("has(BatchNormalization ... MaxPooling2D)", ["sequential"]),
        ("has(MaxPooling2D ->> Conv2D)", []),
        ("has(Conv2D -> * -> Conv2D)", ["sequential"]),
        ("has(Conv2D -> any -> any -> any -> any -> any -> Dense)", []),
        ("has(Conv2D(filters >= 64))", ["sequential"]),
        ("has(Conv2D(filters > 64))", []),
        ("has(Conv2D(filters=64, activation='relu') -> MaxPooling2D)", ["sequential"]),
        ("has(Conv2D(filters=32 or activation='relu') -> MaxPooling2D)", ["sequential"]),
        ("has(Conv2D(filters=32) -> MaxPooling2D)", []),
        ("has(Conv2D(kernel_size = [3, 3]))", ["sequential"]),
        ("has(Conv2D(kernel_initializer.class_name = 'GlorotUniform'))", ["sequential"]),
        ("has(Conv2D(name like 'fir%'))", ["sequential"]),
        ("has(Dense(units = 10, parameter_count > 100))", ["sequential"]),
        ("has(Dense(output_shape = '[null, 10]'))", ["sequential"]),
        ("has(*(trainable = false))", []),
        ("has(Dense(dtype = 'float32') -> ReLU -> Dropout(rate > 0.2))", ["residual"]),
        (
            "has((Conv2D | Dense) -> (BatchNormalization | ReLU))",
            ["sequential", "residual", "nested", "shared"],
        ),
        ("has((Conv2D | Dense)(use_bias = true) -> BatchNormalization)", ["sequential"]),
        ("has((Conv2D(filters=1) | Dense(units=7)))", ["nested"]),
        ("has(Dense -> Add)", ["residual"]),
        ("has(Dense -> Add -> Dense(name='last'))", ["residual"]),
        ("has(LayerNormalization -> Dense(units=7))", ["nested"]),
        ("has(LayerNormalization -> Functional -> Softmax)", ["nested"]),
        ("has(Dropout -> Softmax)", ["nested"]),
        ("has(LayerNormalization -> Softmax)", []),
        ("has(Dropout -> Dense -> ELU -> Softmax)", ["nested twice"]),
        ("has(ReLU -> Dense -> ReLU)", ["shared"]),
        ("has(Dense ->> Dense)", ["residual", "shared"]),
        ("has(Masking -> LSTM -> Dense)", ["recurrent"]),
        ("has(Masking -> Bidirectional -> Dense)", ["recurrent"]),
        ("not has(InputLayer)", ["subclass"]),
        ("count(Dense) = 2", ["residual", "subclass"]),
        ("count(Conv2D(filters > 40)) > 0 or count(*) > 8", ["sequential"]),
        ("count(Dense) > 1 and not has(Add)", ["subclass"]),
        ("not has(Dense)", []),
        ("model.depth = 6", ["sequential"]),
        ("model.depth = 5", ["residual", "nested"]),
        ("model.depth = 4", ["nested twice"]),
        ("model.depth = 3", ["recurrent"]),
        ("model.depth = 2", ["shared"]),
        ("model.depth is null", ["subclass", "unbuilt"]),
        ("count(*) is null", ["unbuilt"]),
    ],
)
def test_structure(tables: ParquetTables, where: str, expected: list[str]) -> None:
    assert chosen(tables, where) == expected


def test_order_by_structure(tables: ParquetTables) -> None:
    read = select_experiments(tables, order_by="-model.depth, count(Dense)", limit=3)

    assert read["name"].to_pylist() == ["sequential", "nested", "residual"]


def test_unknown_keys_and_what_layers_have_not(tables: ParquetTables) -> None:
    with pytest.raises(UnknownQueryNameError, match="Did you mean filters"):
        chosen(tables, "has(Conv2D(filter > 3))")
    with pytest.raises(QueryTypeError, match="a number with a text"):
        chosen(tables, "has(Conv2D(filters = 'many'))")
    for inner in ("has(Dense)", "same_data('x')", "count(Dense) > 1"):
        with pytest.raises(QueryTypeError, match="no such property"):
            chosen(tables, f"has(Conv2D({inner}))")
    # Nothing is known of the keys of layers that nobody has.
    assert chosen(tables, "has(GRU(units > 3))") == []


def test_a_project_has_its_own_architectures(tmp_path: Path) -> None:
    made = ParquetTables(tmp_path)
    rows = _rows([("a", "Dense", ()), ("b", "Dense", ("a",))])
    for number, project in enumerate(("one", "two")):
        add_experiment(made, number, project=project, architecture_id="x")
        made.write("layers", rows, project)

    read = select_experiments(made, where="count(Dense) = 2 and model.depth = 2")

    assert read["project"].to_pylist() == ["one", "two"]
    assert select_experiments(made, "two", "has(Dense -> Dense)").num_rows == 1


def test_a_circle_of_models_ends(tmp_path: Path) -> None:
    made = ParquetTables(tmp_path)
    add_experiment(made, 1, architecture_id="x")
    rows = [("in", "InputLayer", ()), ("m", "Functional", ("in", "m")), ("m/in", "InputLayer", ())]
    made.write("layers", _rows(rows, config=None))

    assert select_experiments(made, where="has(Functional -> Functional)").num_rows == 1
    assert select_experiments(made, where="model.depth = 1").num_rows == 1


def _rows(
    described: Sequence[tuple[str, str, tuple[str, ...]]], config: str | None = json.dumps({})
) -> list[dict[str, Any]]:
    return [
        {
            "architecture_id": "x",
            "position": position,
            "path": path,
            "name": path.rpartition("/")[2],
            "class_name": class_name,
            "inbound": list(inbound),
            "config": config,
        }
        for position, (path, class_name, inbound) in enumerate(described)
    ]
