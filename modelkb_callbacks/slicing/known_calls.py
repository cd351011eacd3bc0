"""What is known of calls into libraries: which change what they are given, draw or seed."""

from __future__ import annotations

import ast
import re

from modelkb_callbacks.slicing.known_methods import FRESH, PURE_METHODS, SAFE_FOR_ARGUMENTS

RANDOM_GENERATORS = ("python", "numpy", "tensorflow", "torch", "keras")

_SEEDS = {
    "random.seed": ("python",),
    "numpy.random.seed": ("numpy",),
    "numpy.random.set_state": ("numpy",),
    "random.setstate": ("python",),
    "tensorflow.random.set_seed": ("tensorflow",),
    "tensorflow.set_random_seed": ("tensorflow",),
    "tensorflow.compat.v1.set_random_seed": ("tensorflow",),
    "torch.manual_seed": ("torch",),
    "torch.random.manual_seed": ("torch",),
    "torch.cuda.manual_seed_all": ("torch",),
}
_SEEDS_ALL = ("set_random_seed", "seed_everything")
# Settings of a whole process that data can depend on.
_CONFIGURES = frozenset(
    {
        "enable_op_determinism", "set_floatx", "set_image_data_format", "set_backend", "chdir",
        "set_default_dtype", "enable_eager_execution", "enable_v2_behavior",
        "run_functions_eagerly", "enable_numpy_behavior", "experimental_enable_numpy_behavior",
        "disable_eager_execution",
        "set_dtype_policy", "set_global_policy",
    }
)  # fmt: skip
_NUMPY_RANDOM = re.compile(
    r"numpy\.random\.(?!default_rng|RandomState|Generator|SeedSequence|MT|PC)"
)
_PYTHON_RANDOM = re.compile(r"random\.(?!Random|SystemRandom|get)\w+$")
_TENSOR_RANDOM = re.compile(r"tensorflow\.(compat\.v1\.)?random\.(?!stateless|Generator|get_)")
_TORCH_RANDOM = re.compile(r"torch\.(rand|randn|randint|randperm|normal|bernoulli|multinomial)\b")
_KERAS_RANDOM = re.compile(r"(tensorflow\.)?keras\.(random\.(?!SeedGen)|utils\.split_dataset)")
# Names of functions that draw from NumPy's global generator unless they are given a seed.
_DRAWS_UNLESS_SEEDED = frozenset(
    {
        "train_test_split", "shuffle", "resample", "make_classification", "make_regression",
        "make_blobs", "make_moons", "make_circles", "make_s_curve", "make_swiss_roll",
        "make_multilabel_classification", "fetch_20newsgroups", "image_dataset_from_directory",
        "text_dataset_from_directory", "audio_dataset_from_directory", "KFold", "StratifiedKFold",
        "ShuffleSplit", "StratifiedShuffleSplit", "sample", "SMOTE", "RandomOverSampler",
        "RandomUnderSampler", "fit_resample", "flow", "flow_from_directory",
        "flow_from_dataframe", "fetch_olivetti_faces",
    }
)  # fmt: skip
_SEED_ARGUMENTS = frozenset({"seed", "random_state"})

_MODEL = re.compile(
    r"(tensorflow\.(python\.)?|tf_)?keras\.(src\.)?"
    r"(layers|models|Sequential|Model|Input|optimizers|callbacks|losses|metrics|applications"
    r"|regularizers|initializers|constraints|engine|legacy)\b"
    r"|keras_(cv|nlp|hub)\.models|tensorflow_hub\.KerasLayer|transformers\.TF\w+"
)
# Tools of `keras.applications` and layers that are used on data, not to build a model.
_DATA_OF_MODEL = re.compile(r"(preprocess_input|decode_predictions)$")
_HARMLESS = re.compile(
    r"(matplotlib|pylab|seaborn|plotly|bokeh|altair|logging|absl\.logging|loguru|wandb|mlflow"
    r"|neptune|comet_ml|warnings|tqdm|IPython|time|datetime|gc|rich|pprint|traceback|tracemalloc|psutil"
    r"|modelkb_callbacks|pydot|graphviz|sklearn\.metrics|tensorboard|atexit|signal|faulthandler"
    r"|tensorflow\.(print|summary|get_logger|autograph|debugging|config|saved_model|profiler)"
    r"|(tensorflow\.)?keras\.(utils\.plot_model|backend\.clear_session|utils\.clear_session))\b"
)
_HARMLESS_BUILTINS = frozenset(
    {
        "print", "display", "len", "repr", "str", "int", "float", "bool", "type", "isinstance",
        "id", "hash", "help", "dir", "vars", "input", "breakpoint", "exit", "quit", "callable",
        "format", "hasattr", "getattr", "issubclass", "super", "abs", "round", "range", "min",
        "max",
        "sum",
        "any", "all", "sorted", "globals", "locals",
    }
)  # fmt: skip
_CHANGING_BUILTINS = frozenset({"next", "setattr", "delattr", "anext"})
# Builtins that give out what they are given, so that a change of the result reaches it.
_PASSING_BUILTINS = frozenset(
    {
        "iter", "list", "tuple", "zip", "enumerate", "reversed", "map", "filter", "sorted", "dict",
        "set", "getattr", "next", "vars", "min", "max", "memoryview",
    }
)  # fmt: skip

_FILE_READERS = re.compile(
    r"(^|\.)(open|load|loadtxt|genfromtxt|fromfile|read\w*|imread|load_img|listdir|i?glob|rglob|walk"
    r"|scandir|iterdir|\w*_from_directory|flow_from_dataframe|list_files|TFRecordDataset"
    r"|TextLineDataset|FixedLengthRecordDataset|CsvDataset|make_csv_dataset|File|ZipFile|exists"
    r"|is_file|is_dir|load_dataset|load_from_disk|loadmat|ImageFolder|connect|memmap|parse_cmdline)$"
)
_FILE_WRITERS = re.compile(
    r"(^|\.)(urlretrieve|extractall|extract|unpack_archive|copytree|copyfile|copy2?|move|rename"
    r"|system|run|check_call|check_output|call|Popen|savez|savez_compressed|save|savetxt|tofile"
    r"|to_csv|to_parquet|to_pickle|to_hdf|to_json|dump|makedirs|mkdir|write|writelines|writerows?"
    r"|write_text|write_bytes|get_file|rmtree|unlink|remove|download\w*|symlink|imwrite|imsave"
    r"|snapshot_download|dataset_download_files|create_dataset|save_to_disk|gdown)$"
)


def seeded(dotted: str) -> tuple[str, ...]:
    """Return the global random generators that a function sets."""
    if dotted.rpartition(".")[2] in _SEEDS_ALL and dotted not in _SEEDS:
        return RANDOM_GENERATORS
    return _SEEDS.get(dotted, ())


def drawn(dotted: str, name: str, call: ast.Call) -> tuple[str, ...]:
    """Return the global random generators that a call draws from, as far as is known."""
    given = {each.arg for each in call.keywords}
    if dotted:
        if _NUMPY_RANDOM.match(dotted):
            return ("numpy",)
        if _PYTHON_RANDOM.match(dotted) and dotted.count(".") == 1:
            return ("python",)
        if _TENSOR_RANDOM.match(dotted):
            return ("tensorflow",)
        if _TORCH_RANDOM.match(dotted):
            return ("torch",)
        if _KERAS_RANDOM.match(dotted) and not given & _SEED_ARGUMENTS:
            return ("keras", "python")
    if name in _DRAWS_UNLESS_SEEDED and not given & _SEED_ARGUMENTS:
        is_method = not dotted and isinstance(call.func, ast.Attribute)
        return ("tensorflow",) if name == "shuffle" and is_method else ("numpy",)
    return ()


def configures(dotted: str) -> bool:
    """Return whether a function changes a setting of the process that data can depend on."""
    return dotted.rpartition(".")[2] in _CONFIGURES


def builds_model(dotted: str) -> bool:
    """Return whether a function makes a part of a model."""
    return bool(_MODEL.match(dotted)) and not _DATA_OF_MODEL.search(dotted)


def is_harmless(dotted: str) -> bool:
    """Return whether a library's function changes nothing that data could depend on."""
    return bool(_HARMLESS.match(dotted))


def builtin_is_harmless(name: str) -> bool:
    """Return whether a built-in function changes none of its arguments."""
    return name in _HARMLESS_BUILTINS


def builtin_changes(name: str) -> bool:
    """Return whether a built-in function changes its first argument."""
    return name in _CHANGING_BUILTINS


def passes_on(name: str) -> bool:
    """Return whether a built-in function's result shares memory with its arguments."""
    return name in _PASSING_BUILTINS


def is_fresh(name: str) -> bool:
    """Return whether a function or method of this name gives out memory of its own."""
    return name in FRESH


def leaves_arguments(method: str) -> bool:
    """Return whether a method changes none of its arguments."""
    return method in SAFE_FOR_ARGUMENTS or method in PURE_METHODS


def reads_files(name: str) -> bool:
    """Return whether a function reads from the file system."""
    return bool(_FILE_READERS.search(name))


def writes_files(name: str) -> bool:
    """Return whether a function may write what is read later."""
    return bool(_FILE_WRITERS.search(name))


def reads_command_line(dotted: str, name: str) -> bool:
    """Return whether a call or name takes a value from the command line."""
    return (
        dotted in ("sys.argv", "absl.app.run", "fire.Fire")
        or name in ("parse_args", "parse_known_args", "parse_args_into_dataclasses")
        or dotted.startswith(("absl.flags.", "click.", "typer.", "docopt."))
    )


def reads_environment(dotted: str) -> bool:
    """Return whether a call or name takes a value from the environment."""
    return dotted.startswith(("os.environ", "os.getenv", "environs.", "decouple."))
