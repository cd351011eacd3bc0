"""What a call does: to its arguments, to its object, to files and random generators."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.slicing import known_calls
from modelkb_callbacks.slicing.effects import FILES, FLAGS, Effects, Path
from modelkb_callbacks.slicing.kinds import SCALAR_ATTRIBUTES, Kinds
from modelkb_callbacks.slicing.known_methods import PURE_METHODS
from modelkb_callbacks.slicing.program import Definition, Program
from modelkb_callbacks.slicing.scope import Scope, Variable, is_import, name_of

if TYPE_CHECKING:
    from modelkb_callbacks.slicing.effect_collector import EffectCollector

_TRAINING = frozenset({"fit", "fit_generator", "xfit", "train_on_batch", "evaluate", "predict"})


class CallEffects:
    """Collects the effects of calls."""

    def __init__(self, program: Program, kinds: Kinds, collector: EffectCollector) -> None:
        self._program = program
        self._kinds = kinds
        self._collector = collector

    def visit(self, node: ast.Call, scope: Scope, effects: Effects, *, dropped: bool) -> None:
        """Add what a call does."""
        self._visit_parts(node, scope, effects)
        dotted = scope.dotted_name(node.func)
        name = dotted.rpartition(".")[2] or _last_name(node.func)
        if name == "super" and isinstance(node.func, ast.Name) and scope.own_variable():
            effects.uses.add((scope.own_variable(), ""))
        self._global_state(node, dotted, name, scope, effects)
        changed = self._by_arguments(node, scope)
        definitions = self._definitions(node, scope)
        for definition in definitions:
            self._call_user(node, definition, scope, effects)
        if dotted:
            changed |= self._of_library(node, dotted, scope, dropped=dropped)
        elif isinstance(node.func, ast.Attribute):
            if not self._is_own(node, definitions, scope):
                changed |= self._of_method(node, node.func, scope, dropped=dropped)
        elif isinstance(node.func, ast.Name) and not definitions:
            changed |= self._of_function(node, node.func, scope, dropped=dropped)
        effects.changes |= changed

    def roots(self, node: ast.expr, scope: Scope) -> set[Path]:
        """Return the variables that share memory with an expression's value, or may."""
        if isinstance(node, ast.Name):
            variable = scope.variable(node.id)
            return set() if variable is None or self._is_apart(variable) else {(variable, "")}
        if isinstance(node, ast.Attribute):
            return self._roots_of_attribute(node, scope)
        if isinstance(node, (ast.Subscript, ast.Starred, ast.Await, ast.NamedExpr)):
            return self.roots(node.value, scope)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return self._roots_of_all(node.elts, scope)
        if isinstance(node, ast.Dict):
            return self._roots_of_all(node.values, scope)
        if isinstance(node, ast.IfExp):
            return self.roots(node.body, scope) | self.roots(node.orelse, scope)
        if isinstance(node, ast.BoolOp):
            return self._roots_of_all(node.values, scope)
        if isinstance(node, ast.Call):
            return self._roots_of_call(node, scope)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            # Loop variables give parts of what they run over.
            return self._roots_of_all([each.iter for each in node.generators], scope)
        return set()

    def _roots_of_all(self, nodes: list[ast.expr], scope: Scope) -> set[Path]:
        return {path for node in nodes for path in self.roots(node, scope)}

    def _roots_of_attribute(self, node: ast.Attribute, scope: Scope) -> set[Path]:
        if node.attr in SCALAR_ATTRIBUTES:
            return set()
        if isinstance(node.value, ast.Name):
            module = scope.user_module(node.value.id)
            if module is not None:
                part = module.variable(node.attr)
                return {(part, "")} if part else set()
            if scope.own_object_named(node.value.id):
                return {(scope.variable(node.value.id) or "", node.attr)}
        return self.roots(node.value, scope)

    def _roots_of_call(self, node: ast.Call, scope: Scope) -> set[Path]:
        name = _last_name(node.func)
        if name == "super" and isinstance(node.func, ast.Name):
            own = scope.own_variable()
            return {(own, "")} if own else set()
        if known_calls.is_fresh(name) or self._kinds.of(node, scope) in (
            "model",
            "harmless",
            "scalar",
        ):
            return set()
        is_builtin = isinstance(node.func, ast.Name) and scope.variable(node.func.id) is None
        if is_builtin and not known_calls.passes_on(name):
            return set()
        found = self._roots_of_all(_arguments(node), scope)
        if isinstance(node.func, ast.Attribute):
            found |= self.roots(node.func.value, scope)
        return found

    def _is_apart(self, variable: Variable) -> bool:
        """Return whether nothing that happens to a variable's value can reach another's."""
        if is_import(variable) or variable in self._program.definitions:
            return True
        return self._kinds.of_variable(variable) in ("scalar", "class")

    def _visit_parts(self, node: ast.Call, scope: Scope, effects: Effects) -> None:
        own = self._own_reads(node, scope)
        if own is None:
            self._collector.visit(node.func, scope, effects)
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                name = node.func.value.id
                if scope.own_object_named(name):  # a method that is not known may read all of it
                    effects.uses.add((scope.variable(name) or "", ""))
        else:
            effects.uses |= own
        builtin = isinstance(node.func, ast.Name) and scope.variable(node.func.id) is None
        for part in [*node.args, *node.keywords]:
            if builtin and isinstance(part, ast.GeneratorExp):
                # Run to its end before the call returns, so nothing is put off.
                now = self._collector.of([part], scope)
                now.deferred.clear()
                effects.uses |= now.uses
                effects.defines |= now.defines
                effects.changes |= now.changes
                effects.add_flags(now)
                effects.add_references(now)
            else:
                self._collector.visit(part, scope, effects)

    def _own_reads(self, node: ast.Call, scope: Scope) -> set[Path] | None:
        """Return which attributes a method of the user's reads of its object; None: all."""
        if not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
            return None
        definitions = self._definitions(node, scope)
        if not self._is_own(node, definitions, scope):
            return None
        variable = scope.variable(node.func.value.id)
        found: set[Path] = set()
        for definition in definitions:
            summary, inner = self._collector.summary(definition)
            own = f"{inner.key}:{inner.own_object}"
            found |= {(variable or "", path[1]) for path in summary.uses if path[0] == own}
        return found | {(variable or "", node.func.attr)}

    def _is_own(self, node: ast.Call, definitions: list[Definition], scope: Scope) -> bool:
        """Return whether a method is surely one of the user's own, called on a plain name."""
        if not definitions or not isinstance(node.func, ast.Attribute):
            return False
        base = node.func.value
        if not isinstance(base, ast.Name):
            return False
        if scope.own_object_named(base.id):
            return True
        return self._kinds.class_of(base, scope) is not None

    def _global_state(
        self, node: ast.Call, dotted: str, name: str, scope: Scope, effects: Effects
    ) -> None:
        seeds = known_calls.seeded(dotted) if dotted else ()
        effects.seeds.update(seeds)
        if not seeds:
            effects.draws.update(known_calls.drawn(dotted, name, node))
        if known_calls.builds_model(dotted) or self._trains(node, scope):
            # Initializers and dropout take their seeds from Python's generator.
            effects.builds_model = True
            effects.draws.add("python")
        effects.always |= bool(dotted) and known_calls.configures(dotted)
        effects.command_line |= known_calls.reads_command_line(dotted, name)
        effects.environment |= known_calls.reads_environment(dotted)
        if dotted.startswith("absl.flags.DEFINE"):
            effects.changes.add(FLAGS)
        elif dotted.startswith("absl.flags"):
            effects.uses.add(FLAGS)
        if known_calls.is_harmless(dotted) or known_calls.builds_model(dotted):
            return
        if known_calls.reads_files(dotted or name):
            effects.uses.add(FILES)
        if known_calls.writes_files(dotted or name) or _opens_for_writing(node, name):
            effects.changes.add(FILES)

    def _trains(self, node: ast.Call, scope: Scope) -> bool:
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in _TRAINING:
            return False
        return self._kinds.of(node.func.value, scope) == "model"

    def _by_arguments(self, node: ast.Call, scope: Scope) -> set[Path]:
        """Return what a call changes because it was told to: ``out=x``, ``inplace=True``."""
        changed: set[Path] = set()
        for each in node.keywords:
            if each.arg == "out":
                changed |= self.roots(each.value, scope)
            says_true = isinstance(each.value, ast.Constant) and each.value.value is True
            says_false = isinstance(each.value, ast.Constant) and each.value.value is False
            in_place = each.arg == "inplace" and not says_false
            if isinstance(node.func, ast.Attribute):
                if in_place:
                    changed |= self.roots(node.func.value, scope)
                if each.arg == "copy" and not says_true:
                    changed |= self._roots_of_all(node.args, scope)
        return changed

    def _definitions(self, node: ast.Call, scope: Scope) -> list[Definition]:
        """Return the user's functions that a call may run."""
        definitions = self._program.definitions
        if isinstance(node.func, ast.Name):
            return definitions.get(scope.variable(node.func.id) or "", [])
        if not isinstance(node.func, ast.Attribute):
            return []
        base = node.func.value
        module = scope.user_module(base.id) if isinstance(base, ast.Name) else None
        if module is not None:
            return definitions.get(module.variable(node.func.attr) or "", [])
        if scope.dotted_name(node.func):
            return []
        return self._program.methods.get(node.func.attr, [])

    def _call_user(
        self, node: ast.Call, definition: Definition, scope: Scope, effects: Effects
    ) -> None:
        """Add what a function of the user's does, in terms of the arguments."""
        maker = definition
        if isinstance(definition.node, ast.ClassDef):
            made = [
                each
                for each in definition.node.body
                if isinstance(each, ast.FunctionDef) and each.name == "__init__"
            ]
            if not made:
                return
            maker = Definition(made[0], definition.scope)
        summary, inner = self._collector.summary(maker)
        effects.add_flags(summary)
        own = f"{inner.key}:"
        outside = {path for path in summary.changes if not path[0].startswith(own)}
        outside |= {(each, "") for each in summary.defines if not each.startswith(own)}
        effects.changes |= outside
        effects.uses |= {path for path in summary.uses if path in (FILES, FLAGS)}
        inside = [path for path in summary.changes if path[0].startswith(own)]
        for path in inside:
            effects.changes |= self._passed(node, maker, name_of(path[0]), path[1], scope)

    def _passed(
        self,
        node: ast.Call,
        maker: Definition,
        parameter: str,
        attribute: str,
        scope: Scope,
    ) -> set[Path]:
        """Return what the caller knows a changed parameter as."""
        if isinstance(maker.node, ast.ClassDef):
            return set()
        arguments = maker.node.args
        names = [each.arg for each in [*arguments.posonlyargs, *arguments.args]]
        has_own = bool(names) and names[0] in ("self", "cls")
        if isinstance(node.func, ast.Attribute) and has_own and parameter == names[0]:
            base = self.roots(node.func.value, scope)
            return {(path[0], path[1] or attribute) for path in base}
        found = [each.value for each in node.keywords if each.arg in (parameter, None)]
        place = names.index(parameter) - has_own if parameter in names else -1
        has_star = any(isinstance(each, ast.Starred) for each in node.args)
        if has_star or (arguments.vararg and arguments.vararg.arg == parameter):
            found += node.args
        elif 0 <= place < len(node.args):
            found.append(node.args[place])
        if arguments.kwarg and arguments.kwarg.arg == parameter:
            found += [each.value for each in node.keywords]
        return self._roots_of_all(found, scope)

    def _of_library(self, node: ast.Call, dotted: str, scope: Scope, *, dropped: bool) -> set[Path]:
        if known_calls.is_harmless(dotted) or known_calls.builds_model(dotted):
            return set()
        if dotted.endswith(".shuffle") or dropped:
            return self._roots_of_all(_arguments(node), scope)
        return set()

    def _of_method(
        self, node: ast.Call, func: ast.Attribute, scope: Scope, *, dropped: bool
    ) -> set[Path]:
        kind = self._kinds.of(func.value, scope)
        changed: set[Path] = set()
        if kind == "harmless":
            return changed
        if func.attr not in PURE_METHODS:
            changed |= self.roots(func.value, scope)
        if kind == "model" or known_calls.leaves_arguments(func.attr):
            return changed
        if dropped:
            changed |= self._roots_of_all(_arguments(node), scope)
        return changed

    def _of_function(
        self, node: ast.Call, func: ast.Name, scope: Scope, *, dropped: bool
    ) -> set[Path]:
        variable = scope.variable(func.id)
        if variable is None and known_calls.builtin_changes(func.id):
            return self._roots_of_all(node.args[:1], scope)
        kind = self._kinds.of_variable(variable)
        if kind in ("model", "harmless") or (
            variable is None and known_calls.builtin_is_harmless(func.id)
        ):
            return set()
        changed = self.roots(func, scope)  # what is called can have a state of its own
        if dropped:
            changed |= self._roots_of_all(_arguments(node), scope)
        return changed


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(each.value for each in node.keywords)]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _opens_for_writing(node: ast.Call, name: str) -> bool:
    if name != "open":
        return False
    modes = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "mode")]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and set(mode.value) & set("wax+")
        for mode in modes
    )
