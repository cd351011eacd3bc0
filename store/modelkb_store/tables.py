"""Reading tables: whole, or what belongs to one experiment or one shared entity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from modelkb_store.errors import CorruptFileError
from modelkb_store.layout import Layout
from modelkb_store.project_names import normalized
from modelkb_store.schemas import PARTITIONING, SCHEMAS
from modelkb_store.table_file import read_table_file

_IN_PARTS = ("metrics", "batch_metrics", "epochs", "resources", "predictions")


class Tables:
    """The tables of one store, as Arrow tables."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def read(
        self, table: str, project: str | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Read a table of all projects, or of one.

        Args:
            table: A key of :data:`modelkb_store.schemas.SCHEMAS`.
            project: Only this project's rows.
            columns: Only these columns; ``project`` may be among them. All by default,
                ``project`` first.

        Raises:
            CorruptFileError: A file of the table cannot be read.
        """
        # Inside: it takes a quarter of a second and brings pandas, which no training needs.
        import pyarrow.dataset as ds

        schema = _with_project(SCHEMAS[table])
        names = list(columns or schema.names)
        files = self._layout.table_files(table)
        if not files:
            return schema.empty_table().select(names)
        dataset = ds.dataset(
            [str(file) for file in files],
            schema=schema,
            format=ds.ParquetFileFormat(
                default_fragment_scan_options=ds.ParquetFragmentScanOptions(
                    page_checksum_verification=True
                )
            ),
            partitioning=ds.partitioning(PARTITIONING, flavor="hive"),
            partition_base_dir=str(self._layout.table_folder(table)),
        )
        chosen = None if project is None else ds.field("project") == normalized(project)
        try:
            rows = dataset.to_table(columns=names, filter=chosen)
            rows.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise _find_corrupt_file(table, dataset.files, error) from error
        return rows

    def of_experiment(self, table: str, project: str, experiment_id: str) -> pa.Table:
        """Read the rows of one experiment; none if nothing was recorded of it there."""
        if table in _IN_PARTS:
            paths = self._layout.part_files(table, project, experiment_id)
        else:
            path = self._layout.table_file(table, project, experiment_id)
            paths = [path] if path.exists() else []
        parts = [read_table_file(path, table) for path in paths]
        return pa.concat_tables(parts) if parts else SCHEMAS[table].empty_table()

    def of_entity(self, table: str, project: str, entity_id: str | None) -> pa.Table:
        """Read the rows of a shared entity, such as an environment; none without an id."""
        if entity_id is None:
            return SCHEMAS[table].empty_table()
        path = self._layout.table_file(table, project, entity_id)
        return read_table_file(path, table) if path.exists() else SCHEMAS[table].empty_table()


def _with_project(schema: pa.Schema) -> pa.Schema:
    return schema.insert(0, PARTITIONING.field("project"))


def _find_corrupt_file(table: str, files: Sequence[str], error: Exception) -> CorruptFileError:
    """Arrow does not always say which file it stumbled over."""
    for file in files:
        try:
            read_table_file(Path(file), table)
        except CorruptFileError as corrupt:
            return corrupt
    return CorruptFileError(Path(files[0]).parent.parent, error)
