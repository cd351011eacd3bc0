from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time

import pytest

from modelkb_store.log.process_identity import SILENCE_SECONDS, ProcessIdentity, this_machine

LONG_AGO = 0.0


def test_this_process_runs() -> None:
    identity = ProcessIdentity.of_this_process()

    assert identity.process_id == os.getpid()
    assert identity.machine == this_machine()
    assert identity.is_alive(LONG_AGO)
    assert ProcessIdentity.from_columns(identity.as_columns()) == identity


def test_another_process_until_it_ends() -> None:
    program = (
        "from modelkb_store.log.process_identity import ProcessIdentity as P; import json, sys;"
        "print(json.dumps(P.of_this_process().as_columns()), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    import json

    identity = ProcessIdentity.from_columns(json.loads(process.stdout.readline()))
    assert identity.process_id == process.pid
    assert identity.is_alive(LONG_AGO)

    process.kill()
    deadline = time.monotonic() + 20
    while identity.is_alive(time.time()):  # also a zombie, which nobody has waited for, is dead
        assert time.monotonic() < deadline
    process.communicate()
    assert not identity.is_alive(time.time())


def test_a_number_that_is_used_again() -> None:
    mine = ProcessIdentity.of_this_process()
    earlier = ProcessIdentity(mine.machine, mine.process_id, mine.started - 3600)

    assert not earlier.is_alive(time.time())
    # The clock was set while it ran.
    assert ProcessIdentity(mine.machine, mine.process_id, mine.started + 5).is_alive(LONG_AGO)


@pytest.mark.parametrize("machine", ["another", "another:boot:ns"])
def test_on_another_machine_its_last_sign_counts(machine: str) -> None:
    there = ProcessIdentity(machine, os.getpid(), time.time())

    assert there.is_alive(time.time())
    assert there.is_alive(time.time() - SILENCE_SECONDS / 2)
    assert there.is_alive(time.time() + 3600), "its clock is ahead of ours"
    assert not there.is_alive(time.time() - SILENCE_SECONDS - 1)


def test_what_is_not_known_is_elsewhere() -> None:
    unknown = ProcessIdentity.from_columns({})

    assert unknown.is_alive(time.time())
    assert not unknown.is_alive(LONG_AGO)


def test_a_fork_is_another_process() -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        there = pool.apply(ProcessIdentity.of_this_process)
        assert there.machine == this_machine()
        assert there.process_id != os.getpid()
        assert there.is_alive(LONG_AGO)
    assert not there.is_alive(LONG_AGO)
