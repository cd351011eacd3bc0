"""Calls that load data."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning.canonical_names import last_part
from modelkb_callbacks.scanning.findings import Event, LoadEvent
from modelkb_callbacks.scanning.joining import options_of
from modelkb_callbacks.scanning.origins import CHANGED, DATASET, ONE_HOT, DataPart
from modelkb_callbacks.scanning.values import (
    Argument,
    Arguments,
    Choice,
    Constant,
    External,
    Items,
    Made,
    Opaque,
    Value,
    origins_of,
    tuple_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine


@dataclass(frozen=True, slots=True)
class Loader:
    """How a loading function is called.

    Attributes:
        name: Its canonical name.
        source: Names of the argument with the path or address; the first one by position.
        position: That position.
        named: Names of the argument with the dataset's name; the first one by position 0.
        needs_use: Whether it also reads what is no data: it counts only if a training uses it.
    """

    name: str
    source: tuple[str, ...] = ()
    position: int = 0
    named: tuple[str, ...] = ()
    needs_use: bool = False


_KERAS_DIRECTORIES = (
    "audio_dataset_from_directory",
    "image_dataset_from_directory",
    "text_dataset_from_directory",
)
_TF_READERS = {
    "CsvDataset": "filenames",
    "FixedLengthRecordDataset": "filenames",
    "SqlDataset": "data_source_name",
    "TFRecordDataset": "filenames",
    "TextLineDataset": "filenames",
    "list_files": "file_pattern",
    "make_csv_dataset": "file_pattern",
    "load": "path",
}
_NUMPY = {"load": "file", "loadtxt": "fname", "genfromtxt": "fname", "fromfile": "file"}
_OTHERS = {
    loader.name: loader
    for loader in (
        Loader("h5py.File", ("name",)),
        Loader("scipy.io.loadmat", ("file_name",)),
        Loader("datasets.load_dataset", (), 0, ("path",)),
        Loader("datasets.load_from_disk", ("dataset_path",)),
        Loader("tfds.load", (), 0, ("name",)),
        Loader("tfds.builder", (), 0, ("name",)),
        Loader("pickle.load", ("file",), needs_use=True),
        Loader("joblib.load", ("filename",), needs_use=True),
        Loader("json.load", ("fp",), needs_use=True),
        Loader("open", ("file",), needs_use=True),
        Loader("cv2.imread", ("filename",), needs_use=True),
        Loader("PIL.Image.open", ("fp",), needs_use=True),
        Loader("librosa.load", ("path",), needs_use=True),
    )
}
_OPENS = {
    "builtins.open",
    "io.open",
    "codecs.open",
    "gzip.open",
    "bz2.open",
    "tensorflow.io.gfile.GFile",
    "tensorflow.gfile.GFile",
    "tensorflow.gfile.Open",
}
_PANDAS_SOURCES = ("filepath_or_buffer", "io", "path_or_buf", "path")
_DATA = "loaded data"
_FLOWS = {"flow_from_directory": "directory", "flow_from_dataframe": "dataframe"}


def loader_of(name: str) -> Loader | None:
    """Return how data is loaded by a function, None if it loads none."""
    if name in _OTHERS:
        return _OTHERS[name]
    if name in _OPENS:
        return _OTHERS["open"]
    root, _, _ = name.partition(".")
    last = last_part(name)
    if root == "keras":
        return _of_keras(name, last)
    if name.startswith(("tensorflow.data.", "tensorflow.contrib.data.")):
        source = _TF_READERS.get(last)
        return Loader(f"tf.data.{last}", (source, "filename")) if source else None
    if root == "numpy" and last in _NUMPY and name.count(".") == 1:
        return Loader(name, (_NUMPY[last],))
    if root == "pandas" and last.startswith("read_"):
        return Loader(name, _PANDAS_SOURCES)
    if name.startswith("sklearn.datasets.") and last.startswith(("load_", "fetch_", "make_")):
        return Loader(f"sklearn.datasets.{last}")
    if last == "read_data_sets" and "mnist" in name:
        return Loader(name, ("train_dir",))
    return None


def _of_keras(name: str, last: str) -> Loader | None:
    if name.startswith("keras.datasets.") and last == "load_data":
        return Loader(name)
    if last == "get_file":
        return Loader("keras.utils.get_file", ("origin",), 1, ("fname",))
    if last in _KERAS_DIRECTORIES:
        return Loader(f"keras.utils.{last}", ("directory",))
    return None


def load(
    machine: Machine, loader: Loader, called: str, arguments: Arguments, node: ast.expr
) -> Value:
    """Follow a call that loads data."""
    assert isinstance(node, ast.Call)
    argument = arguments.find(*loader.source, position=loader.position) if loader.source else None
    if not _reads(loader, arguments):
        return Opaque("a file", arguments.origins())
    if argument is not None:
        argument = _path_of_opened(machine, argument)
    for source, reason in _texts(argument):
        event = LoadEvent(
            node,
            loader.name,
            _name(loader, called, arguments, source),
            source,
            argument.node if argument and source is None else None,
            reason,
            loader.needs_use,
        )
        if not machine.dry:
            machine.findings.loads.append(event)
    if not loader.needs_use:
        machine.findings.sinks.add(node)
    return _loaded(loader, arguments, node)


def _path_of_opened(machine: Machine, argument: Argument) -> Argument:
    """Return the path of a file that was opened before: its reader is named instead."""
    value = argument.value
    if not (isinstance(value, Opaque) and value.reason == _DATA):  # or it is what stood in it
        return argument
    lines = {
        origin.line
        for origin in value.origins
        if isinstance(origin, DataPart) and origin.loader == "open"
    }
    loads = machine.findings.loads
    last = loads[-1] if loads else None
    if last is None or last.loader != "open" or last.node.lineno not in lines:
        return argument
    count = next(
        (at for at, each in enumerate(reversed(loads)) if each.node is not last.node), len(loads)
    )
    opened = loads[-count:]
    if not machine.dry:
        del loads[-count:]
    paths = tuple(
        Opaque(each.reason) if each.source is None else Constant(each.source) for each in opened
    )
    return Argument(Choice(paths), last.path_node or argument.node)


def _reads(loader: Loader, arguments: Arguments) -> bool:
    if loader.name not in ("open", "h5py.File"):
        return True
    mode = arguments.value("mode", position=1)
    if isinstance(mode, Constant) and isinstance(mode.value, str):
        return not set(mode.value) & set("wax")
    return True


def _texts(argument: Argument | None) -> list[tuple[str | None, str]]:
    """Return the known texts of an argument, and why others are not known."""
    if argument is None:
        return [(None, "")]
    found: list[tuple[str | None, str]] = []
    options = list(options_of(argument.value))
    for option in options:
        if isinstance(option, Items):
            options += [item.value for item in option.items[:8]]
        elif isinstance(option, Constant) and isinstance(option.value, str):
            found.append((option.value, ""))
        elif isinstance(option, Opaque) and not option.origins:
            found.append((None, option.reason))
    return found or [(None, "")]


def _name(loader: Loader, called: str, arguments: Arguments, source: str | None) -> str | None:
    if loader.named:
        name = arguments.value(*loader.named, position=0)
        return str(name.value) if isinstance(name, Constant) else None
    if loader.name.startswith("keras.datasets."):
        return called.split(".")[-2]
    if loader.name.startswith("sklearn.datasets."):
        given = arguments.value("name", position=0)
        if loader.name.endswith("fetch_openml") and isinstance(given, Constant):
            return str(given.value)
        return last_part(loader.name).partition("_")[2]
    if loader.name.endswith("from_directory"):
        return source
    return "mnist" if loader.name.endswith("read_data_sets") else None


def _loaded(loader: Loader, arguments: Arguments, node: ast.Call) -> Value:
    name, line = loader.name, node.lineno
    if name.startswith("keras.datasets."):
        parts = [
            tuple_of(
                node,
                *(Opaque(_DATA, frozenset({DataPart(name, line, split, role)})) for role in "xy"),
            )
            for split in ("train", "test")
        ]
        return tuple_of(node, *parts)
    split = (
        arguments.value("split", position=1)
        if name in ("tfds.load", "datasets.load_dataset")
        else None
    )
    if isinstance(split, Items) and split.exact:
        return tuple_of(node, *(_part(name, line, item.value) for item in split.items))
    data = _part(name, line, split)
    with_info = arguments.value("with_info")
    if name == "tfds.load" and isinstance(with_info, Constant) and with_info.value:
        return tuple_of(node, data, Opaque("information on a dataset"))
    return data


def _part(name: str, line: int, split: Value | None) -> Opaque:
    text = split.value if isinstance(split, Constant) else None
    is_test = isinstance(text, str) and text.startswith("test")
    part = DataPart(name, line, "test" if is_test else "")
    return Opaque(_DATA, frozenset({part}))


def method_load(
    machine: Machine, owner: Value, name: str, arguments: Arguments, node: ast.Call
) -> Value | None:
    """Follow ``generator.flow_from_directory(...)`` and its like; None for other methods."""
    if name not in _FLOWS:
        return None
    source = (_FLOWS[name],) if name == "flow_from_directory" else ("directory",)
    position = 0 if name == "flow_from_directory" else 1
    loader = Loader(f"keras.preprocessing.image.ImageDataGenerator.{name}", source, position)
    return load(machine, loader, name, arguments, node)


def note_pipeline(
    machine: Machine, owner: Value, name: str, arguments: Arguments, node: ast.Call
) -> None:
    """Note a dataset that is shuffled."""
    is_data = isinstance(owner, (Opaque, Made)) and any(
        isinstance(origin, DataPart) or origin is DATASET for origin in origins_of(owner)
    )
    if name == "shuffle" and is_data and not machine.dry:
        event = Event(node, owner, arguments, machine.shadow > 0)
        machine.findings.shuffles.append(("dataset.shuffle", event))


_SEEDS = {
    "keras.utils.set_random_seed",
    "numpy.random.default_rng",
    "numpy.random.RandomState",
    "numpy.random.seed",
    "random.seed",
    "tensorflow.random.set_random_seed",
    "tensorflow.random.set_seed",
    "tensorflow.set_random_seed",
}
_SHUFFLES = {
    "numpy.random.permutation",
    "numpy.random.shuffle",
    "random.shuffle",
    "sklearn.model_selection.KFold",
    "sklearn.model_selection.ShuffleSplit",
    "sklearn.model_selection.StratifiedKFold",
    "sklearn.model_selection.train_test_split",
    "sklearn.cross_validation.train_test_split",
    "sklearn.utils.shuffle",
}


def note_randomness(machine: Machine, name: str, arguments: Arguments, node: ast.expr) -> None:
    """Note a seed that is set, or data that is shuffled or split."""
    if machine.dry or not isinstance(node, ast.Call):
        return
    if name in _SEEDS or "seed" in last_part(name).lower():
        if arguments.positional or arguments.keywords:
            machine.findings.seeds.append(node.lineno)
    elif name in _SHUFFLES:
        event = Event(node, External(name), arguments, machine.shadow > 0)
        machine.findings.shuffles.append((name, event))


def encoded(name: str, arguments: Arguments) -> Value | None:
    """Follow what turns integer labels into one-hot ones; None for other functions."""
    if last_part(name) in ("to_categorical", "one_hot") and name.startswith(
        ("keras", "tensorflow")
    ):
        return Opaque("one-hot labels", (arguments.origins() - {CHANGED}) | {ONE_HOT})
    return None
