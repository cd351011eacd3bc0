"""The whole script of an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelkb_store.codegen.keras.model_code import ModelCode
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.command_line import script_arguments
from modelkb_store.codegen.script.environment import GlobalSettings, global_settings
from modelkb_store.codegen.script.header import NOTEBOOK_SUFFIX, header_text
from modelkb_store.codegen.script.imports import modules_in
from modelkb_store.codegen.script.missing import missing_parts
from modelkb_store.codegen.script.model_source import model_source
from modelkb_store.codegen.script.random_states import RESTORE, restoring_function
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.codegen.script.recorded_source import RecordedSource
from modelkb_store.codegen.script.rendering import ScriptParts, notebook_cells, script_text
from modelkb_store.codegen.script.source_edits import names_in
from modelkb_store.codegen.script.training_steps import TrainingSteps

_RECORDER = "modelkb_callbacks"


@dataclass(frozen=True, slots=True)
class TrainingScript:
    """A script, and what lies beside it.

    Attributes:
        text: The script.
        cells: The same as titles and code, for a notebook; nothing in a script.
        header: What its docstring says.
        initial_weights: The name of the file of weights that it loads; None if it needs none.
        random_states: The same of the random states.
        modules: The top-level modules that it imports.
        missing: What could not be recorded, or not be written, as sentences for people; its
            docstring says so, too.
        unwritten: Those of them that the script has otherwise than the run, or not at all.
    """

    text: str
    cells: tuple[tuple[str, str], ...]
    header: str
    initial_weights: str | None
    random_states: str | None
    modules: tuple[str, ...]
    missing: tuple[str, ...]
    unwritten: tuple[str, ...]


def write_script(
    recorded: Recorded, file_name: str = "train.py", *, in_notebook: bool = False
) -> TrainingScript:
    """Write the script of an experiment.

    Args:
        recorded: The experiment.
        file_name: The name of the script's file; files beside it are named after it.
        in_notebook: Whether it will be the cells of a notebook, which has no ``__file__``.

    Raises:
        CodeGenerationError: The model was not recorded, or cannot be written.
    """
    source = RecordedSource.of(recorded)
    model = model_source(recorded, source.definitions)
    settings = global_settings(recorded, source.imports, model.dtype_policy)
    speller = Speller(default_dtype=model.dtype_policy, definitions=source.definitions.names)
    steps = TrainingSteps(recorded, source, speller, Path(file_name).stem, in_notebook)
    steps.rename_functions(model.functions)
    parts = _parts(recorded, source, steps, model, settings)
    modules = tuple(modules_in("\n".join([parts.imports, *parts.code()])))
    problems = [*source.problems, *steps.problems, *model.problems, *speller.problems]
    missing = tuple(dict.fromkeys([*missing_parts(recorded, source.program), *problems]))
    header = header_text(recorded, file_name, missing, _notes(file_name, modules, steps))
    return TrainingScript(
        text="" if in_notebook else script_text(parts, header),
        cells=notebook_cells(parts) if in_notebook else (),
        header=header,
        initial_weights=steps.initial_weights,
        random_states=steps.random_states,
        modules=modules,
        missing=missing,
        unwritten=tuple(dict.fromkeys(problems)),
    )


def _parts(
    recorded: Recorded,
    source: RecordedSource,
    steps: TrainingSteps,
    model: ModelCode,
    settings: GlobalSettings,
) -> ScriptParts:
    body = steps.body()
    _add_outside_values(recorded, source)
    steps.speller.names_used.update(model.names_used)
    functions = [steps.with_names(each) for each in model.functions]
    if steps.random_states is not None:
        name = steps.names[RESTORE]
        functions.append(restoring_function(name, recorded.random_states, source.imports))
    import_of_os, variables = _variables(source, settings)
    code = [source.definitions_text, *settings.statements, *functions]
    code += [body.start, body.data, body.training, body.evaluation, *source.constants.statements]
    constants = source.constants.text(names_in(*code))
    used = names_in(*code, constants)
    return ScriptParts(
        has_future=source.imports.has_future,
        variables=variables,
        imports=source.imports.text(used, without=import_of_os),
        settings="\n".join(settings.statements),
        constants=constants,
        definitions=source.definitions_text,
        functions=tuple(functions),
        body=body,
    )


def _variables(source: RecordedSource, settings: GlobalSettings) -> tuple[str, str]:
    """Return the import of ``os``, and statements that set environment variables with it."""
    if not settings.variables:
        return "", ""
    name = source.imports.name_of("os")
    import_of_os = source.imports.import_of(name)
    lines = [f"{name}.environ[{key!r}] = {value!r}" for key, value in settings.variables.items()]
    return import_of_os, "\n".join([import_of_os, "", *lines])


def _add_outside_values(recorded: Recorded, source: RecordedSource) -> None:
    """Write what the recorded statements read from the environment and the command line."""
    for name, value in recorded.of_source("environment").items():
        target = f"{source.imports.name_of('os')}.environ[{name!r}]"
        source.constants.add_statement(f"{target} = {str(value)!r}")
    words = recorded.record.command_line
    if source.program is not None and source.program.reads_command_line and words:
        arguments = source.constants.add("ARGUMENTS", script_arguments(words))
        target = f"{source.imports.name_of('sys')}.argv[1:]"
        source.constants.add_statement(f"{target} = {arguments.id}")


def _notes(file_name: str, modules: Iterable[str], steps: TrainingSteps) -> Iterator[str]:
    if _RECORDER in modules:
        yield "It records itself with ModelKB, as the original did."
    else:
        yield f"It needs no ModelKB; {_recorded_by(file_name)} records it."
    beside = [each for each in (steps.initial_weights, steps.random_states) if each is not None]
    if beside:
        yield f"It needs {' and '.join(beside)} beside it: what the training began with."


def _recorded_by(file_name: str) -> str:
    if file_name.endswith(NOTEBOOK_SUFFIX):
        return "`modelkb_callbacks.autolog()` in a cell before the training"
    return f"`modelkb run {file_name}`"
