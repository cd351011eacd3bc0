"""The tools that experiments can go to, by the names they have on the command line."""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from modelkb_store import Experiment
from modelkb_viewer.exchange.exporting.exported import Exported

# Name to module, which is imported only when it is used. To add one, write a module with a
# function `export` as below.
EXPORTERS = {
    "keras": "keras_file",
    "mlflow": "mlflow_run",
    "onnx": "onnx_file",
    "savedmodel": "saved_model",
    "tensorboard": "tensorboard_log",
    "wandb-offline": "wandb_run",
}
# These hold one model; the others hold as many experiments as one likes.
OF_ONE_MODEL = ("keras", "onnx", "savedmodel")
WITHOUT_WEIGHTS = ("tensorboard", "wandb-offline")


class Exporter(Protocol):
    """The function ``export`` of a module."""

    def __call__(
        self, experiment: Experiment, place: str, checkpoint: str | int | None
    ) -> Exported:
        """Write an experiment.

        Args:
            experiment: The experiment.
            place: The file or folder to write; of MLflow the address of a server, too.
            checkpoint: Whose weights, as for :meth:`Experiment.save_weights`.

        Raises:
            MissingPackageError: The tool's own library is not installed.
            ArtifactNotFoundError: The experiment has no model or no such checkpoint.
            ExportTargetError: It is there already.
            ExportError: The library could not write it.
        """
        ...


def exporter(name: str) -> Exporter:
    """Return the function that exports to a tool.

    Args:
        name: One of ``EXPORTERS``.
    """
    module = importlib.import_module(f"{__package__}.{EXPORTERS[name]}")
    return cast(Exporter, module.export)
