"""The store of ModelKB: its format on disk, writing it and reading it.

Reading starts at :class:`Store`. The files are Parquet and HDF5, described in
``store/FORMAT.md`` for those who read them without this package.
"""

from modelkb_store._version import __version__
from modelkb_store.architecture_file import Architecture
from modelkb_store.errors import (
    AmbiguousIdError,
    ArtifactNotFoundError,
    CorruptFileError,
    ExperimentNotFoundError,
    FormatVersionError,
    InvalidNameError,
    InvalidSettingError,
    MissingPackageError,
    ModelKBError,
    ModelLoadError,
    NotAStoreError,
    StoreNotFoundError,
)
from modelkb_store.experiment import Experiment
from modelkb_store.schemas import FORMAT_VERSION, SCHEMAS
from modelkb_store.store import Store

__all__ = [
    "FORMAT_VERSION",
    "SCHEMAS",
    "AmbiguousIdError",
    "Architecture",
    "ArtifactNotFoundError",
    "CorruptFileError",
    "Experiment",
    "ExperimentNotFoundError",
    "FormatVersionError",
    "InvalidNameError",
    "InvalidSettingError",
    "MissingPackageError",
    "ModelKBError",
    "ModelLoadError",
    "NotAStoreError",
    "Store",
    "StoreNotFoundError",
    "__version__",
]
