"""The upkeep of a store in a bucket."""

from __future__ import annotations

from pathlib import Path

from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import open_files
from modelkb_store.upkeep.checking import Kind, check
from modelkb_store.upkeep.collection import collect, collectable
from modelkb_store.upkeep.deletion import delete_experiment, deleted_experiments
from modelkb_store.upkeep.repairing import repair
from object_store import bucket_url, object_credentials, object_server, object_store

__all__ = ["bucket_url", "object_credentials", "object_server", "object_store"]

FIRST = "20260102-030405678-0000000001"


def test_checked_repaired_and_collected(small_store: Path, bucket_url: str) -> None:
    remote, local = open_files(bucket_url), LocalFiles(small_store)
    for info in local.list(""):
        remote.write(info.path, local.read(info.path))
    assert check(remote) == []

    broken = next(i.path for i in remote.list("resources"))
    remote.write(broken, b"x")
    (finding,) = check(remote)
    assert (finding.kind, finding.path) == (Kind.DAMAGED, broken)
    repair(remote)
    assert check(remote) == []
    assert [i.path.split("/", 2)[2] for i in remote.list("set-aside")] == [broken]

    packs = [info.path for info in remote.list("objects/packs")]
    for number in (1, 2):
        delete_experiment(remote, f"{FIRST[:-1]}{number}")
    would = collectable(remote, grace_seconds=-60)
    done = collect(remote, grace_seconds=-60)
    assert (would.rows, would.objects) == (done.rows, done.objects)
    assert done.objects == 2
    assert deleted_experiments(remote) == []
    # Machines that record into a bucket know its packs by heart.
    assert [info.path for info in remote.list("objects")] == packs
    assert check(remote) == []
