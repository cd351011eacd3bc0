"""Walking back from ``fit`` and keeping what its data depends on."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from modelkb_callbacks.slicing.aliases import Aliases
from modelkb_callbacks.slicing.effects import Effects, Path, random_state
from modelkb_callbacks.slicing.experiment_call import only_records
from modelkb_callbacks.slicing.leaf_effects import EffectTable
from modelkb_callbacks.slicing.needs import Needs
from modelkb_callbacks.slicing.program import Branch, Leaf, Node, Program, leaves

_MOST_PASSES = 60


class BackwardWalk:
    """Finds the statements that a program needs to compute what its last one uses.

    Args:
        program: The program.
        effects: What each statement, and the head of each compound one, does.
        aliases: Which variables share memory.
        seeded: Random generators that are seeded anywhere in the program.
        given: What is there by other means, so that nothing that makes it is kept.
    """

    def __init__(
        self,
        program: Program,
        effects: EffectTable,
        aliases: Aliases,
        seeded: frozenset[str],
        given: Path = ("", ""),
    ) -> None:
        self._program = program
        self._effects = effects
        self._aliases = aliases
        self._seeded = seeded
        self._given = given
        self._sticky = Needs()  # read by functions at times that are not known
        self._carried: dict[Branch, Needs] = {}
        self._changed = False
        self._loops: list[tuple[Needs, Needs]] = []  # needs after each loop, and at its head
        self._tried = 0  # bodies of `try` around, any part of which may not have been run
        self.kept: set[Leaf | Branch] = set()
        self.used: set[str] = set()
        self.disturbed: dict[str, Leaf] = {}
        self.missing: Needs = Needs()

    def run(self) -> None:
        """Walk until nothing more is found to be needed."""
        for _ in range(_MOST_PASSES):
            before = (len(self.kept), len(self._sticky))
            self._changed = False
            needs = self._block(self._program.main, Needs())
            for module in reversed(self._program.modules):
                needs = self._block(module, needs)
            if not self._changed and before == (len(self.kept), len(self._sticky)):
                break
        needs.add(self._sticky)
        self.missing = needs

    def _block(self, nodes: list[Node], needs: Needs) -> Needs:
        for node in reversed(nodes):
            if isinstance(node, Leaf):
                self._leaf(node, needs)
            elif node.kind == "loop":
                needs = self._loop(node, needs)
            elif node.kind == "try":
                needs = self._try(node, needs)
            elif node.kind == "with":
                needs = self._with(node, needs)
            else:
                needs = self._choice(node, needs)
        return needs

    def _leaf(self, leaf: Leaf, needs: Needs) -> None:
        effects = self._effects.outside(leaf)
        self._jump(leaf, needs)
        if not (leaf in self.kept or leaf.forced or self._acts_on(effects, needs)):
            return
        if leaf.role == "test" and not self._acts_on(effects, needs) and leaf not in self.kept:
            return
        self.kept.add(leaf)
        effects = self._effects[leaf]
        uses = self._uses(leaf, effects, needs)
        if not self._tried:
            for variable in effects.defines:
                needs.drop(variable)
            for generator in effects.seeds:
                needs.drop(random_state(generator)[0])
        self._need(uses, effects, needs)

    def _jump(self, leaf: Leaf, needs: Needs) -> None:
        """Need what is needed where a ``break`` or ``continue`` goes on."""
        if self._loops and isinstance(leaf.node, (ast.Break, ast.Continue)):
            after, head = self._loops[-1]
            needs.add(after)
            if isinstance(leaf.node, ast.Continue):
                needs.add(head)

    def _uses(self, leaf: Leaf, effects: Effects, needs: Needs) -> Iterable[Path]:
        """Return what a statement reads; of an object handed over, only what is needed of it."""
        if leaf.role == "binding" and isinstance(leaf.node, ast.Name) and len(effects.uses) == 1:
            attributes = needs.attributes(leaf.targets[0])
            if attributes and "" not in attributes:
                variable = next(iter(effects.uses))[0]
                return {(variable, attribute) for attribute in attributes}
        return effects.uses

    def _need(self, uses: Iterable[Path], effects: Effects, needs: Needs) -> None:
        needs.add(path for path in uses if not self._is_given(path))
        self.used.update(path[0] for path in uses)
        self._sticky.add(path for path in effects.deferred if not self._is_given(path))
        needs.add(random_state(each) for each in effects.draws & self._seeded)

    def _is_given(self, path: Path) -> bool:
        variable, attribute = self._given
        return path[0] == variable and attribute in ("", path[1])

    def _makes_given(self, effects: Effects) -> bool:
        made = {*effects.changes, *((variable, "") for variable in effects.defines)}
        return any(self._is_given(path) for path in made)

    def _acts_on(self, effects: Effects, needs: Needs) -> bool:
        if effects.seeds or effects.always:
            return True
        for variable in effects.defines:
            if needs.has_variable(variable) or self._sticky.has_variable(variable):
                return True
        for change in effects.changes:
            if self._is_given(change):
                continue
            for path in self._aliases.group(change):
                if needs.touches(path) or self._sticky.touches(path):
                    return True
        return self._draws(effects, needs)

    def _draws(self, effects: Effects, needs: Needs) -> bool:
        # A model is not built for the seeds that it takes; that they are missing is noted.
        draws = effects.draws - {"python"} if effects.builds_model else effects.draws
        return any(needs.touches(random_state(each)) for each in draws)

    def _holds_kept(self, nodes: Iterable[Node]) -> bool:
        return any(
            node in self.kept and not (isinstance(node, Leaf) and self._is_passive(node))
            for node in nodes
        )

    def _holds_work(self, nodes: Iterable[Node]) -> bool:
        """Return whether something kept does more than name the data of an evaluation."""
        for node in nodes:
            if isinstance(node, Branch):
                acts = node in self.kept and bool(self._effects[node].changes)
                if acts or any(self._holds_work(arm.nodes) for arm in node.arms):
                    return True
            elif self._holds_kept([node]) and node.role != "evaluate":
                return True
        return False

    def _is_passive(self, leaf: Leaf) -> bool:
        """Return whether a statement is kept as the goal, or only hands on what there is."""
        if leaf.role not in ("binding", "unpacking", "fit"):
            return False
        return not (self._effects[leaf].changes or self._effects[leaf].draws)

    def _keep_branch(self, branch: Branch) -> None:
        if branch not in self.kept:
            self.kept.add(branch)
            self._changed = True

    def _choice(self, branch: Branch, needs: Needs) -> Needs:
        effects = self._effects[branch]
        live = [arm for arm in branch.arms if not arm.dead]
        outs = [self._block(arm.nodes, needs.copy()) for arm in live]
        inside = [node for arm in live for node in arm.nodes]
        acts = self._acts_on(effects, needs)
        always_one = branch.around or (branch.kind == "if" and len(branch.arms) == 2)
        result = Needs() if always_one else needs.copy()
        for out in outs:
            result.add(out)
        # Where the other way leaves the function, this one was surely gone, test or not.
        is_open = branch.kind == "if" and len(live) < len(branch.arms)
        matters = (self._holds_kept(inside) and not is_open) or branch.around
        if acts or matters or branch in self.kept:
            self._keep_branch(branch)
            self._need(effects.uses, effects, result)
        return result

    def _loop(self, branch: Branch, needs: Needs) -> Needs:
        effects = self._effects[branch]
        end = needs.copy()
        for arm in branch.arms[1:]:
            after = self._block(arm.nodes, needs.copy())
            after.add(needs)
            needs = after
        carried = self._carried.setdefault(branch, Needs())
        size = len(carried)
        around = needs.copy()
        around.add(carried)
        end.add(needs)
        self._loops.append((end, around))
        out = self._block(branch.arms[0].nodes, around.copy())
        self._loops.pop()
        if branch in self.kept:
            self._need(effects.uses, effects, out)
        inside = [node for arm in branch.arms for node in arm.nodes]
        if (
            self._acts_on(effects, around)
            or self._acts_on(effects, out)
            or self._holds_kept(inside)
        ):
            self._keep_branch(branch)
            for jump in branch.jumps:
                if not jump.forced:
                    jump.forced = True
                    self._changed = True
        for variable in effects.defines:
            out.drop(variable)  # set by each pass before its body
        carried.add(out)
        if len(carried) != size:
            self._changed = True
        around.add(out)
        if branch in self.kept:
            self._need(effects.uses, effects, around)
        return around

    def _try(self, branch: Branch, needs: Needs) -> Needs:
        result = needs.copy()
        result.add(self._carried.setdefault(branch, Needs()))
        for arm in reversed(branch.arms):
            if not arm.dead:
                self._tried += arm.kind == "body"
                result.add(self._block(arm.nodes, result.copy()))
                self._tried -= arm.kind == "body"
        parts = [arm for arm in branch.arms if not arm.dead and arm.kind in ("except", "else")]
        if any(self._holds_kept(arm.nodes) for arm in parts) or branch.around:
            self._force(leaves(branch.arms[0].nodes))  # which ran depends on all that was tried
        elif any(arm.kind == "except" for arm in parts):
            # Whether one of them was reached depends on those before it.
            tried = list(leaves(branch.arms[0].nodes))
            last = max((place for place, each in enumerate(tried) if each in self.kept), default=0)
            self._force(each for each in tried[:last] if not _is_print(each))
        if any(self._holds_kept(arm.nodes) for arm in branch.arms) or branch.around:
            self._keep_branch(branch)
        if branch in self.kept:
            effects = self._effects[branch]
            self._need(effects.uses, effects, result)
        return result

    def _force(self, found: Iterable[Leaf]) -> None:
        for leaf in found:
            if not leaf.forced:
                leaf.forced = True
                self._changed = True

    def _with(self, branch: Branch, needs: Needs) -> Needs:
        effects = self._effects[branch]
        out = self._block(branch.arms[0].nodes, needs)
        acts = self._acts_on(effects, out)
        body = branch.arms[0].nodes
        evaluates = any(leaf.role == "evaluate" for leaf in leaves(body))
        inside = self._holds_work(body) if evaluates else self._holds_kept(body)
        inside = inside and not effects.builds_model
        inside = inside and not only_records(branch.node, branch.scope)
        if acts or inside or branch.model or branch in self.kept:
            self._keep_branch(branch)
            for variable in effects.defines:
                out.drop(variable)
            self._need(effects.uses, effects, out)
        return out

    def note_disturbances(self) -> None:
        """Note what draws from a random generator in between, and is not kept."""
        last: dict[str, Leaf] = {}
        order = [leaf for module in self._program.modules for leaf in leaves(module)]
        order += leaves(self._program.main)
        drawing: dict[str, int] = {}
        for number, leaf in enumerate(order):
            if leaf in self.kept:
                for generator in self._effects.outside(leaf).draws & self._seeded:
                    drawing[generator] = number
        since_seed: dict[str, Leaf] = {}
        for number, leaf in enumerate(order):
            effects = self._effects.outside(leaf)
            for generator in effects.seeds:
                since_seed.pop(generator, None)
            if leaf.is_replaced or self._makes_given(effects):
                continue  # it is run all the same
            if leaf not in self.kept:
                for generator in effects.draws & self._seeded:
                    if number < drawing.get(generator, -1):
                        since_seed.setdefault(generator, leaf)
            else:
                for generator in effects.draws & set(since_seed):
                    last.setdefault(generator, since_seed[generator])
        self.disturbed = last


def _is_print(leaf: Leaf) -> bool:
    node = leaf.node.value if isinstance(leaf.node, ast.Expr) else None
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    )
