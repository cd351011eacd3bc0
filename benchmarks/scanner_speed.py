"""How fast sources are scanned: the files and folders given, else our own examples.

    python benchmarks/scanner_speed.py [PATH ...]

The target is under 10 ms for 100 lines, reading included.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from modelkb_callbacks.scanning import scan_source
from modelkb_callbacks.source_code import read_source

_ROUNDS = 5
_TARGET_MS = 10
_SLOWEST_SHOWN = 5


def sources(paths: list[Path]) -> Iterator[Path]:
    """Find scripts and notebooks."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix in (".py", ".ipynb"))
        else:
            yield path


def main() -> None:
    """Measure and print."""
    here = Path(__file__).parent.parent
    paths = list(sources([Path(name) for name in sys.argv[1:]] or [here / "examples"]))
    taken: list[tuple[float, int, Path]] = []
    for path in paths:
        rounds = []
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            source = read_source(path)
            scan_source(source)
            rounds.append(time.perf_counter() - start)
        taken.append((min(rounds), source.text.count("\n"), path))
    seconds, lines = sum(each[0] for each in taken), sum(each[1] for each in taken)
    per_100 = seconds * 1000 / max(lines, 1) * 100
    print(f"{len(taken)} sources, {lines} lines, {seconds * 1000:.0f} ms")
    print(f"{per_100:.2f} ms for 100 lines (target: under {_TARGET_MS})")
    for spent, count, path in sorted(taken, reverse=True)[:_SLOWEST_SHOWN]:
        print(f"{spent * 1000:8.1f} ms {count:6} lines  {path.name}")


if __name__ == "__main__":
    main()
