from __future__ import annotations

import json
import pkgutil
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import modelkb_store
import modelkb_viewer.commands
from modelkb_store import Experiment
from modelkb_viewer.ending import INTERRUPTED, UNREAD, ended
from modelkb_viewer.help_text import examples
from modelkb_viewer.main import COMMANDS, SECTIONS, WITHOUT_JSON, asks_for_json, module_of
from modelkb_viewer.main import modelkb as group

Modelkb = Callable[..., Any]


def leaves() -> dict[tuple[str, ...], click.Command]:
    """Return every command that does something, by its words."""
    context = click.Context(group)
    found: dict[tuple[str, ...], click.Command] = {}
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= {(name, inner): each for inner, each in command.commands.items()}
        else:
            found[name,] = command
    return found


LEAVES = leaves()
WITH_JSON = [words for words in LEAVES if words[0] not in WITHOUT_JSON]
# Command lines that cannot be carried out.
FAILING: dict[tuple[str, ...], list[str]] = {
    ("check",): [],
    ("code",): ["nothing"],
    ("compact",): [],
    ("compare",): ["nothing", "nothing else"],
    ("delete",): ["nothing"],
    ("demo",): [],
    ("export",): ["nothing", "--to", "keras", "-o", "model.keras"],
    ("find",): ["status ="],
    ("gc",): [],
    ("import",): [".", "--from", "csv"],
    ("ls",): [],
    ("pull",): ["elsewhere"],
    ("push",): ["elsewhere"],
    ("regenerate",): ["nothing"],
    ("reproduce",): ["nothing"],
    ("scan",): ["nothing.py"],
    ("show",): ["nothing"],
    ("sql",): ["select 1"],
    ("token", "create"): [""],
    ("token", "list"): [],
    ("token", "revoke"): ["0000000000"],
}
# Command lines that can be, for a store with one experiment; others are tested where they are.
DONE: dict[tuple[str, ...], list[str]] = {
    ("check",): [],
    ("code",): ["run-1"],
    ("compact",): [],
    ("delete",): ["run-1", "--yes"],
    ("find",): ["status = 'finished'"],
    ("gc",): [],
    ("ls",): [],
    ("pull",): ["modelkb", "--store", "other"],
    ("push",): ["other"],
    ("regenerate",): ["run-1"],
    ("scan",): ["train.py"],
    ("show",): ["run-1"],
    ("sql",): ["select * from experiments"],
    ("token", "create"): ["somebody"],
    ("token", "list"): [],
}


def test_version(modelkb: Modelkb) -> None:
    ended = modelkb("--version")

    assert ended.exit_code == 0
    python = ".".join(map(str, sys.version_info[:3]))
    version = f"{modelkb_store.__version__} (store format {modelkb_store.FORMAT_VERSION}"
    assert ended.output == f"modelkb {version}, Python {python})\n"


def test_help_lists_every_command_in_one_section(modelkb: Modelkb) -> None:
    ended = modelkb("--help")

    assert ended.exit_code == 0
    names = [name for section in SECTIONS.values() for name in section]
    assert len(names) == len(set(names))
    assert set(COMMANDS) <= set(names)
    for name, help_text in COMMANDS.items():
        assert f"\n  {name} " in ended.output
        assert help_text in ended.output
    places = [ended.output.index(f"\n{title}:\n") for title in SECTIONS]
    assert places == sorted(places)
    assert "130  stopped by Ctrl-C" in ended.output
    assert modelkb("-h").output == ended.output


def test_every_module_of_the_commands_is_a_command() -> None:
    modules = {module.name for module in pkgutil.iter_modules(modelkb_viewer.commands.__path__)}

    assert modules == {module_of(name).rpartition(".")[2] for name in COMMANDS}


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_help_with_examples_that_can_be_typed(
    modelkb: Modelkb, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "logs").mkdir()
    monkeypatch.chdir(tmp_path)
    command = LEAVES[words]
    ended = modelkb(*words, "--help")

    assert ended.exit_code == 0
    lines = examples(command)
    assert lines
    for line in lines:
        assert f"\n    {line}\n" in ended.output, "it is shown as it is written"
        typed = shlex.split(line)[1:]
        assert tuple(typed[: len(words)]) == words
        command.make_context("modelkb", typed[len(words) :])
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in ended.output


def test_options_are_called_the_same_everywhere() -> None:
    forms: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for command in LEAVES.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for form in parameter.opts:
                    forms[form].add(tuple(parameter.opts))
    assert {form: every for form, every in forms.items() if len(every) > 1} == {}
    assert forms["-o"] == {("-o", "--output")}
    without_store = {words for words, command in LEAVES.items() if "store" not in names_of(command)}
    assert without_store == {("scan",), ("completion",)}


def names_of(command: click.Command) -> set[str]:
    return {str(parameter.name) for parameter in command.params}


def test_only_the_named_commands_print_no_json() -> None:
    without = {words[0] for words, command in LEAVES.items() if "as_json" not in names_of(command)}

    assert without == set(WITHOUT_JSON)


@pytest.mark.parametrize("words", WITH_JSON, ids=" ".join)
def test_with_json_an_error_is_a_document_too(
    modelkb: Modelkb, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "keras", None)  # the demo does not begin
    for arguments, code in ((FAILING[words], 1), (["--nothing"], 2)):
        plain = modelkb(*words, *arguments)
        ended = modelkb(*words, *arguments, "--json")

        assert ended.exit_code == plain.exit_code == code, ended.errors
        assert plain.output == ""
        error = ended.json["error"]
        assert error["type"].isidentifier()
        assert (error["type"] == "UsageError") == (code == 2)
        assert error["message"] in ended.errors.replace("\n\n", "\n")
        assert ended.errors == plain.errors
        assert "Traceback" not in ended.errors


@pytest.mark.usefixtures("recorded_experiment")
@pytest.mark.parametrize("words", DONE, ids=" ".join)
def test_with_json_nothing_else_is_printed(
    modelkb: Modelkb, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train.py").write_text("import keras\n")
    monkeypatch.chdir(tmp_path)

    ended = modelkb(*words, *DONE[words], "--json")

    assert (ended.exit_code, ended.errors) == (0, "")
    assert isinstance(ended.json, (dict, list))
    assert "error" not in ended.json


def test_an_error_says_more_than_its_text(modelkb: Modelkb, recorded_experiment: Any) -> None:
    assert modelkb("find", "status =", "--json").json["error"]["position"] == len("status =")


def test_a_bug_shows_its_traceback_and_a_document(
    modelkb: Modelkb, recorded_experiment: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        ended(raise_a_bug, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"error": {"type": "RuntimeError", "message": "a bug"}}


def raise_a_bug() -> None:
    raise RuntimeError("a bug")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("ls --json", True),
        ("nothing --json", True),
        ("ls", False),
        ("sql -- --json", False),
        ("run train.py --json", False),
        ("completion --json", False),
    ],
)
def test_who_asks_for_json(line: str, wanted: bool) -> None:
    assert asks_for_json(line.split()) is wanted


@pytest.mark.parametrize("arguments", [["nothing"], ["ls", "--nothing"], ["show"], ["--nothing"]])
def test_wrong_usage_ends_with_two(modelkb: Modelkb, arguments: list[str]) -> None:
    ended = modelkb(*arguments)

    assert ended.exit_code == 2
    assert ended.output == ""
    assert "Usage: modelkb" in ended.errors


def test_an_unknown_command_is_named(modelkb: Modelkb) -> None:
    assert "'nothing'" in modelkb("nothing").errors


@pytest.mark.parametrize(
    ("typed", "meant"), [("lss", "ls"), ("shwo", "show"), ("exprot", "export")]
)
def test_what_may_be_meant_is_said(modelkb: Modelkb, typed: str, meant: str) -> None:
    assert f"No such command '{typed}'. Did you mean {meant}" in modelkb(typed).errors


def test_a_store_that_is_a_file(modelkb: Modelkb, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    ended = modelkb("ls", "--store", tmp_path / "file")

    assert ended.exit_code == 1
    assert ended.errors.startswith(f"modelkb: No ModelKB store at {tmp_path / 'file'}")
    assert (tmp_path / "file").read_bytes() == b""


def test_an_error_of_modelkb_ends_with_one(modelkb: Modelkb, store: Path) -> None:
    ended = modelkb("ls", "--store", store)

    assert ended.exit_code == 1
    assert ended.output == ""
    assert ended.errors.startswith(f"modelkb: No ModelKB store at {store}.")
    assert ended.errors.count("\n") == 1


def test_the_group_works_without_the_entry_point(recorded_experiment: Experiment) -> None:
    result = CliRunner().invoke(group, ["ls", "--json"])

    assert result.exit_code == 0
    assert [row["experiment_id"] for row in json.loads(result.output)] == [recorded_experiment.id]


def test_a_process_shows_no_traceback(store: Path) -> None:
    program = "from modelkb_viewer.main import main; main()"

    ended = subprocess.run(
        [sys.executable, "-c", program, "ls", "--store", str(store)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("modelkb: No ModelKB store at")
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="by a shell of others")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_closed_stream_is_no_error(
    recorded_experiment: Experiment, store: Path, closed: str
) -> None:
    program = "from modelkb_viewer.main import main; main()"
    line = f'"{sys.executable}" -c "{program}" ls --store "{store}" {closed}'
    ended = subprocess.run(
        ["sh", "-c", line], check=False, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_listing_loads_nothing_that_it_does_not_need(
    recorded_experiment: Experiment, store: Path
) -> None:
    program = (
        "import json, sys\n"
        "from modelkb_viewer.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program, "ls", "--store", str(store)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert recorded_experiment.id.rpartition("-")[2] in ended.stdout
    imported = set(json.loads(ended.stderr))
    assert "modelkb_viewer.commands.ls" in imported
    unwanted = {
        "keras",
        "tensorflow",
        "torch",
        "jax",
        "sklearn",
        "streamlit",
        "modelkb_callbacks",
        "modelkb_viewer.commands.demo",
        "modelkb_viewer.commands.show",
        "altair",
        "duckdb",
        "fastapi",
        "h5py",
        "http.client",
        "lark",
        "modelkb_store.codegen",
        "modelkb_store.records",
        "modelkb_store.queries",
        "pandas",
    }
    assert unwanted.isdisjoint(imported)


def test_the_document_tells_of_all() -> None:
    text = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()

    for title, names in SECTIONS.items():
        assert f"| {title} | {', '.join(f'`{name}`' for name in names)} |" in text
    for code in (0, 1, 2, INTERRUPTED, UNREAD):
        assert f"\n| {code} | " in text
    without = text[text.index("Without\n`--json` are") : text.index("## Exit codes")]
    assert set(re.findall(r"`(\w+)`", without)) == set(WITHOUT_JSON)
    common = text[text.index("## What is named how") : text.index("## JSON")]
    forms = [
        parameter.opts[-1]
        for command in LEAVES.values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
    ]
    shared = {form for form in forms if forms.count(form) > 2}
    assert shared <= set(re.findall(r"--[a-z-]+", common))
