"""The target `torch`: a module with the model as a class, made of those of PyTorch."""

from __future__ import annotations

from modelkb_store.codegen.description import ModelDescription
from modelkb_store.codegen.formatting import format_python
from modelkb_store.codegen.keras.target import docstring
from modelkb_store.codegen.network.network import Layer
from modelkb_store.codegen.network.parsing import parse_model
from modelkb_store.codegen.templates import render
from modelkb_store.codegen.torch.draft import Shared
from modelkb_store.codegen.torch.pieces import TEMPLATES, piece_names, pieces
from modelkb_store.codegen.torch.writing import IMPORTED, ModelWriter
from modelkb_store.errors import CodeGenerationError


def write_module(description: ModelDescription) -> str:
    """Return a Python module with the model as a class of PyTorch.

    The class takes what the Keras model takes, with the channels last, and gives the same. Its
    module has ``load_keras_weights(model, path)``, too.

    Args:
        description: The model.

    Raises:
        CodeGenerationError: PyTorch has no counterpart of a layer; says of which.

    Example:
        >>> print(write_module(read_description("model.keras")))
    """
    model = parse_model(description.model_config)
    if isinstance(model, Layer):
        raise CodeGenerationError(
            f"model {model.name!r}",
            f"{model.class_name!r} is a class of your own",
            "write code for Keras, or make it of keras.Model(inputs, outputs)",
        )
    shared = Shared(taken={*piece_names(), *IMPORTED, "load_keras_weights"})
    name = ModelWriter(shared).class_of(model, description.model_config["config"], [])
    text = render(
        TEMPLATES,
        "module.py.j2",
        header=_header(description, name, shared),
        pieces=pieces(shared.pieces),
        classes=shared.classes,
        name=name,
    )
    return format_python(text, sort_out_imports=True)


def _header(description: ModelDescription, name: str, shared: Shared) -> str:
    """Return the docstring of the module."""
    version = f", of Keras {description.keras_version}" if description.keras_version else ""
    lines = [
        f"The model of {description.origin}{version}, for PyTorch, written by ModelKB.",
        "",
        f"    model = {name}()",
        '    load_keras_weights(model, "model.weights.h5")',
        "    model.eval()",
        "",
        "It takes and gives tensors as the Keras model does: channels last. Inside, channels are",
        "moved to the second place where a layer of PyTorch needs them there, and back where axes",
        "count. Several inputs are several arguments; a dictionary stays one.",
    ]
    if shared.problems:
        lines += ["", "Not exactly the same:"]
        lines += [f"- {problem}" for problem in dict.fromkeys(shared.problems)]
    return docstring("\n".join(lines))
