from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from modelkb_store import errors
from modelkb_store.errors import (
    AmbiguousIdError,
    ArtifactNotFoundError,
    CodeGenerationError,
    CollectedExperimentError,
    CorruptFileError,
    DescriptionFileError,
    ExperimentNotFoundError,
    FormatVersionError,
    InvalidLogError,
    InvalidNameError,
    InvalidObjectError,
    InvalidSettingError,
    MissingPackageError,
    ModelKBError,
    ModelLoadError,
    NotAStoreError,
    NotOverServerError,
    PathOutsideStoreError,
    QueryError,
    QuerySyntaxError,
    QueryTypeError,
    RunningExperimentError,
    ServerRefusedError,
    SourceNotFoundError,
    SqlError,
    SqlTimeoutError,
    StagedFileError,
    StoreBusyError,
    StoreNotFoundError,
    StoreNotWritableError,
    StoreUnreachableError,
    TokenError,
    UnknownQueryNameError,
    UnsupportedWeightsError,
    VariableNotFoundError,
)

PATH = Path("folder") / "file"

# Each error, the built-in that people would catch, and words that its text must have.
CASES = [
    (StoreNotFoundError(PATH), FileNotFoundError, [str(PATH), "--store", "MODELKB_STORE"]),
    (SourceNotFoundError(PATH), FileNotFoundError, [str(PATH), "script or notebook"]),
    (NotAStoreError(PATH, "thesis.txt"), ValueError, [str(PATH), "'thesis.txt'", "format.json"]),
    (FormatVersionError(PATH, 3, 1), ValueError, [str(PATH), "format 3", "up to 1", "pip install"]),
    (CorruptFileError(PATH, "why"), ValueError, [str(PATH), "(why)", "Restore it", "backup"]),
    (ExperimentNotFoundError("ab", ["cd"]), KeyError, ["'ab'", "`modelkb ls`"]),
    (AmbiguousIdError("ab", ["abc", "abd"]), KeyError, ["'ab'", "2", "abc, abd", "more of the id"]),
    (InvalidNameError("a\n", "it has two lines"), ValueError, [r"'a\n'", "it has two lines"]),
    (
        InvalidSettingError("seed", "x", "an integer"),
        ValueError,
        ["`seed`", "Received: 'x'", "Expected: an integer"],
    ),
    (
        ArtifactNotFoundError("ab", "weights", "the disk was full"),
        FileNotFoundError,
        ["Experiment ab", "no weights", "the disk was full"],
    ),
    (
        ModelLoadError("ab", "Unknown layer: Mine"),
        RuntimeError,
        ["Unknown layer: Mine", "custom_objects", "safe_mode=False", "compile=False"],
    ),
    (
        MissingPackageError("Keras", "The demo", "pip install keras"),
        ImportError,
        ["The demo needs Keras", "`pip install keras`"],
    ),
    (PathOutsideStoreError("../x", "s3://a/b"), ValueError, ["'../x'", "s3://a/b", "not trust"]),
    (
        StoreBusyError("s3://a/b", FileNotFoundError(2, "no such file", "x.parquet")),
        RuntimeError,
        ["s3://a/b", "x.parquet is missing", "`modelkb check`"],
    ),
    (QueryError("It is odd.", "a > b", 2), ValueError, ["It is odd.", "  a > b\n    ^"]),
    (
        QuerySyntaxError("a >", 3, "it ends too soon", ["a value"]),
        ValueError,
        ["it ends too soon", "a >", "   ^", "Expected a value"],
    ),
    (
        UnknownQueryNameError("metric", "metrics.los", "metrics.los > 1", 0, ["metrics.loss"]),
        ValueError,
        ["no metric 'metrics.los'", "Did you mean metrics.loss?"],
    ),
    (QueryTypeError("A text is no number.", "name > 1", 5), TypeError, ["A text", "name > 1"]),
    (SqlTimeoutError("select 1", 2.5), TimeoutError, ["2.5 seconds", "timeout_seconds"]),
    (SqlError("SELEC 1", " it is odd\n"), ValueError, ["it is odd\n", "SELEC 1"]),
    (
        UnsupportedWeightsError(PATH, "layers/a", "it is a link"),
        ValueError,
        [str(PATH), "'layers/a'", "it is a link"],
    ),
    (VariableNotFoundError("ab", "x.h5"), KeyError, ["variable ab", "pack x.h5", "backup"]),
    (
        StoreUnreachableError("s3://a/b", "timeout\nand so on"),
        OSError,
        ["s3://a/b", "(timeout)", "AWS_ENDPOINT_URL", "try again"],
    ),
    (
        TokenError("https://a", "no such."),
        PermissionError,
        ["https://a", "no such", "MODELKB_TOKEN"],
    ),
    (ServerRefusedError("https://a", "why"), ValueError, ["https://a", "why", "--version"]),
    (NotOverServerError("https://a", "Listing"), RuntimeError, ["https://a", "Listing", "--store"]),
    (StoreNotWritableError("/kb", "why"), OSError, ["/kb", "(why)", "you may write"]),
    (RunningExperimentError("ab"), RuntimeError, ["Experiment ab is running", "then delete it"]),
    (CollectedExperimentError("ab"), RuntimeError, ["ab", "`modelkb gc`", "backup"]),
    (CodeGenerationError("layer 'a'", "why", "do b"), ValueError, ["layer 'a'", "why", "do b"]),
    (DescriptionFileError("a.h5", "why", "do b"), ValueError, ["a.h5", "why", "do b"]),
    (InvalidLogError("ab", 3, "why"), ValueError, ["Line 3", "the log ab", "why", "update"]),
    (InvalidObjectError("objects/x", "why"), ValueError, ["objects/x", "why", "Send it"]),
    (StagedFileError("x.parquet", "metrics", "why"), ValueError, ["x.parquet", "metrics", "why"]),
]


@pytest.mark.parametrize(
    ("error", "builtin", "words"), CASES, ids=[type(error).__name__ for error, _, _ in CASES]
)
def test_an_error_is_also_a_builtin_and_says_what_to_do(
    error: ModelKBError, builtin: type[Exception], words: list[str]
) -> None:
    assert isinstance(error, ModelKBError)
    assert isinstance(error, builtin)
    for word in words:
        assert word in str(error)


def test_every_error_is_tested_here() -> None:
    classes = {item for _, item in inspect.getmembers(errors, inspect.isclass)}
    own = {item for item in classes if issubclass(item, Exception)} - {ModelKBError}

    assert own == {type(error) for error, _, _ in CASES}


def test_key_errors_are_not_in_quotes() -> None:
    assert str(ExperimentNotFoundError("ab", [])) == (
        "No experiment 'ab' in this store. See `modelkb ls`."
    )
    assert str(AmbiguousIdError("ab", ["abc", "abd"])) == (
        "'ab' fits 2 experiments: abc, abd. Give more of the id."
    )


def test_near_ids_are_shown() -> None:
    known = ["20260102-030405678-0000000001", "20260102-030405678-0000000002", "1999"]

    text = str(ExperimentNotFoundError("20260102-030405678-0000000003", known))

    hint = text.partition("Did you mean ")[2].partition("?")[0]
    assert sorted(hint.split(" or ")) == known[:2]


def test_ids_of_the_same_day_alone_are_not_near() -> None:
    known = ["20260102-030405678-9f1c2b7a4d", "20260102-030405678-03d7a1f4c2"]
    assert "Did you mean" not in str(
        ExperimentNotFoundError("20260102-030405678-ee88665544", known)
    )


@pytest.mark.parametrize("operator", ["=", "!=", ">"])
def test_a_text_without_quotes_is_no_column(operator: str) -> None:
    query = f"status {operator} finished"
    error = UnknownQueryNameError("column", "finished", query, query.index("fin"), ["status"])
    assert str(error).endswith("Texts are in quotes: 'finished'.")
    error = UnknownQueryNameError("column", "finished", "finished", 0, ["status"])
    assert "quotes" not in str(error)


def test_far_ids_are_not_shown() -> None:
    assert "Did you mean" not in str(ExperimentNotFoundError("zzz", ["20260102"]))


def test_only_some_of_many_ids_are_shown() -> None:
    text = str(AmbiguousIdError("a", [f"a{number}" for number in range(100)]))

    assert "fits 100 experiments: a0, a1, a2, a3, a4, .." in text


def test_only_the_first_line_of_a_reason_is_shown() -> None:
    assert "(first)" in str(CorruptFileError(PATH, ValueError("first\nsecond")))
    assert "(TimeoutError)" in str(CorruptFileError(PATH, TimeoutError()))


def test_a_corrupt_file_is_known_to_programs() -> None:
    assert CorruptFileError(PATH, "why").path == PATH


def test_an_error_without_facts_has_no_text() -> None:
    assert str(ModelKBError()) == ""
