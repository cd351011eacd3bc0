"""Chunks of numbers for HDF5's own ``shuffle`` and ``gzip`` filters, compressed fast.

Trained weights have bytes of two kinds: signs and exponents, which compress well, and
mantissas, which are noise. zlib looks for repetitions in both and takes 60 MB/s; here the
bytes of noise are put into the deflate stream as they are, and the others are only coded
by frequency and by runs. That is as small as gzip's level 1, several times as fast, and
every HDF5 library can read it.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

from modelkb_store.weights.variable_id import Array

# Filter mask of HDF5: neither the first (shuffle) nor the second filter (gzip) was used.
NOT_FILTERED = 0b11

_NOISE_BITS = 7.6  # of 8 bits a byte; what gains less than 5 % is not worth the time
_SAMPLE_STEP_MAX = 16
_SAMPLE_BYTES = 16 * 1024
_WORTH_IT = 0.98
_ZLIB_HEADER = b"\x78\x01"
_LAST_EMPTY_BLOCK = b"\x03\x00"


def compressed(chunk: Array) -> tuple[bytes, int]:
    """Compress a chunk for a dataset with the filters shuffle and gzip.

    Args:
        chunk: Numbers or opaque bytes, C contiguous.

    Returns:
        The bytes for ``write_direct_chunk``, and their filter mask.
    """
    size = chunk.dtype.itemsize
    raw = chunk.reshape(-1).view(np.uint8)
    planes = np.ascontiguousarray(raw.reshape(-1, size).T)
    noisy = [_is_noise(plane) for plane in planes]
    if all(noisy):
        return raw.tobytes(), NOT_FILTERED
    blocks = [_block(plane, stored=noise) for plane, noise in zip(planes, noisy, strict=True)]
    if sum(map(len, blocks)) > _WORTH_IT * raw.nbytes:
        return raw.tobytes(), NOT_FILTERED
    checksum = zlib.adler32(planes.data).to_bytes(4, "big")
    return b"".join((_ZLIB_HEADER, *blocks, _LAST_EMPTY_BLOCK, checksum)), 0


def _is_noise(plane: NDArray[np.uint8]) -> bool:
    """Say whether bytes are too evenly distributed to be compressed, from some of them."""
    step = min(max(len(plane) // _SAMPLE_BYTES, 1), _SAMPLE_STEP_MAX)
    sample = plane[::step]
    counts = np.bincount(sample, minlength=256)
    shares = counts[counts > 0] / len(sample)
    bits = float(-(shares * np.log2(shares)).sum())
    # A small sample looks less even than it is (Miller and Madow's correction).
    return bits + 255 / (2 * len(sample) * math.log(2)) > _NOISE_BITS


def _block(plane: NDArray[np.uint8], *, stored: bool) -> bytes:
    """Return deflate blocks that end on a byte, so that others can follow."""
    level, strategy = (0, zlib.Z_DEFAULT_STRATEGY) if stored else (1, zlib.Z_RLE)
    coder = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy)
    return coder.compress(plane.data) + coder.flush(zlib.Z_FULL_FLUSH)
