from __future__ import annotations

from collections.abc import Callable

from modelkb_store.codegen.script.model_source import model_source
from modelkb_store.codegen.script.own_definitions import parse_definitions
from modelkb_store.codegen.script.recorded import Recorded, Setting

DEFINITIONS = """
class Vae(keras.Model):
    def __init__(self, encoder, beta=1.0):
        super().__init__()
        self.encoder, self.beta = encoder, beta
"""


def test_a_model_that_was_passed_to_a_model_must_be_put_in(
    recorded_factory: Callable[..., Recorded],
) -> None:
    settings = {
        "model.encoder": Setting("Functional", "model"),
        "model.beta": Setting(0.5, "model"),
    }
    recorded = recorded_factory(
        settings=settings, model_config=None, implementation={"model_class": "vae.Vae"}
    )

    code = model_source(recorded, parse_definitions(DEFINITIONS))

    assert code.functions == ("def build_model():\n    return Vae(encoder=None, beta=0.5)",)
    assert code.problems == ("model: encoder of Vae, which must be put in",)
