"""The statements of the training: seed, model, compile, restore, fit and evaluate."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from modelkb_store.codegen.keras.model_code import BUILD_MODEL
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.callbacks import Callbacks
from modelkb_store.codegen.script.compile_call import CompileCall
from modelkb_store.codegen.script.fit_call import FitCall, evaluate_statement
from modelkb_store.codegen.script.random_states import RESTORE
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.codegen.script.recorded_source import RecordedSource
from modelkb_store.codegen.script.source_edits import renamed
from modelkb_store.codegen.script.training_body import (
    Body,
    BodyWriter,
    Steps,
    body_without_data,
)


@dataclass(slots=True)
class TrainingSteps:
    """Writes the part of a script that runs.

    Attributes:
        recorded: The experiment.
        source: Its recorded statements.
        speller: Writes values.
        stem: What the names of files beside the script begin with.
        in_notebook: Whether there is no ``__file__``.
        names: What stands for the names that the generator uses, where they mean something else.
        problems: What could not be written, for people.
    """

    recorded: Recorded
    source: RecordedSource
    speller: Speller
    stem: str
    in_notebook: bool
    names: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in (BUILD_MODEL, RESTORE):
            self.names[name] = self.source.free_name(name)

    def rename_functions(self, functions: Iterable[str]) -> None:
        """Give functions of the generator's other names where theirs mean something else."""
        for text in functions:
            name = ast.parse(text).body[0].name  # type: ignore[attr-defined]
            self.names[name] = self.source.free_name(name)

    @property
    def initial_weights(self) -> str | None:
        """The name of the file of weights that the script loads, if it does."""
        return f"{self.stem}.initial.weights.h5" if self.recorded.has_initial_weights else None

    @property
    def random_states(self) -> str | None:
        """The name of the file of random states that the script restores, if it does."""
        if self.initial_weights is None or not self.recorded.random_states:
            return None
        return f"{self.stem}.random_states.json"

    def with_names(self, text: str) -> str:
        """Return code of the generator's with the names that things have in this script."""
        for name in self.speller.names_used:
            if name not in self.names:
                self.names[name] = self.source.imports.name_of(name)
        return renamed(text, {old: new for old, new in self.names.items() if old != new})

    def body(self) -> Body:
        """Return the statements that run."""
        program, seed = self.source.program, self.recorded.record.seed
        seeding = self._seeding(seed)
        inputs = self.source.free_name("x"), self.source.free_name("y")
        model = self._model_name()
        fitting = self._fit(model, inputs)
        evaluations = program.evaluations if program is not None else ()
        steps = Steps(
            seed=seeding,
            model=self._model(model),
            restore=self._restoring(model),
            fit=fitting,
            evaluations=tuple(
                self._text(evaluate_statement(model, each.value)) for each in evaluations
            ),
        )
        if program is None:
            return body_without_data(steps, inputs)
        return BodyWriter(program, steps, seed, self.source.left_out).write()

    def _seeding(self, seed: int | None) -> str:
        if seed is None:
            return ""
        name = self.source.constants.add("SEED", seed)
        return f"{self.source.imports.name_of('keras')}.utils.set_random_seed({name.id})"

    def _model_name(self) -> str:
        program = self.source.program
        place = program.model if program is not None else None
        if place is not None and isinstance(place.value, ast.Name):
            return place.value.id
        return self.source.free_name("model")

    def _fit(self, model: str, inputs: tuple[str, str]) -> str:
        program = self.source.program
        if program is None:
            keys: list[ast.expr | None] = [ast.Constant("x"), ast.Constant("y")]
            data: ast.expr = ast.Dict(keys, [ast.Name(each) for each in inputs])
        elif program.fit is None:
            return ""
        else:
            data = program.fit.value
        callbacks = Callbacks(self.recorded, self.source.definitions, self.speller)
        fit = FitCall(self.recorded, self.source.constants)
        call = fit.write(model, data, callbacks.write())
        self.problems += [*fit.problems, *callbacks.problems]
        return self._text(call)

    def _model(self, model: str) -> str:
        lines = [f"{model} = {self.names[BUILD_MODEL]}()"]
        if self.initial_weights is not None:
            lines.append(f"{model}.load_weights({self._beside(self.initial_weights)})")
        definitions = self.source.definitions
        writer = CompileCall(self.recorded, self.speller, self.source.constants, definitions)
        keywords = writer.keywords()
        self.problems += writer.problems
        if keywords is not None:
            call = ast.Call(ast.Attribute(ast.Name(model), "compile"), [], keywords)
            lines.append(self._text(call))
        return "\n".join(lines)

    def _restoring(self, model: str) -> str:
        if self.random_states is None:
            return ""
        return f"{self.names[RESTORE]}({self._beside(self.random_states)}, {model})"

    def _beside(self, name: str) -> str:
        """Return an expression for a file beside the script."""
        if self.in_notebook:
            return repr(name)
        path = self.source.imports.name_of("Path")
        return f"{path}(__file__).with_name({Path(name).name!r})"

    def _text(self, node: ast.AST) -> str:
        return self.with_names(ast.unparse(ast.fix_missing_locations(node)))
