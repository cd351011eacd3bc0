"""Putting together, from the stack, the program that led to the call of ``fit``."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from modelkb_callbacks.slicing.bound_names import bound_names, local_names
from modelkb_callbacks.slicing.call_site import CallSite, blocks_of, find_call_site
from modelkb_callbacks.slicing.continuation import Continuation
from modelkb_callbacks.slicing.conversion import TRIES, Converter
from modelkb_callbacks.slicing.experiment_call import is_experiment, model_of_experiment
from modelkb_callbacks.slicing.frame_location import FIT_NAMES, FrameLocation, Scalar
from modelkb_callbacks.slicing.module_finder import ModuleFinder
from modelkb_callbacks.slicing.module_table import ModuleTable
from modelkb_callbacks.slicing.parameters import ParameterBinder, is_handed_through
from modelkb_callbacks.slicing.program import Arm, Branch, Leaf, Node, Program, leaves
from modelkb_callbacks.slicing.scope import Scope, Variable
from modelkb_callbacks.slicing.text_edits import Place
from modelkb_callbacks.source_code import SourceCode

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Inliner:
    """Follows a stack from the script's first statement down to ``fit``.

    The body of each function on the stack stands where it is called, with its parameters
    bound to the arguments of that very call, so that one flat program is left.

    Args:
        frames: The user's frames, the one that calls ``fit`` first.
        folders: More folders in which modules of the user's may lie.
        evaluations_left_out: Places of calls of ``evaluate`` that are not followed; None if
            nothing after ``fit`` is.
        block: Whether the first frame is at ``with experiment(model):`` instead of at ``fit``.
    """

    def __init__(
        self,
        frames: Sequence[FrameLocation],
        folders: Iterable[Path] = (),
        *,
        evaluations_left_out: Collection[Place] | None = None,
        block: bool = False,
    ) -> None:
        self.program = Program()
        self.fit: Leaf | None = None
        self.continuation: Continuation | None = None
        self.block: Branch | None = None
        self._left_out = evaluations_left_out
        self._is_block = block
        self._converter = Converter(self.program)
        paths = [each.source.path.parent for each in frames if each.source.path]
        finder = ModuleFinder([*paths, *folders])
        self.modules = ModuleTable(self.program, finder, self._converter.convert)
        self._frames, self._sites = self._usable(_with_shared_sources(frames))
        self._scopes: list[tuple[CallSite, Scope]] = []
        self._binder = ParameterBinder(self.program, self._converter)

    @property
    def values(self) -> Mapping[Variable, Scalar]:
        """Plain values that variables of the functions on the stack have as ``fit`` runs."""
        return self._binder.values

    def build(self) -> None:
        """Fill the program; ``fit`` stays None if the call isn't found."""
        if not self._frames or self._sites[0].call is None:
            return
        outermost = len(self._frames) - 1
        frame, site = self._frames[outermost], self._sites[outermost]
        module = self.modules.scope(frame.source, whole=not frame.is_module)
        if frame.is_module:
            self.program.main = self._down(outermost, frame.source.tree.body, 0, module)
        else:
            self.program.main = self._enter(outermost, None, module)
            self.program.add_problem(f"what calls {site_name(site)}() is not known")

    def _usable(
        self, frames: Sequence[FrameLocation]
    ) -> tuple[list[FrameLocation], list[CallSite]]:
        """Return the frames up to the first that can't be found in its source."""
        found: list[CallSite] = []
        callees: Iterable[str] = {"experiment"} if self._is_block else FIT_NAMES
        for frame in frames:
            site = find_call_site(frame, callees)
            if site is None:
                where = frame.source.location(frame.line)
                self.program.add_problem(f"{where}: {frame.function} is not in this source")
                break
            found.append(site)
            callees = {frame.function, site.parents[-1].name if site.parents else ""}
        return list(frames[: len(found)]), found

    def _down(
        self,
        index: int,
        block: Sequence[ast.AST],
        depth: int,
        scope: Scope,
        *,
        whole: bool = False,
    ) -> list[Node]:
        """Return the nodes of a block up to the statement on the path, and that opened up.

        What comes after that follows as far as it matters, or all of it.
        """
        site = self._sites[index]
        here = site.path[depth]
        place = next(number for number, each in enumerate(block) if each is here)
        nodes = self._converter.convert(block[:place], scope, passed=True)
        if depth == len(site.path) - 1:
            nodes += self._call(index, here, scope)
        elif isinstance(here, (ast.ExceptHandler, ast.match_case)):
            return nodes
        else:
            nodes += self._around(index, here, depth, scope)
        return nodes + self._after(index, block[place + 1 :], scope, whole=whole)

    def _after(
        self, index: int, rest: Sequence[ast.AST], scope: Scope, *, whole: bool
    ) -> list[Node]:
        if index == 0 and self.continuation is not None:
            return self.continuation.convert(rest, scope, whole=whole)  # type: ignore[arg-type]
        return self._converter.convert(rest, scope) if whole else []

    def _around(self, index: int, here: ast.AST, depth: int, scope: Scope) -> list[Node]:
        """Return a compound statement with the call inside."""
        below = self._sites[index].path[depth + 1]
        if isinstance(below, (ast.ExceptHandler, ast.match_case)):
            if depth + 2 >= len(self._sites[index].path):  # in the head of the handler or case
                return self._call(index, below, scope)
            return self._in_part(index, here, below, depth, scope)
        block = next(each for each in blocks_of(here) if any(node is below for node in each))
        in_loop = isinstance(here, _LOOPS) and block is here.body
        inner = self._down(index, block, depth + 1, scope, whole=in_loop)
        if isinstance(here, ast.If):
            return [Leaf(here.test, scope, "test"), *inner]
        if isinstance(here, _LOOPS) and in_loop:
            return [self._loop(index, here, inner, scope)]
        if isinstance(here, _LOOPS):
            # In the `else` of a loop that has ended.
            body = self._converter.convert(here.body, scope, passed=True)
            plain = self._converter.loop(here, scope, body)
            return [replace_arms(plain), *inner]
        if isinstance(here, (ast.With, ast.AsyncWith)):
            self._converter.note_with(here, scope)
            return [Branch("with", here, scope, [Arm("body", None, inner)], around=True)]
        if isinstance(here, TRIES) and block is not here.body:
            # `else` and `finally` come after all of the body.
            return self._converter.convert(here.body, scope, passed=True) + inner
        return inner

    def _in_part(
        self, index: int, here: ast.AST, part: ast.AST, depth: int, scope: Scope
    ) -> list[Node]:
        """Return a handler of exceptions, or a case, with the call inside."""
        body = part.body  # type: ignore[attr-defined]
        inner = self._down(index, body, depth + 2, scope)
        if isinstance(here, ast.Match):
            return [Branch("match", here, scope, [Arm("case", part, inner)], around=True)]
        tried = self._converter.convert(here.body, scope)  # type: ignore[attr-defined]
        for leaf in leaves(tried):
            leaf.forced = True  # some of it raised
        arms = [Arm("body", None, tried), Arm("except", part, inner)]
        return [Branch("try", here, scope, arms, around=True)]

    def _loop(
        self,
        index: int,
        here: ast.For | ast.AsyncFor | ast.While,
        inner: list[Node],
        scope: Scope,
    ) -> Branch:
        if index == 0 and self.continuation is not None:
            where = scope.source.location(here.lineno)
            self.continuation.end(f"it comes after the loop at {where}, which trains again")
        branch = self._converter.loop(here, scope, inner)
        del branch.arms[1:]
        branch.around = True
        # No `break` was reached; the passes end with the one that runs.
        branch.jumps = [each for each in branch.jumps if isinstance(each.node, ast.Continue)]
        if not isinstance(here, ast.While):
            self._note_pass(branch, here.target, here.body, index, scope)
        return branch

    def _note_pass(
        self,
        branch: Branch,
        target: ast.expr,
        body: Sequence[ast.AST],
        index: int,
        scope: Scope,
    ) -> None:
        """Note the values by which the running pass of a loop can be told."""
        values = self._frames[index].values
        for name in sorted(bound_names([target]) - bound_names(body)):
            if name in values:
                branch.ends.append((scope.variable(name) or "", values[name]))

    def _call(self, index: int, statement: ast.AST, scope: Scope) -> list[Node]:
        """Return what a statement calls, in its place."""
        call = self._sites[index].call
        if index == 0 and self._is_block:
            return self._whole_block(statement, call, scope)
        loops = _comprehensions_around(statement, call)
        if loops:
            nodes: list[Node] = [self._comprehension(index, loops, scope)]
            if index == 0 and self.continuation is not None:
                self.continuation.end()
            return nodes
        nodes = self._inner(index, call, scope)
        is_simple = isinstance(statement, ast.stmt) and not any(blocks_of(statement))
        if index == 0 and self.continuation is not None and is_simple:
            # Its value may be what data after it depend on.
            whole = self._converter.convert([statement], scope)
            for leaf in leaves(whole):
                leaf.is_replaced = True
            nodes += whole
        return nodes

    def _inner(self, index: int, call: ast.Call | None, scope: Scope) -> list[Node]:
        if index > 0:
            return self._enter(index - 1, call, scope)
        self.fit = Leaf(call or ast.Constant(None), scope, "fit", forced=True)
        if self._left_out is not None and call is not None:
            self.continuation = Continuation(call, scope, self._converter, self._left_out)
        return [self.fit]

    def _whole_block(self, statement: ast.AST, call: ast.Call | None, scope: Scope) -> list[Node]:
        """Return the block of an experiment, all of which is kept."""
        if not isinstance(statement, (ast.With, ast.AsyncWith)):
            return []
        if call is None or not is_experiment(call, scope):
            return []
        model = model_of_experiment(call)
        if model is None:
            return []
        self._converter.note_with(statement, scope)
        body = self._converter.convert(statement.body, scope)
        for leaf in leaves(body):
            leaf.forced = True
        arms = [Arm("body", None, body)]
        self.block = Branch("with", statement, scope, arms, around=True, model=model)
        return [self.block]

    def _comprehension(
        self, index: int, generators: list[ast.comprehension], scope: Scope
    ) -> Branch:
        """Return a comprehension that calls ``fit`` as the loops that it stands for."""
        names = bound_names([each.target for each in generators])
        inner_scope = Scope(names, scope, scope.source, "each")
        self.program.scopes[inner_scope.key] = inner_scope
        nodes = self._inner(index, self._sites[index].call, inner_scope)
        for generator in reversed(generators):
            tests: list[Node] = [Leaf(each, inner_scope, "test") for each in generator.ifs]
            if tests:
                self.program.add_problem("conditions of a comprehension around fit() are not kept")
            branch = Branch("loop", generator, inner_scope, [Arm("body", None, nodes)], around=True)
            self._note_pass(branch, generator.target, [], index, inner_scope)
            nodes = [branch]
        return branch

    def _enter(self, index: int, call: ast.Call | None, caller: Scope) -> list[Node]:
        """Return the body of a function that is called, with its parameters bound before it."""
        frame, site = self._frames[index], self._sites[index]
        function = site.function
        if function is None:  # the top level of a module: imported by what calls it
            module = self.modules.scope(frame.source, whole=False)
            return self._down(index, frame.source.tree.body, 0, module)
        if index > 0 and call is not None and is_handed_through(function, site.call):
            return self._enter(index - 1, call, caller)
        scope = Scope(local_names(function), self._parent(site, frame), frame.source)
        scope.title = getattr(function, "name", "inner")
        self.program.scopes[scope.key] = scope
        if "nonlocal" in frame.source.text:
            found = (each for each in ast.walk(function) if isinstance(each, ast.Nonlocal))
            scope.declared = {name for each in found for name in each.names}
        self._scopes.append((site, scope))
        body: list[ast.AST] = list(function.body) if not isinstance(function, ast.Lambda) else []
        self.modules.link_imports(body, scope)
        bindings = self._binder.bind(site, frame, call, caller, scope)
        if isinstance(function, ast.Lambda):
            return [*bindings, *self._call(index, function.body, scope)]
        return [*bindings, *self._down(index, body, 0, scope)]

    def _parent(self, site: CallSite, frame: FrameLocation) -> Scope:
        """Return the scope around a function."""
        module = self.modules.scope(frame.source, whole=True)
        around = [each for each in site.parents if not isinstance(each, ast.ClassDef)]
        if not around:
            return module
        for other, scope in self._scopes:
            if other.function is around[-1]:
                return scope
        # The function that made it has ended; what it knew of it may be at hand as a value.
        names = set().union(*(local_names(each) for each in around))
        ended = Scope(names, module, frame.source, around[-1].name)
        self.program.scopes[ended.key] = ended
        self._binder.note_values(ended, frame)
        return ended


def site_name(site: CallSite) -> str:
    """Return the name of the function that a frame runs."""
    return getattr(site.function, "name", "<lambda>")


def replace_arms(branch: Branch) -> Branch:
    """Return a loop without its ``else``."""
    del branch.arms[1:]
    return branch


def _with_shared_sources(frames: Sequence[FrameLocation]) -> list[FrameLocation]:
    """Give frames of one file one tree, so that their nodes are the same."""
    sources: dict[tuple[object, ...], SourceCode] = {}
    found = []
    for frame in frames:
        key = (frame.source.path, frame.source.name, frame.source.text)
        source = sources.setdefault(key, frame.source)
        found.append(frame if source is frame.source else replace(frame, source=source))
    return found


def _comprehensions_around(statement: ast.AST, call: ast.Call | None) -> list[ast.comprehension]:
    """Return the loops of comprehensions between a statement and a call in it."""
    if call is None:
        return []
    found: list[ast.comprehension] = []
    for node in ast.walk(statement):
        if isinstance(node, _COMPREHENSIONS):
            elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            if any(each is call for element in elements for each in ast.walk(element)):
                found += node.generators
    return found
