"""One slicing: a program put together, walked back from its goals, and written as text."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modelkb_callbacks.slicing.aliases import Aliases
from modelkb_callbacks.slicing.backward import BackwardWalk
from modelkb_callbacks.slicing.continuation import model_path
from modelkb_callbacks.slicing.data_slice import DataSlice
from modelkb_callbacks.slicing.effect_collector import EffectCollector
from modelkb_callbacks.slicing.effects import Effects
from modelkb_callbacks.slicing.effects import Path as VariablePath
from modelkb_callbacks.slicing.environment_reads import environment_reads
from modelkb_callbacks.slicing.frame_location import FrameLocation
from modelkb_callbacks.slicing.inlining import Inliner
from modelkb_callbacks.slicing.kinds import Kinds
from modelkb_callbacks.slicing.layout import laid_out
from modelkb_callbacks.slicing.leaf_effects import EffectTable
from modelkb_callbacks.slicing.naming import (
    EXPERIMENT_MODEL,
    FIT_DATA,
    choose_names,
    evaluate_name,
    identifiers,
)
from modelkb_callbacks.slicing.program import Branch, Leaf, Node, branches, leaves
from modelkb_callbacks.slicing.redaction import redacted_source
from modelkb_callbacks.slicing.rendering import Renderer
from modelkb_callbacks.slicing.scope import Variable, is_import, is_star, name_of, scope_key
from modelkb_callbacks.slicing.text_edits import Place, start_of


@dataclass(slots=True)
class Slicer:
    """One slicing, step by step.

    Args:
        frames: The user's frames, the one that calls ``fit`` first.
        folders: More folders in which modules of the user's may lie.
        evaluations_left_out: Places of calls of ``evaluate`` that are not followed; None if
            nothing after ``fit`` is.
        block: Whether the first frame is at ``with experiment(model):`` instead of at ``fit``.
    """

    frames: Sequence[FrameLocation]
    folders: Iterable[Path] = ()
    evaluations_left_out: Collection[Place] | None = None
    block: bool = False
    inliner: Inliner = field(init=False)
    effects: EffectTable = field(init=False)
    model: VariablePath = field(init=False, default=("", ""))
    kept: Collection[Node] = field(init=False, default=())
    unknown: list[str] = field(init=False, default_factory=list)

    def slice(self) -> DataSlice | None:
        """Return the slice; None if the call is not in the source.

        Raises:
            Exception: The source is of a kind that nobody has thought of.
        """
        self.inliner = Inliner(
            self.frames,
            self.folders,
            evaluations_left_out=self.evaluations_left_out,
            block=self.block,
        )
        self.inliner.build()
        program = self.inliner.program
        if self.inliner.fit is None and self.inliner.block is None:
            return None
        walk = self._walk()
        self.kept = walk.kept
        self._add_values(walk)
        self._note_problems(walk)
        kept = [node for node in self.everything() if node in walk.kept]
        variables = {
            variable for node in kept for variable in self.effects[node].references.values()
        }
        for node in kept:
            if isinstance(node, Leaf):
                variables |= set(node.targets)
        taken = identifiers(node.node for node in kept if isinstance(node, Leaf))
        names = choose_names(
            (each for each in variables if scope_key(each) in program.scopes or is_import(each)),
            program.scopes,
            taken,
            self._reserved(),
        )
        renderer = Renderer(program.scopes, self.effects, walk.kept, walk.used, names)
        blocks = [renderer.block(module) for module in program.modules]
        blocks.append(renderer.block(program.main))
        future = any(
            "from __future__ import annotations" in scope.source.text
            for scope in program.scopes.values()
        )
        text = redacted_source(
            laid_out([line for block in blocks for line in block], future=future)
        )
        reads = environment_reads(text)
        in_environment = any(self.effects[node].environment for node in kept)
        if "__file__" in text:
            program.add_problem("the text asks for `__file__`, the place of the script")
        return DataSlice(
            text=text,
            arguments=dict(renderer.arguments),
            problems=tuple(program.problems),
            line=self.frames[0].line,
            reads_command_line=any(self.effects[node].command_line for node in kept),
            reads_environment=in_environment or bool(reads.names),
            environment_names=reads.names,
            # `environs`, `decouple` and the like read what their own functions are told.
            reads_other_variables=reads.has_others or (in_environment and not reads.names),
            model_name=renderer.model_name,
        )

    def _reserved(self) -> list[str]:
        if self.block:
            return [EXPERIMENT_MODEL]
        return [FIT_DATA, *(evaluate_name(number) for number in range(len(self.places)))]

    @property
    def places(self) -> list[Place]:
        """Where the calls of ``evaluate`` are that are followed."""
        continuation = self.inliner.continuation
        return [start_of(each.node) for each in continuation.evaluations] if continuation else []

    @property
    def evaluation_problems(self) -> list[str]:
        """What could not be followed of the evaluations after ``fit``."""
        continuation = self.inliner.continuation
        return continuation.problems if continuation else []

    def _walk(self) -> BackwardWalk:
        program = self.inliner.program
        kinds = Kinds(program)
        collector = EffectCollector(program, kinds, self.inliner.modules.resolve)
        aliases = Aliases(collector.roots)
        self.model = self._mark_model(kinds)
        self.effects = EffectTable(collector, aliases)
        seeded: set[str] = set()
        for _ in range(2):  # again for modules that were met only in functions
            for node in self.everything():
                seeded |= self.effects.outside(node).seeds
        given = self.model if self.block else ("", "")
        walk = BackwardWalk(program, self.effects, aliases, frozenset(seeded), given)
        walk.run()
        walk.note_disturbances()
        return walk

    def _mark_model(self, kinds: Kinds) -> VariablePath:
        """Note which variable holds the model, and return it."""
        fit, block = self.inliner.fit, self.inliner.block
        node: ast.expr | None = None
        if block is not None:
            node = block.model
        elif fit is not None and isinstance(fit.node, ast.Call):
            node = fit.node.func.value if isinstance(fit.node.func, ast.Attribute) else None
        scope = block.scope if block else fit.scope if fit else None
        if scope is None:
            return ("", "")
        path = model_path(node, scope)
        if isinstance(node, ast.Name) and path[0] and not scope.own_object_named(node.id):
            kinds.mark_as_model(path[0])
        return path

    def everything(self) -> list[Node]:
        """Return all nodes of the program."""
        program = self.inliner.program
        blocks = [*program.modules, program.main]
        found: list[Node] = []
        for block in blocks:
            found += leaves(block)
            found += branches(block)
        return found

    def _add_values(self, walk: BackwardWalk) -> None:
        """Write down plain values that nothing in the source gives."""
        made: set[Variable] = set()
        for node in walk.kept:
            effects = self.effects[node]
            made |= effects.defines | {path[0] for path in effects.changes}
        program = self.inliner.program
        for variable in sorted({path[0] for path in walk.missing} - made):
            if is_import(variable) or is_star(variable) or not variable[0].isdigit():
                continue
            scope = program.scopes.get(scope_key(variable))
            if scope is None or scope.parent is None:
                continue
            values = self.inliner.values
            if variable in values:
                leaf = Leaf(ast.Constant(values[variable]), scope, "binding", (variable,), False)
                self.effects.add(leaf, Effects(defines={variable}))
                program.main.insert(0, leaf)
                walk.kept.add(leaf)
            else:
                name = name_of(variable)
                self.unknown.append(
                    f"`{name}` of {scope.title}() comes from a call that is not known"
                )
                program.add_problem(self.unknown[-1])

    def _note_problems(self, walk: BackwardWalk) -> None:
        program = self.inliner.program
        for generator, leaf in walk.disturbed.items():
            line = getattr(leaf.node, "lineno", 0)
            where = leaf.scope.source.location(line)
            program.add_problem(
                f"{where} draws from the seeded generator of {generator} before the data do, "
                "and is not kept"
            )
        for node in self.everything():
            if not isinstance(node, Branch) or node.kind != "loop" or node not in walk.kept:
                continue
            if node.around and not node.ends:
                line = getattr(getattr(node.node, "target", node.node), "lineno", 0)
                where = node.scope.source.location(line)
                what = "the block" if self.block else "fit()"
                program.add_problem(
                    f"{what} is in the loop at {where}: the data are of its first pass"
                )
