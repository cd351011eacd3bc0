"""Everything that is recorded of an experiment, by entity, and its files to download."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from modelkb_store import Experiment
from modelkb_viewer.components.code import show_code
from modelkb_viewer.components.column_settings import time_column
from modelkb_viewer.components.part import part
from modelkb_viewer.components.plain_text import plain
from modelkb_viewer.components.table import show_table
from modelkb_viewer.content.recorded_facts import CODE, FactGroup, size_text

_CONSOLE = "console"
_MOST_CONSOLE_BYTES = 200_000
# Drawn elsewhere on the page, or below in a form of their own.
_ELSEWHERE = {
    *("Metrics", "Evaluations", "Training data", "Validation data"),
    *("Artifacts", "Checkpoints", "Predictions", *CODE.values()),
}


def show(experiment: Experiment, groups: Sequence[FactGroup]) -> None:
    """Draw a part that opens for each entity."""
    st.subheader("All that is recorded", anchor=False)
    for group in groups:
        if group.title not in _ELSEWHERE:
            with st.expander(f"{plain(group.title)} ({len(group.facts):,})"):
                show_table(group.facts, group.title, key=f"facts-{group.title}")
    with part("Code"):
        _show_code(experiment)
    with part("Checkpoints"):
        _show_checkpoints(experiment)
    with part("Files"):
        _show_files(experiment)
    with part("Predictions"):
        _show_predictions(experiment)


def _show_code(experiment: Experiment) -> None:
    implementation = experiment.implementation()
    for column, title in CODE.items():
        text = implementation.get(column)
        if text:
            with st.expander(title):
                if column == "git_difference":
                    st.code(text, "diff", height=400)
                else:
                    show_code(text)


def _show_checkpoints(experiment: Experiment) -> None:
    checkpoints = experiment.checkpoints()
    if checkpoints.empty:
        return
    with st.expander(f"Checkpoints ({len(checkpoints):,})"):
        shown = checkpoints.assign(size=[size_text(size) for size in checkpoints["size_bytes"]])
        show_table(
            shown.drop(columns="size_bytes"),
            "Checkpoints",
            key="checkpoints",
            column_config={
                "kind": "Kind",
                "epoch": "Epoch",
                "metric": "Metric",
                "value": "Value",
                "size": "Size",
                "created_at": time_column("Created"),
            },
            placeholder="",
        )
        _offer_weights(experiment, checkpoints)


def _offer_weights(experiment: Experiment, checkpoints: pd.DataFrame) -> None:
    names: dict[str, str | int] = {}
    for kind, epoch in zip(checkpoints["kind"], checkpoints["epoch"], strict=True):
        if kind == "epoch":
            names[f"epoch {int(epoch)}"] = int(epoch)
        else:
            names[kind] = kind
    chosen = str(st.selectbox("Checkpoint to download", list(reversed(names)), key="weights-of"))
    with st.container(horizontal=True):
        for label, suffix in (("Weights", ".weights.h5"), ("Model with weights", ".keras")):
            st.download_button(
                label,
                partial(_saved, experiment, names[chosen], suffix),
                f"{experiment.id}{suffix}",
                key=f"download{suffix}",
                icon=":material/download:",
                on_click="ignore",
            )


def _saved(experiment: Experiment, checkpoint: str | int, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="modelkb-") as folder:
        path = Path(folder) / f"model{suffix}"
        save = experiment.save_model if suffix == ".keras" else experiment.save_weights
        save(path, checkpoint)
        return path.read_bytes()


def _show_files(experiment: Experiment) -> None:
    files = experiment.artifacts().to_dict("records")
    if not files:
        return
    with st.expander(f"Artifacts ({len(files):,})"):
        for number, row in enumerate(files):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(f"{row['name']} ({row['kind']}, {size_text(row['size_bytes'])})")
                st.download_button(
                    "Download",
                    partial(experiment.read_artifact, row["sha256"]),
                    Path(row["name"]).name or "file",
                    "application/octet-stream",
                    key=f"artifact-{number}",
                    icon=":material/download:",
                    on_click="ignore",
                )
            if row["kind"] == _CONSOLE:
                with part("The console output"):
                    _show_console(experiment.read_artifact(row["sha256"]))


def _show_console(content: bytes) -> None:
    if len(content) > _MOST_CONSOLE_BYTES:
        st.caption(f"The last {size_text(_MOST_CONSOLE_BYTES)} are shown.")
    st.code(content[-_MOST_CONSOLE_BYTES:].decode("utf-8", "replace"), None, height=400)


def _show_predictions(experiment: Experiment) -> None:
    predictions = experiment.predictions()
    if predictions.empty:
        return
    with st.expander(f"Predictions ({len(predictions):,})"):
        show_table(
            predictions.drop(columns=["prediction_id", "model_id"]).iloc[::-1],
            "Predictions",
            key="predictions",
            whole=lambda: predictions,
            column_config={
                "created_at": time_column("Made"),
                "source": "Source",
                "input_shapes": "Input shapes",
                "sample_count": "Samples",
                "batch_size": "Batch size",
                "duration_seconds": st.column_config.NumberColumn("Seconds", format="%.3g"),
                "output_summary": "Outputs",
            },
        )
