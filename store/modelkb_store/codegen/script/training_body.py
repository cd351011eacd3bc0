"""The statements of a script that run: the recorded ones, with the training put into them."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, field

from modelkb_store.codegen.script.data_program import (
    DataProgram,
    Place,
    condition_of_last_pass,
    is_plain_seeding,
)
from modelkb_store.codegen.script.inert_statements import is_inert
from modelkb_store.codegen.script.source_edits import SourceEdits

_BEFORE, _AFTER = "# <modelkb: the training begins here>", "# <modelkb: the training ends here>"


@dataclass(frozen=True, slots=True)
class Steps:
    """The statements of the training, each a text.

    Attributes:
        seed: Sets the seed; empty if it is not known.
        model: Makes, compiles and, if need be, loads the model.
        restore: Restores the random states; empty if the seed alone decides them.
        fit: Trains it.
        evaluations: Evaluate it, one for each place of the program.
    """

    seed: str
    model: str
    restore: str = ""
    fit: str = ""
    evaluations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a script that run.

    Attributes:
        start: Seed and model, where they come first.
        data: Makes the data; all else, too, where the training is within it.
        training: The call of ``fit`` and what stands right before it.
        evaluation: What comes after it.
    """

    start: str
    data: str
    training: str = ""
    evaluation: str = ""


@dataclass(slots=True)
class BodyWriter:
    """Puts the training into the recorded statements.

    Attributes:
        program: The recorded statements.
        steps: The statements of the training.
        seed: The seed that the run had.
        left_out: Statements of the program that stand elsewhere: imports, constants.
    """

    program: DataProgram
    steps: Steps
    seed: int | None
    left_out: Collection[ast.stmt] = ()
    _edits: SourceEdits = field(init=False)

    def write(self) -> Body:
        """Return the parts, in the order that keeps the random draws."""
        self._edits = SourceEdits(self.program.text)
        for statement in self.left_out:
            self._edits.remove(statement)
        start = self._start()
        for place, text in zip(self.program.evaluations, self.steps.evaluations, strict=True):
            self._edits.replace(place.statement, text)
        return self._split(start, self._edits.result())

    def _start(self) -> str:
        """Place seed and model; returns what comes first of all."""
        steps, seedings = self.steps, self.program.seedings
        moved = self._movable_seeding()
        if moved is not None:
            self._edits.remove(moved.statement)
        is_seeded_elsewhere = bool(seedings) and moved is None
        seed = "" if is_seeded_elsewhere else steps.seed
        if steps.restore:
            self._put_before_training(f"{steps.model}\n{steps.restore}")
            return seed
        if not is_seeded_elsewhere:
            self._put_before_training("")
            return f"{seed}\n\n{steps.model}" if seed else steps.model
        if self._last_seed_is_another(seedings[-1]):
            self._put_before_training(f"{steps.seed}\n{steps.model}")
            return ""
        # What the program draws before is drawn from other generators than the model's seeds.
        if self._gives_seed_itself(seedings[-1]):
            self._edits.replace(seedings[-1].statement, f"{steps.seed}\n{steps.model}")
        else:
            self._edits.insert_after(seedings[-1].statement, steps.model)
        self._put_before_training("")
        return ""

    def _movable_seeding(self) -> Place | None:
        """Return the one statement that sets the seed, if it may come first of all."""
        if len(self.program.seedings) != 1 or not self.steps.seed:
            return None
        place = self.program.seedings[0]
        if not (place.is_outermost and is_plain_seeding(place)):
            return None
        if self._last_seed_is_another(place):
            return None
        body = self.program.tree.body
        before = body[: body.index(place.statement)]
        return place if all(map(is_inert, before)) else None

    def _gives_seed_itself(self, place: Place) -> bool:
        """Return whether a statement sets the run's seed as a plain number."""
        if not (self.steps.seed and is_plain_seeding(place)):
            return False
        given = [each for each in ast.walk(place.statement) if isinstance(each, ast.Constant)]
        names = [each.id for each in ast.walk(place.statement) if isinstance(each, ast.Name)]
        return [each.value for each in given] == [self.seed] and len(names) <= 1

    def _last_seed_is_another(self, place: Place) -> bool:
        """Return whether a statement surely sets another seed than the run had at last."""
        if self.seed is None or not is_plain_seeding(place):
            return False
        call = place.statement.value  # type: ignore[attr-defined]
        given = [*call.args, *(keyword.value for keyword in call.keywords)][:1]
        if given and isinstance(given[0], ast.Name):
            given = [self._assigned_to(given[0].id)]
        return bool(given) and isinstance(given[0], ast.Constant) and given[0].value != self.seed

    def _assigned_to(self, name: str) -> ast.expr:
        found: ast.expr = ast.Name(name)
        for node in ast.walk(self.program.tree):
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.Assign) and isinstance(target, ast.Name) and target.id == name:
                found = node.value
        return found

    def _put_before_training(self, text: str) -> None:
        """Put ``fit``, with statements before it, where it was called."""
        place = self.program.fit
        if place is None:
            if self.program.model is not None:
                self._edits.replace(self.program.model.statement, text or "")
            return
        whole = f"{text}\n{self.steps.fit}" if text else self.steps.fit
        condition = condition_of_last_pass(place)
        if condition is not None:
            inner = "\n".join(f"    {line}" for line in whole.split("\n"))
            whole = f"if {ast.unparse(condition)}:\n{inner}"
        if place.is_outermost:
            whole = f"{_BEFORE}\n{whole}\n{_AFTER}"
        self._edits.replace(place.statement, whole)

    def _split(self, start: str, text: str) -> Body:
        before, mark, rest = text.partition(f"{_BEFORE}\n")
        if not mark:
            return Body(start, text.strip("\n"))
        training, _, after = rest.partition(f"{_AFTER}\n")
        return Body(start, before.strip("\n"), training.strip("\n"), after.strip("\n"))


def body_without_data(steps: Steps, names: tuple[str, str]) -> Body:
    """Return the parts of a script whose data is not known: it says where to put them.

    Args:
        steps: The statements of the training.
        names: The names of the inputs and the targets.
    """
    inputs, targets = names
    message = f"The data of this training was not recorded: assign {inputs} and {targets}."
    data = (
        f"{inputs}, {targets} = None, None  # the data was not recorded: put it here\n"
        f"if {inputs} is None:\n    raise SystemExit({message!r})"
    )
    start = f"{steps.seed}\n\n{steps.model}" if steps.seed else steps.model
    if steps.restore:
        training = f"{steps.model}\n{steps.restore}\n{steps.fit}"
        return Body(steps.seed, data, training)
    return Body(start, data, steps.fit)
