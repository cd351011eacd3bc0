"""Writing the kept part of a program as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping

from modelkb_callbacks.slicing.bound_names import imported_name, parameter_names
from modelkb_callbacks.slicing.effects import Effects
from modelkb_callbacks.slicing.fit_arguments import (
    CALLBACKS,
    DATA_ARGUMENTS,
    evaluate_arguments,
    named_arguments,
    positions,
    starred_arguments,
)
from modelkb_callbacks.slicing.naming import EXPERIMENT_MODEL, FIT_DATA, evaluate_name
from modelkb_callbacks.slicing.program import Arm, Branch, Leaf, Node, branches, leaves
from modelkb_callbacks.slicing.renaming import Renaming
from modelkb_callbacks.slicing.scope import Scope, Variable
from modelkb_callbacks.slicing.text_edits import (
    Edit,
    SourceText,
    end_of,
    lines_inside_texts,
    start_of,
)

_STEP = "    "
_LONGEST_LINE = 88
_COMMENT = re.compile(r"\s*(#.*)$")
_NEEDS_BRACKETS = (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Starred)


class Renderer:
    """Writes nodes as Python.

    Args:
        scopes: The scopes whose names become those of the slice.
        effects: What each node does, and what its names stand for.
        kept: The nodes that are kept.
        used: The variables that anything kept uses; other names are not imported.
        names: The name of each variable.
    """

    def __init__(
        self,
        scopes: Mapping[int, Scope],
        effects: Mapping[Leaf | Branch, Effects],
        kept: Collection[Leaf | Branch],
        used: Collection[Variable],
        names: Mapping[Variable, str],
    ) -> None:
        self._scopes = scopes
        self._effects = effects
        self._kept = kept
        self._used = used
        self._names = names
        self._texts: dict[int, SourceText] = {}
        self._imported: set[str] = set()
        self._evaluations = 0
        self.model_name: str | None = None
        self.arguments: dict[str, str] = {}

    def block(self, nodes: Iterable[Node], indent: str = "") -> list[str]:
        """Return the texts of kept nodes, one for each statement."""
        found: list[str] = []
        for node in nodes:
            if isinstance(node, Leaf):
                text = self._leaf(node, indent) if node in self._kept else ""
                if text:
                    found.append(text)
            else:
                found += self._branch(node, indent)
        return found

    def _renaming(self, node: Leaf | Branch) -> Renaming:
        return Renaming(self._effects[node], self._names, self._scopes)

    def _text(self, scope: Scope) -> SourceText:
        key = id(scope.source)
        if key not in self._texts:
            self._texts[key] = SourceText(scope.source.text)
        return self._texts[key]

    def _leaf(self, leaf: Leaf, indent: str) -> str:
        if leaf.role == "statement":
            return self._statement(leaf, indent)
        if leaf.role == "test":
            return f"{indent}({self._expression(leaf.node, leaf)})"
        if leaf.role == "binding":
            value = self._expression(leaf.node, leaf)
            return f"{indent}{self._names.get(leaf.targets[0], '_')} = {value}"
        if leaf.role == "flags":
            flags = "__import__('absl.flags').flags.FLAGS(__import__('sys').argv)"
            return f"{indent}{self._names.get(leaf.targets[0], '_')} = {flags}"
        if leaf.role == "unpacking":
            return indent + self._unpacking(leaf)
        if leaf.role == "evaluate":
            self._evaluations += 1
            return self._evaluate(leaf, evaluate_name(self._evaluations - 1), indent)
        return self._fit(leaf, indent)

    def _statement(self, leaf: Leaf, indent: str) -> str:
        node = leaf.node
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return self._import(leaf, node, indent)
        if isinstance(node, ast.Return):
            return indent + (self._expression(node.value, leaf) if node.value else "pass")
        edits = list(self._renaming(leaf).edits(node, leaf.scope, self._text(leaf.scope)))
        return self._moved(node, leaf.scope, edits, indent)

    def _moved(self, node: ast.AST, scope: Scope, edits: list[Edit], indent: str) -> str:
        """Return a statement with its changes, at another indentation."""
        text = self._text(scope)
        start, end = start_of(node), end_of(node)
        old = text.indentation(start[0])
        if old != indent:
            fixed = lines_inside_texts(node)
            for line in range(start[0] + 1, end[0] + 1):
                if line not in fixed and text.indentation(line).startswith(old):
                    edits.append(Edit((line, 0), (line, len(old)), indent))
        comment = _COMMENT.match(text.rest_of_line(end))
        behind = f"  {comment[1]}" if comment else ""
        return indent + text.cut(start, end, edits) + behind

    def _import(self, leaf: Leaf, node: ast.Import | ast.ImportFrom, indent: str) -> str:
        parts = []
        for alias in node.names:
            name = imported_name(alias)
            variable = self._effects[leaf].references.get((id(alias), name), "")
            is_used = variable in self._used or (leaf.forced and variable)
            if alias.name == "*":
                parts.append("*")
            elif is_used:
                new = self._names.get(variable, name)
                same = new == alias.name or (new == name and not alias.asname)
                parts.append(alias.name if same else f"{alias.name} as {new}")
        if not parts:
            return ""
        listed = ", ".join(parts)
        text = f"import {listed}"
        if isinstance(node, ast.ImportFrom):
            text = f"from {'.' * node.level}{node.module or ''} {text}"
        if not indent:
            if text in self._imported:
                return ""
            self._imported.add(text)
        return indent + text

    def _expression(self, node: ast.AST, of: Leaf | Branch) -> str:
        renaming = self._renaming(of)
        if isinstance(of, Leaf) and not of.written:
            return renaming.unparsed(node)
        text = self._text(of.scope)
        edits = renaming.edits(node, of.scope, text)
        found = text.cut(start_of(node), end_of(node), edits)
        if ("\n" in found and found[0] not in "([{") or isinstance(node, _NEEDS_BRACKETS[:3]):
            return f"({found})"
        if "\n" in found and isinstance(node, (ast.Attribute, ast.Call, ast.BinOp, ast.Subscript)):
            return f"({found})"
        return found

    def _unpacking(self, leaf: Leaf) -> str:
        """Return a call of a function that gives out its parameters, as Python binds them."""
        call, signature = leaf.node, leaf.signature
        if not isinstance(call, ast.Call) or signature is None:
            return "pass"
        names = parameter_names(signature)
        plain = ast.Lambda(_without_annotations(signature), ast.Constant(None))
        head = (
            self._renaming(leaf).unparsed(plain).removesuffix("None").rstrip(" ").removesuffix(":")
        )
        values = [self._argument(each, leaf) for each in [*call.args, *call.keywords]]
        targets = ", ".join(self._names.get(each, "_") for each in leaf.targets)
        given = ", ".join(names)
        comma = "," if len(names) == 1 else ""
        return f"{targets}{comma} = ({head}: ({given}{comma}))({', '.join(values)})"

    def _argument(self, node: ast.AST, leaf: Leaf) -> str:
        if isinstance(node, ast.keyword):
            value = self._expression(node.value, leaf)
            return f"{node.arg}={value}" if node.arg else f"**{value}"
        return self._expression(node, leaf)

    def _fit(self, leaf: Leaf, indent: str) -> str:
        call = leaf.node
        if not isinstance(call, ast.Call):
            return f"{indent}{FIT_DATA} = {{}}"
        items = []
        for name, value in named_arguments(call).items():
            text = self._expression(value, leaf)
            self.arguments[name] = text
            items.append(f'"{name}": {text}')
        stars, options = starred_arguments(call)
        data = f"({', '.join(repr(each) for each in DATA_ARGUMENTS)})"
        if stars:
            values = ", ".join(self._expression(each, leaf) for each in stars)
            names = positions(call)[len(call.args) - len(stars) :]
            self.arguments["*"] = values
            items.append(f"**{{k: v for k, v in zip({names!r}, ({values},)) if k in {data}}}")
        for each in options:
            text = self._expression(each, leaf)
            self.arguments["**"] = text
            items.append(f"**{{k: v for k, v in dict({text}).items() if k in {data}}}")
        return _dictionary(FIT_DATA, items, indent)

    def _evaluate(self, leaf: Leaf, target: str, indent: str) -> str:
        """Return an assignment of all that ``evaluate`` is given but callbacks."""
        call = leaf.node
        if not isinstance(call, ast.Call):
            return ""
        named = evaluate_arguments(call)
        items = [f'"{name}": {self._expression(value, leaf)}' for name, value in named.items()]
        stars, options = starred_arguments(call)
        if stars:
            values = ", ".join(self._expression(each, leaf) for each in stars)
            names = positions(call)[len(call.args) - len(stars) :]
            items.append(
                f"**{{k: v for k, v in zip({names!r}, ({values},)) if k != {CALLBACKS!r}}}"
            )
        for each in options:
            text = self._expression(each, leaf)
            items.append(f"**{{k: v for k, v in dict({text}).items() if k != {CALLBACKS!r}}}")
        return _dictionary(target, items, indent)

    def _branch(self, branch: Branch, indent: str) -> list[str]:
        if branch.model is not None:
            return self._whole(branch, branch.model, indent)
        if branch not in self._kept:
            # What is around `fit` itself, and of no matter for its data, falls away.
            return self.block([node for arm in branch.arms for node in arm.nodes], indent)
        if branch.kind == "if":
            return self._if(branch, indent)
        if branch.kind == "try":
            return self._try(branch, indent)
        if branch.kind == "match":
            return self._match(branch, indent)
        lines = [f"{indent}{self._head(branch)}", *self._body(branch.arms[0], indent)]
        if branch.around and branch.kind == "loop":
            lines += self._last_pass(branch, indent + _STEP)
        for arm in branch.arms[1:]:
            inner = self.block(arm.nodes, indent + _STEP)
            lines += [f"{indent}else:", *inner] if inner else []
        return lines

    def _whole(self, branch: Branch, model: ast.expr, indent: str) -> list[str]:
        """Return the block of an experiment as it stands, and before it what its model is."""
        effects = Effects()
        inside: list[Node] = [*leaves(branch.arms[0].nodes), *branches(branch.arms[0].nodes)]
        for node in [branch, *inside]:
            effects.add_references(self._effects[node])
        renaming, text = Renaming(effects, self._names, self._scopes), self._text(branch.scope)
        edits = list(renaming.edits(branch.node, branch.scope, text))
        last = branch.node.body[-1]  # type: ignore[attr-defined]
        if isinstance(last, ast.Return):
            end = start_of(last.value) if last.value else end_of(last)
            edits.append(Edit(start_of(last), end, "" if last.value else "pass"))
        self.model_name = renaming.unparsed(model)
        return [
            f"{indent}{EXPERIMENT_MODEL} = {self.model_name}",
            self._moved(branch.node, branch.scope, edits, indent),
        ]

    def _body(self, arm: Arm, indent: str) -> list[str]:
        return self.block(arm.nodes, indent + _STEP) or [f"{indent}{_STEP}pass"]

    def _head(self, branch: Branch) -> str:
        node = branch.node
        prefix = "async " if isinstance(node, (ast.AsyncFor, ast.AsyncWith)) else ""
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            target = self._expression(node.target, branch)
            return f"{prefix}for {target} in {self._expression(node.iter, branch)}:"
        if isinstance(node, ast.While):
            return f"while {self._expression(node.test, branch)}:"
        items = []
        for item in getattr(node, "items", ()):
            text = self._expression(item.context_expr, branch)
            if item.optional_vars is not None:
                text += f" as {self._expression(item.optional_vars, branch)}"
            items.append(text)
        return f"{prefix}with {', '.join(items)}:"

    def _last_pass(self, branch: Branch, indent: str) -> list[str]:
        """Return how a loop around ``fit`` is left after the pass that trained."""
        tests = [
            f"{self._names.get(variable, '_')} == {value!r}" for variable, value in branch.ends
        ]
        if not tests:
            return [f"{indent}break"]
        return [f"{indent}if {' and '.join(tests)}:", f"{indent}{_STEP}break"]

    def _if(self, branch: Branch, indent: str) -> list[str]:
        node = branch.node
        test = self._expression(node.test, branch)  # type: ignore[attr-defined]
        live = [arm for arm in branch.arms if not arm.dead]
        if len(live) < len(branch.arms):
            # The other way out was not taken, or `fit` would not have been reached.
            inner = self.block(live[0].nodes, indent) if live else []
            return [f"{indent}({test})", *inner]
        lines = [f"{indent}if {test}:", *self._body(branch.arms[0], indent)]
        for arm in branch.arms[1:]:
            inner = self.block(arm.nodes, indent + _STEP)
            only = arm.nodes[0] if len(arm.nodes) == 1 else None
            chained = isinstance(only, Branch) and only.kind == "if"
            if chained and inner and inner[0].lstrip().startswith("if "):
                again = self.block(arm.nodes, indent)
                lines += [f"{indent}el{again[0].lstrip()}", *again[1:]]
            elif inner:
                lines += [f"{indent}else:", *inner]
        return lines

    def _try(self, branch: Branch, indent: str) -> list[str]:
        body = self.block(branch.arms[0].nodes, indent + _STEP)
        lines: list[str] = []
        for arm in branch.arms[1:]:
            if arm.dead:
                continue  # it would have left before `fit`
            inner = self.block(arm.nodes, indent + _STEP)
            if arm.kind == "except":
                head = self._handler(arm, branch)
                lines += [f"{indent}{head}", *(inner or [f"{indent}{_STEP}pass"])]
            elif inner:
                lines += [f"{indent}{arm.kind}:", *inner]
        if (
            not any(arm.kind in ("except", "finally") for arm in branch.arms[1:] if not arm.dead)
            or not lines
        ):
            return self.block(
                [node for arm in branch.arms if not arm.dead for node in arm.nodes], indent
            )
        return [f"{indent}try:", *(body or [f"{indent}{_STEP}pass"]), *lines]

    def _handler(self, arm: Arm, branch: Branch) -> str:
        handler = arm.node
        if not isinstance(handler, ast.ExceptHandler) or handler.type is None:
            return "except:"
        star = "*" if type(branch.node).__name__ == "TryStar" else ""
        kind = self._expression(handler.type, branch)
        name = self._renaming(branch).new_name(handler, handler.name) if handler.name else ""
        return f"except{star} {kind} as {name}:" if name else f"except{star} {kind}:"

    def _match(self, branch: Branch, indent: str) -> list[str]:
        subject = self._expression(branch.node.subject, branch)  # type: ignore[attr-defined]
        lines = [f"{indent}match {subject}:"]
        for arm in branch.arms:
            case = arm.node
            if arm.dead or not isinstance(case, ast.match_case):
                continue
            guard = f" if {self._expression(case.guard, branch)}" if case.guard else ""
            pattern = self._expression(case.pattern, branch)
            lines.append(f"{indent}{_STEP}case {pattern}{guard}:")
            lines += self._body(arm, indent + _STEP)
        return lines


def _dictionary(target: str, items: list[str], indent: str) -> str:
    line = f"{indent}{target} = {{{', '.join(items)}}}"
    if len(line) <= _LONGEST_LINE and "\n" not in line:
        return line
    inner = "".join(f"{indent}{_STEP}{item},\n" for item in items)
    return f"{indent}{target} = {{\n{inner}{indent}}}"


def _without_annotations(arguments: ast.arguments) -> ast.arguments:
    def plain(parameter: ast.arg) -> ast.arg:
        return ast.arg(parameter.arg)

    return ast.arguments(
        posonlyargs=[plain(each) for each in arguments.posonlyargs],
        args=[plain(each) for each in arguments.args],
        vararg=plain(arguments.vararg) if arguments.vararg else None,
        kwonlyargs=[plain(each) for each in arguments.kwonlyargs],
        kw_defaults=arguments.kw_defaults,
        kwarg=plain(arguments.kwarg) if arguments.kwarg else None,
        defaults=arguments.defaults,
    )
