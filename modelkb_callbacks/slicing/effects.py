"""What one statement does: which variables it uses, defines and may change."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from modelkb_callbacks.slicing.scope import Variable

Path = tuple[Variable, str]  # a variable, or one attribute of a method's own object

FILES: Path = ("files:", "")
FLAGS: Path = ("flags:", "")


def random_state(generator: str) -> Path:
    """Return what stands for the state of a global random generator."""
    return (f"random:{generator}", "")


@dataclass(slots=True)
class Effects:
    """What a statement or an expression does when it runs.

    Attributes:
        uses: What it reads.
        defines: Variables that it gives a new value, whatever they held before.
        changes: What it changes or may change in place, or rebinds without certainty.
        deferred: What functions that it makes will read, at a time that is not known.
        seeds: Global random generators that it sets.
        draws: Global random generators that it draws from.
        builds_model: Whether it makes or trains a part of a model.
        always: Whether it changes a setting of the process.
        command_line: Whether it reads the command line.
        environment: Whether it reads environment variables.
        references: The variable that each name stands for, by its node's id. The same node
            is another variable's where a function's body is part of the program as well.
        removed: Imports of the user's modules inside of functions, by the node's id.
    """

    uses: set[Path] = field(default_factory=set)
    defines: set[Variable] = field(default_factory=set)
    changes: set[Path] = field(default_factory=set)
    deferred: set[Path] = field(default_factory=set)
    seeds: set[str] = field(default_factory=set)
    draws: set[str] = field(default_factory=set)
    builds_model: bool = False
    always: bool = False
    command_line: bool = False
    environment: bool = False
    references: dict[tuple[int, str], Variable] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)

    def refer(self, node: ast.AST, name: str, variable: Variable) -> None:
        """Note which variable a name in a node stands for."""
        self.references[id(node), name] = variable

    def add_flags(self, other: Effects) -> None:
        """Take over what holds wherever in a statement it is."""
        self.seeds |= other.seeds
        self.draws |= other.draws
        self.builds_model |= other.builds_model
        self.always |= other.always
        self.command_line |= other.command_line
        self.environment |= other.environment

    def add_references(self, other: Effects) -> None:
        """Take over what the names in a part stand for."""
        self.references.update(other.references)
        self.removed |= other.removed

    def outside_of(self, scope_key: int) -> Effects:
        """Return the same without the variables of a scope that is inside."""
        prefix = f"{scope_key}:"
        kept = Effects(
            uses={path for path in self.uses if not path[0].startswith(prefix)},
            defines={each for each in self.defines if not each.startswith(prefix)},
            changes={path for path in self.changes if not path[0].startswith(prefix)},
            deferred={path for path in self.deferred if not path[0].startswith(prefix)},
        )
        kept.references = {
            place: each for place, each in self.references.items() if not each.startswith(prefix)
        }
        kept.removed = self.removed
        kept.add_flags(self)
        return kept
