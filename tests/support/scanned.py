"""Scanning of texts in tests."""

from __future__ import annotations

from textwrap import dedent

from modelkb_callbacks.scanning import Scan, scan_source
from modelkb_callbacks.source_code import read_source


def scanned(source: str) -> Scan:
    """Scan a text that is indented as its test is."""
    return scan_source(read_source(dedent(source) + "\n"))


def reasons(scan: Scan) -> dict[str, str]:
    """Return why expressions could not be told, by expression."""
    return {entry.expression: entry.reason for entry in scan.unresolved}
