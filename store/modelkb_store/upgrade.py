"""Making a store of an earlier format one of this."""

from __future__ import annotations

import contextlib
import json
from pathlib import PurePosixPath

from modelkb_store._version import FORMAT_VERSION
from modelkb_store.errors import InvalidNameError, ModelKBError
from modelkb_store.files.files import Files
from modelkb_store.layout import check_store, table_file, table_folder, write_format
from modelkb_store.schemas import SCHEMAS
from modelkb_store.summaries import summarize
from modelkb_store.table_file import encode_rows, rows_of_records
from modelkb_store.tables import Tables

# A name that no log ever has.
_STEM = "from-version-1"


def upgrade(files: Files) -> None:
    """Make a store of version 1 one of this version; all that is in it stays readable.

    What is derived comes first and the version last, so that it can be broken off and done
    again, by several processes at once, too.

    Raises:
        OSError: The store cannot be written.
        CorruptFileError: A file of curves is damaged; without it the rest could be upgraded.
    """
    tables = Tables(files)
    for project in tables.read("projects", columns=["project"])["project"].to_pylist():
        if not files.list(table_folder("metric_summaries", project)):
            metrics = tables.read("metrics", project, SCHEMAS["metrics"].names)
            content = encode_rows("metric_summaries", summarize(metrics))
            # Unless another process has done so, and runs came to it since.
            files.create(table_file("metric_summaries", project, _STEM), content.to_pybytes())
    _upgrade_trained_weights(files)
    write_format(files)


def upgrade_if_possible(files: Files) -> None:
    """Make a store one of this version if it can be written; else it is read as it is."""
    if check_store(files) < FORMAT_VERSION:
        with contextlib.suppress(OSError, ModelKBError):
            upgrade(files)


def _upgrade_trained_weights(files: Files) -> None:
    """Make rows of the notes that said which experiment some weights came out of."""
    # Inside: stores are opened often, and seldom upgraded.
    from modelkb_store.records import TrainedWeightsRecord

    for info in files.list("objects/trained"):
        weights_id = PurePosixPath(info.path).stem
        # A note that is damaged could not be read before either.
        with contextlib.suppress(ValueError, KeyError, TypeError, InvalidNameError):
            note = json.loads(files.read(info.path))
            record = TrainedWeightsRecord(weights_id, str(note["experiment_id"]))
            rows = rows_of_records("trained_weights", [record])
            path = table_file("trained_weights", str(note["project"]), weights_id)
            files.write(path, memoryview(encode_rows("trained_weights", rows)))
