"""What a source says of its training, found without running it."""

from modelkb_callbacks.scanning.scan import Scan
from modelkb_callbacks.scanning.scanner import scan, scan_source

__all__ = ["Scan", "scan", "scan_source"]
