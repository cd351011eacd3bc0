"""Mending what refers to objects that are lost or damaged."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.rows import rewrite_rows
from modelkb_store.errors import ModelKBError
from modelkb_store.files.files import Files
from modelkb_store.layout import pack_file
from modelkb_store.schemas import SCHEMAS
from modelkb_store.tables import Tables
from modelkb_store.upkeep.finding import Finding, Kind
from modelkb_store.upkeep.row_repairs import note_loss, remove_kept, table_and_project
from modelkb_store.upkeep.set_aside import SetAside
from modelkb_store.weights.pack import opened_pack, pack_id, read_variable, write_pack
from modelkb_store.weights.variable import Variable


def mend_object(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    """Set a damaged object aside, and let nothing refer to what is lost."""
    kind = PurePosixPath(finding.path).parts[1]
    if kind == "packs":
        return _mend_pack(files, finding, aside)
    done = []
    if finding.kind is Kind.DAMAGED:
        done.append(f"{finding.path} is moved to {aside.copy(finding.path)}")
    if kind == "architectures":
        done += note_loss(files, finding.ids, "architecture_id")
    else:
        done += _forget_artifact(files, finding, aside)
    files.delete(finding.path)
    return done


def forget_checkpoints(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    """Remove checkpoints that lack variables; their experiments note it."""
    _, project = table_and_project(finding)
    rows = Tables(files).read("variables", project, ["variable_id"])
    known = set(rows["variable_id"].to_pylist())
    remove_kept(
        files,
        aside,
        "checkpoints",
        project,
        lambda row: not known.issuperset(row["variable_ids"] or ()),
        values=finding.ids,
    )
    return note_loss(files, finding.ids, None, "a checkpoint")


def _forget_artifact(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    rows = Tables(files).read("artifacts", columns=["project", "experiment_id", "path"])
    rows = rows.filter(pc.equal(rows["path"], finding.path))
    for project in sorted(pc.unique(rows["project"]).to_pylist()):
        remove_kept(
            files,
            aside,
            "artifacts",
            project,
            lambda row: bool(row["path"] == finding.path),
            values=finding.ids,
        )
    return note_loss(files, finding.ids, None, f"the file {finding.path}")


def _mend_pack(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    """Put the variables of a pack that can be had anywhere into a new one.

    Rows of the others are removed, and their checkpoints then lack them.
    """
    lost_pack = finding.path
    rows = Tables(files).read("variables")
    rows = rows.filter(pc.equal(rows["pack_path"], lost_pack))
    wanted = set(rows["variable_id"].to_pylist())
    place = aside.copy(lost_pack) if files.exists(lost_pack) else None
    found: dict[str, pa.Table] = {}
    with tempfile.TemporaryDirectory(prefix=".repair-", dir=files.local_path("")) as folder:
        partial = Path(folder) / "pack.h5"
        write_pack(partial, _noting(_sound_variables(files, lost_pack, wanted), found))
        new_pack = pack_file(pack_id(found)) if found else None
        if new_pack is not None:
            files.write_file(new_pack, partial)
    for project in sorted(pc.unique(rows["project"]).to_pylist()):
        _point_to(files, aside, project, lost_pack, new_pack, found, wanted)
    if new_pack != lost_pack:
        files.delete(lost_pack)
    done = f"{len(found)} of {len(wanted)} variables of {lost_pack} are saved"
    return [done if place is None else f"{done} (it is moved to {place})"]


def _noting(
    variables: Iterator[tuple[str, Variable]], found: dict[str, pa.Table]
) -> Iterator[tuple[str, Variable]]:
    for variable_id, variable in variables:
        row = {
            "variable_id": variable_id,
            "dtype": variable.dtype,
            "shape": list(variable.values.shape),
            "size_bytes": variable.size_bytes,
        }
        found[variable_id] = pa.Table.from_pylist([row], schema=SCHEMAS["variables"])
        yield variable_id, variable


def _sound_variables(files: Files, first: str, wanted: set[str]) -> Iterator[tuple[str, Variable]]:
    """Yield what can be read of some variables, from one pack and then from all others."""
    left = set(wanted)
    others = [info.path for info in files.list("objects/packs") if info.path != first]
    for path in [first, *others]:
        if not left:
            return
        try:
            with files.open(path) as opened, opened_pack(opened, name=path) as file:
                for variable_id in sorted(left):
                    try:
                        variable = read_variable(file, variable_id, name=path)
                    except ModelKBError:
                        continue
                    left.discard(variable_id)
                    yield variable_id, variable
        except (ModelKBError, OSError):
            continue


def _point_to(  # noqa: PLR0917 - all that a row says, and where it lies
    files: Files,
    aside: SetAside,
    project: str,
    lost_pack: str,
    new_pack: str | None,
    found: dict[str, pa.Table],
    wanted: set[str],
) -> None:
    def change(rows: pa.Table) -> pa.Table:
        is_lost = pc.equal(rows["pack_path"], lost_pack)
        lost, kept = rows.filter(is_lost), rows.filter(pc.invert(is_lost))
        ids = list(dict.fromkeys(lost["variable_id"].to_pylist()))
        if lost.num_rows:
            aside.keep_rows("variables", project, lost)
        saved = pa.concat_tables(
            [SCHEMAS["variables"].empty_table(), *(found[each] for each in ids if each in found)]
        )
        column = pa.repeat(pa.scalar(new_pack, pa.string()), saved.num_rows)
        saved = saved.set_column(saved.schema.get_field_index("pack_path"), "pack_path", column)
        return pa.concat_tables([kept, saved])

    rewrite_rows(files, "variables", project, change, values=wanted, column="variable_id")
