"""The target `keras`: a module with a function `build_model()`."""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

from modelkb_store.codegen.description import ModelDescription
from modelkb_store.codegen.formatting import format_python
from modelkb_store.codegen.keras import api
from modelkb_store.codegen.keras.model_code import ModelCode, model_code
from modelkb_store.codegen.templates import render

_TEMPLATES = Path(__file__).parent / "templates"
_IMPORTS = {
    "keras": "import keras",
    "np": "import numpy as np",
    "layers": "from keras import layers",
    "ops": "from keras import ops",
}


def write_module(description: ModelDescription, *, applications: bool = False) -> str:
    """Return a Python module whose ``build_model()`` returns the model, new and untrained.

    Args:
        description: The model.
        applications: Whether models of ``keras.applications`` are written as the one call that
            makes them, where they are exactly that.

    Raises:
        CodeGenerationError: A layer cannot be written; says which, and what to do.

    Example:
        >>> print(write_module(read_description("model.keras")))
    """
    definitions = description.definitions or ""
    code = model_code(
        description.model_config, definitions=defined_names(definitions), applications=applications
    )
    text = render(
        _TEMPLATES,
        "module.py.j2",
        header=_header(description, code),
        imports=import_lines(code.names_used),
        settings=_settings(code),
        definitions=definitions.strip(),
        functions=code.functions,
    )
    return format_python(text, sort_out_imports=True)


def import_lines(names: Collection[str]) -> list[str]:
    """Return the imports of the names that generated code uses."""
    private = [line for name in sorted(names) if (line := api.import_line(name)) is not None]
    return [*(line for name, line in _IMPORTS.items() if name in names), *private]


def defined_names(text: str) -> frozenset[str]:
    """Return the names of the classes and functions that a text defines."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(each.name for each in ast.parse(text).body if isinstance(each, kinds))


def _settings(code: ModelCode) -> list[str]:
    if code.dtype_policy == "float32":
        return []
    return [f"keras.config.set_dtype_policy({code.dtype_policy!r})"]


def _header(description: ModelDescription, code: ModelCode) -> str:
    """Return the docstring of the module."""
    version = f", of Keras {description.keras_version}" if description.keras_version else ""
    lines = [f"The model of {description.origin}{version}, written by ModelKB."]
    if code.problems:
        lines += ["", "Not exactly the same:", *(f"- {problem}" for problem in code.problems)]
    # As an expression: whatever stands in it, it stays a string.
    return docstring("\n".join(lines))


def docstring(text: str) -> str:
    """Return a text as a docstring, on its lines where that is safe."""
    plain = "\n".join(line.rstrip() for line in text.splitlines())
    safe = plain.isprintable() or all(line.isprintable() for line in plain.split("\n"))
    if safe and '"' not in plain[-1:] and '"""' not in plain and "\\" not in plain:
        end = "\n" if "\n" in plain else ""
        return f'"""{plain}{end}"""'
    return repr(plain)
