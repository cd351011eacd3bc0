"""Code from metadata: the model of a file, or the whole script of an experiment."""

from modelkb_store.codegen.description import ModelDescription, read_description
from modelkb_store.codegen.target import Target, generate_code, target_names

__all__ = [
    "ModelDescription",
    "Target",
    "generate_code",
    "read_description",
    "target_names",
]
