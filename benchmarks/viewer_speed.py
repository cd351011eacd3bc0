"""Prints how fast the viewer answers with many experiments, and what memory it takes.

A real server is looked at by a headless Chromium: the time is that from opening a page, or from
a click, until its content can be seen. To open one anew starts Streamlit's front end, so a page of
Streamlit with one cell and nothing of ours stands beside it.

    python benchmarks/viewer_speed.py [EXPERIMENTS] [STORE]
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from generated_store import PROJECT, make_store

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from viewer_server import DESKTOP, browser, chromium, free_port, served, viewer_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_TIMES = 7
_WARM, _COLD, _FILTER, _MEMORY = 1.0, 3.0, 0.5, 1.0
_QUERIES = [f"metrics.val_accuracy > {1 + number / 20}" for number in range(_TIMES + 1)]
_MILLISECONDS_AT_MOST = 60_000
_ONE_CELL = """
import pandas as pd
import streamlit as st

st.dataframe(pd.DataFrame({"experiments": ["COUNT"]}))
"""


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        what: What was measured.
        value: Seconds, or GB.
        target: What it must be below.
        unit: Of both.
    """

    what: str
    value: float
    target: float
    unit: str = "s"


def main() -> None:
    """Measure, and print a table."""
    if chromium() is None:
        sys.exit("No Chromium is installed, so there is nothing to look with.")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with _store(count) as store, browser() as looker:
        figures = list(_figures(store, looker, count))
    print(f"{count:,} experiments; warm: median of {_TIMES}")
    for figure in figures:
        verdict = "ok" if figure.value < figure.target else "TOO MUCH"
        value, target = f"{figure.value:.2f} {figure.unit}", f"< {figure.target:g} {figure.unit}"
        print(f"{figure.what:<52}{value:>9}  {target:>7}  {verdict}")


def _figures(store: Path, looker: Browser, count: int) -> Iterator[Figure]:
    page = looker.new_context(viewport=DESKTOP).new_page()
    ways = {"dashboard": _open_dashboard, "project": _open_project}
    # Always at the same port, for a browser keeps the viewer's scripts by address.
    port = free_port()
    with viewer_server(store, port=port) as address:
        seconds = _open_dashboard(page, address, count)
        yield Figure("dashboard, fresh server and a browser's first visit", seconds, _COLD)
    for name, way in ways.items():
        with viewer_server(store, port=port) as address:
            yield Figure(f"{name}, opened on a fresh server", way(page, address, count), _COLD)
    with viewer_server(store, port=port) as address:
        for name, way in ways.items():
            way(page, address, count)
            yield Figure(
                f"{name}, opened", _median(lambda way=way: way(page, address, count)), _WARM
            )
        yield Figure("project, by a click on the dashboard", _clicks(page, address, count), _WARM)
        yield Figure("dashboard, by a click on a project", _returns(page, address, count), _WARM)
        _open_project(page, address, count)
        yield Figure("another filter of a project", _filters(page), _FILTER)
        yield Figure("memory of the server", _memory(address), _MEMORY, "GB")
    with _one_cell(count, port) as address:
        _open_dashboard(page, address, count)
        seconds = _median(lambda: _open_dashboard(page, address, count))
        yield Figure("one cell by Streamlit without ModelKB, opened", seconds, _WARM)


def _open_dashboard(page: Page, address: str, count: int) -> float:
    def go() -> None:
        page.goto(address, wait_until="commit")
        _wait_for_cell(page, f"{count}")

    return _seconds(go)


def _open_project(page: Page, address: str, count: int) -> float:
    def go() -> None:
        page.goto(f"{address}/project?project={PROJECT}", wait_until="commit")
        _wait_for_project(page, count)

    return _seconds(go)


def _wait_for_project(page: Page, count: int) -> None:
    page.locator("strong", has_text=f"{count:,} experiments").wait_for(
        timeout=_MILLISECONDS_AT_MOST
    )
    _wait_for_cell(page, "finished")


def _wait_for_cell(page: Page, text: str) -> None:
    # The cells of a table are drawn; beside the drawing they stand as text for screen readers.
    cells = page.locator("canvas [role=gridcell]")
    cells.filter(has_text=text).first.wait_for(state="attached", timeout=_MILLISECONDS_AT_MOST)


def _clicks(page: Page, address: str, count: int) -> float:
    def once() -> float:
        _open_dashboard(page, address, count)
        table = page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        page.wait_for_timeout(1000)  # until nothing moves any more

        def click() -> None:
            table.click(position={"x": 30, "y": 52})
            _wait_for_project(page, count)

        return _seconds(click)

    return _median(once)


def _returns(page: Page, address: str, count: int) -> float:
    def once() -> float:
        _open_project(page, address, count)
        page.wait_for_timeout(3000)  # until its charts are there

        def click() -> None:
            page.get_by_role("link", name="Dashboard").click()
            _wait_for_cell(page, f"{count}")

        return _seconds(click)

    return _median(once)


@contextlib.contextmanager
def _one_cell(count: int, port: int) -> Iterator[str]:
    """Serve a page of Streamlit with the number of experiments in a table."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "one_cell.py"
        script.write_text(_ONE_CELL.replace("COUNT", str(count)))
        line = [sys.executable, "-m", "streamlit", "run", str(script)]
        options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": True}
        options |= {"browser.gatherUsageStats": False, "server.fileWatcherType": "none"}
        line += [f"--{name}={value}" for name, value in options.items()]
        address = f"http://127.0.0.1:{port}"
        with served(line, address, script.parent):
            yield address


def _filters(page: Page) -> float:
    queries = iter(_QUERIES)
    box = page.locator("input[aria-label=Query]")

    def once() -> float:
        page.wait_for_timeout(1500)  # until the charts of the last one are there
        before = page.locator("strong", has_text="experiments").inner_text()
        box.fill(next(queries))

        def enter() -> None:
            box.press("Enter")
            page.wait_for_function(
                "before => ![...document.querySelectorAll('strong')]"
                ".some(each => each.innerText === before)",
                arg=before,
                timeout=_MILLISECONDS_AT_MOST,
                polling=10,
            )

        return _seconds(enter)

    once()
    return _median(once)


def _memory(address: str) -> float:
    """Return the resident memory of the server and of what it has started, in GB."""
    port = int(address.rpartition(":")[2])
    servers = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
    }
    (pid,) = filter(None, servers)
    server = psutil.Process(pid)
    processes = [server, *server.children(recursive=True)]
    return sum(process.memory_info().rss for process in processes) / 1e9


def _median(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(_TIMES))


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextlib.contextmanager
def _store(count: int) -> Iterator[Path]:
    if len(sys.argv) > 2:
        yield Path(sys.argv[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "modelkb"
        make_store(store, count)
        yield store


if __name__ == "__main__":
    main()
