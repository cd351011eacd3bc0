from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lost_processes import kill
from modelkb_store import NotAStoreError
from modelkb_store.layout import check_store
from modelkb_store.log.log_home import StoreHome
from modelkb_store.transfer.homes import open_home
from modelkb_store.transfer.spool import Spool
from modelkb_store.writer import ExperimentWriter


def test_a_folder_is_its_own_home(store: Path) -> None:
    for location in (store, str(store), store.as_uri()):
        home = open_home(location)
        assert isinstance(home, StoreHome)
        assert home.files.root == store
    assert check_store(home.files) == 2


def test_what_died_processes_have_left_is_finished(
    store: Path, writer_factory: Callable[..., ExperimentWriter]
) -> None:
    kill(writer_factory())
    assert open_home(store).files.list("log") == []


def test_a_folder_of_something_else(store: Path) -> None:
    store.mkdir()
    (store / "thesis.txt").touch()
    with pytest.raises(NotAStoreError):
        open_home(store)


def test_a_bucket_has_one_spool_in_a_process(tmp_path: Path) -> None:
    """Nothing is asked of the network, and nothing is made before something is recorded."""
    address = "s3://nowhere/modelkb?endpoint_override=127.0.0.1:9&scheme=http"
    home = open_home(address)

    assert isinstance(home, Spool)
    assert open_home(address) is home
    assert open_home(address.replace("nowhere", "elsewhere")) is not home
    assert home.files.root.parent == tmp_path / ".spool"
    assert not home.is_waiting
