"""The store of ModelKB: its format on disk, writing it and reading it.

Reading starts at :class:`Store`. The files are Parquet and HDF5, described in
``store/FORMAT.md`` for those who read them without this package.
"""

from typing import TYPE_CHECKING

from modelkb_store._version import __version__
from modelkb_store.lazy_names import lazy_names

if TYPE_CHECKING:
    from modelkb_store.architecture_file import Architecture
    from modelkb_store.errors import (
        AmbiguousIdError,
        ArtifactNotFoundError,
        CodeGenerationError,
        CorruptFileError,
        DescriptionFileError,
        ExperimentNotFoundError,
        FormatVersionError,
        InvalidNameError,
        InvalidSettingError,
        MissingPackageError,
        ModelKBError,
        ModelLoadError,
        NotAStoreError,
        QueryError,
        RunningExperimentError,
        SourceNotFoundError,
        SqlError,
        StoreBusyError,
        StoreNotFoundError,
        StoreNotWritableError,
        StoreUnreachableError,
        TokenError,
    )
    from modelkb_store.experiment import Experiment
    from modelkb_store.schemas import SCHEMAS
    from modelkb_store.store import Store

__all__ = [
    "FORMAT_VERSION",
    "SCHEMAS",
    "AmbiguousIdError",
    "Architecture",
    "ArtifactNotFoundError",
    "CodeGenerationError",
    "CorruptFileError",
    "DescriptionFileError",
    "Experiment",
    "ExperimentNotFoundError",
    "FormatVersionError",
    "InvalidNameError",
    "InvalidSettingError",
    "MissingPackageError",
    "ModelKBError",
    "ModelLoadError",
    "NotAStoreError",
    "QueryError",
    "RunningExperimentError",
    "SourceNotFoundError",
    "SqlError",
    "Store",
    "StoreBusyError",
    "StoreNotFoundError",
    "StoreNotWritableError",
    "StoreUnreachableError",
    "TokenError",
    "__version__",
]

_HOMES = {
    **dict.fromkeys(
        (
            "AmbiguousIdError",
            "ArtifactNotFoundError",
            "CodeGenerationError",
            "CorruptFileError",
            "DescriptionFileError",
            "ExperimentNotFoundError",
            "FormatVersionError",
            "InvalidNameError",
            "InvalidSettingError",
            "MissingPackageError",
            "ModelKBError",
            "ModelLoadError",
            "NotAStoreError",
            "QueryError",
            "RunningExperimentError",
            "SourceNotFoundError",
            "SqlError",
            "StoreBusyError",
            "StoreNotFoundError",
            "StoreNotWritableError",
            "StoreUnreachableError",
            "TokenError",
        ),
        "errors",
    ),
    "Architecture": "architecture_file",
    "Experiment": "experiment",
    "FORMAT_VERSION": "_version",
    "SCHEMAS": "schemas",
    "Store": "store",
}

__getattr__ = lazy_names(__name__, _HOMES)
