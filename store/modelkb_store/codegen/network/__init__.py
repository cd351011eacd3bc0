"""A model's configuration as a graph, whatever code is to be written of it."""

from modelkb_store.codegen.network.network import Call, Layer, Network, TensorRef
from modelkb_store.codegen.network.parsing import parse_model

__all__ = ["Call", "Layer", "Network", "TensorRef", "parse_model"]
