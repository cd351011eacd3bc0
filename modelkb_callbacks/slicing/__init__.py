"""The part of a source that a run needs: its data, and classes of its own."""

from modelkb_callbacks.slicing.block_slice import slice_block
from modelkb_callbacks.slicing.data_slice import DataSlice
from modelkb_callbacks.slicing.definitions import Definitions, source_of
from modelkb_callbacks.slicing.environment_reads import EnvironmentReads, environment_reads
from modelkb_callbacks.slicing.frame_location import (
    FrameLocation,
    Position,
    frames_of_fit,
    user_frames,
)
from modelkb_callbacks.slicing.training_slice import slice_data

__all__ = [
    "DataSlice",
    "Definitions",
    "EnvironmentReads",
    "FrameLocation",
    "Position",
    "environment_reads",
    "frames_of_fit",
    "slice_block",
    "slice_data",
    "source_of",
    "user_frames",
]
