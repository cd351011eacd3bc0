from __future__ import annotations

import contextlib
import io
from pathlib import Path

import keras

from modelkb_callbacks import ModelKB
from modelkb_store import Store
from trainings import Data, Fit, compiled, sequential


def test_a_short_run_has_its_first_and_last_sample(fit: Fit, data: Data) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes, epochs=1)

    samples = fitted.experiment.table("resources").to_pylist()
    assert len(samples) >= 2
    assert all(sample["memory_bytes"] > 1 << 20 for sample in samples)
    assert samples[-1]["cpu_percent"] > 0


def test_what_is_printed_is_kept_on_request(data: Data, store: Path) -> None:
    recorder = ModelKB(store=store, console=True, strict=True)
    tell = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: print(f"epoch {epoch} done, token=Zq3-x81kPw9TT_a04")
    )
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        compiled(sequential()).fit(
            data.x, data.classes, epochs=2, verbose=0, callbacks=[recorder, tell]
        )

    assert "token=Zq3-x81kPw9TT_a04" in shown.getvalue()
    experiment = Store(store).experiment(str(recorder.experiment_id))
    artifact = experiment.artifacts().set_index("kind").loc["console"]
    text = (store / artifact["path"]).read_text()
    assert "epoch 1 done" in text
    assert "Zq3-x81kPw9TT_a04" not in text
    assert artifact["name"] == "console.txt"


def test_nothing_printed_is_kept_unasked(fit: Fit, data: Data) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes, epochs=1)

    assert list(fitted.experiment.artifacts()["kind"]) == []
