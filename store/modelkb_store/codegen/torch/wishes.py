"""What values would like to be called that are needed later than in the next statement."""

from __future__ import annotations

from modelkb_store.codegen.network.network import Network
from modelkb_store.codegen.network.ordering import steps

_BY_USER = {"Add": "residual", "Concatenate": "skip", "Multiply": "scale"}


def wishes_of(network: Network) -> dict[tuple[str, int], str]:
    """Return names for what calls give, by the class of what uses it last.

    Args:
        network: A functional network.
    """
    wishes = {}
    for step in steps(network):
        if step.call is not None:
            for ref in step.layer.calls[step.call].tensors():
                wishes[ref.layer, ref.call] = _BY_USER.get(step.layer.class_name, ref.layer)
    return wishes
