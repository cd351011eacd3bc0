"""The recorded statements of a run: its data slice and its definitions, taken apart."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from modelkb_store.codegen.script.constants import Constants
from modelkb_store.codegen.script.data_program import DataProgram, parse_data_program
from modelkb_store.codegen.script.imports import Imports
from modelkb_store.codegen.script.inert_statements import constants_of
from modelkb_store.codegen.script.own_definitions import OwnDefinitions, parse_definitions
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.codegen.script.source_edits import SourceEdits, names_in

_OTHER_PYTHON = "it is no Python of this version"


@dataclass(slots=True)
class RecordedSource:
    """Data slice and definitions, with their imports and constants taken out.

    Attributes:
        program: The statements that make the data; None if they are not known.
        definitions: The user's own classes and functions.
        imports: All imports.
        constants: All constants.
        left_out: The statements of the program that stand elsewhere in the script.
        definitions_text: What is left of the definitions.
        problems: What does not fit together, for people.
    """

    program: DataProgram | None
    definitions: OwnDefinitions
    imports: Imports
    constants: Constants
    left_out: list[ast.stmt] = field(default_factory=list)
    definitions_text: str = ""
    problems: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, recorded: Recorded) -> RecordedSource:
        """Take the source of an experiment apart."""
        problems: list[str] = []
        program, definitions = None, parse_definitions("")
        try:
            text = recorded.text("data_slice")
            program = parse_data_program(text) if text else None
            if program is not None and program.lacks_input:
                program = None
        except SyntaxError:
            problems.append(f"data slice: {_OTHER_PYTHON}")
        try:
            definitions = parse_definitions(recorded.text("definitions"))
        except SyntaxError:
            problems.append(f"definitions: {_OTHER_PYTHON}")
        taken = names_in(definitions.text, program.text if program else "")
        found = cls(
            program, definitions, Imports(taken), Constants(taken), problems=problems, taken=taken
        )
        found._take_apart()
        return found

    def free_name(self, wish: str) -> str:
        """Return a name that means nothing in the recorded statements."""
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        return name

    def _take_apart(self) -> None:
        edits = SourceEdits(self.definitions.text)
        for statement in self._movable(self.definitions.tree, self.definitions.text):
            edits.remove(statement)
        self.definitions_text = edits.result().strip("\n")
        if self.program is None:
            return
        self.left_out = self._movable(self.program.tree, self.program.text)
        shared, conflicts = _same_statements(self.program.tree, self.definitions.tree)
        self.left_out += [each for each in shared if each not in self.left_out]
        self.problems += [
            f"source: {name} means something else in the data slice than in the definitions"
            for name in conflicts
        ]

    def _movable(self, tree: ast.Module, text: str) -> list[ast.stmt]:
        constants = constants_of(tree)
        self.constants.add_recorded(text, constants)
        return [*self.imports.add_recorded(tree.body), *constants]


def _same_statements(program: ast.Module, other: ast.Module) -> tuple[list[ast.stmt], list[str]]:
    """Return what the first program defines just as the second, and names that differ."""
    dumps = {ast.dump(each) for each in other.body}
    theirs = {name for each in other.body for name in _defined(each)}
    shared, conflicts = [], []
    for statement in program.body:
        names = _defined(statement)
        if names and ast.dump(statement) in dumps:
            shared.append(statement)
        else:
            conflicts += [name for name in names if name in theirs]
    return shared, list(dict.fromkeys(conflicts))


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [each.id for each in statement.targets if isinstance(each, ast.Name)]
    return []
