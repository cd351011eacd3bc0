"""Imports."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning.canonical_names import canonical
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.values import External

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine


def import_module(machine: Machine, node: ast.Import, scope: Scope) -> bool:
    """Follow ``import a.b as c``."""
    for alias in node.names:
        machine.findings.imports.add(alias.name)
        bound = alias.name if alias.asname else alias.name.partition(".")[0]
        scope.bind(alias.asname or bound, External(canonical(bound)))
    return True


def import_from(machine: Machine, node: ast.ImportFrom, scope: Scope) -> bool:
    """Follow ``from a import b``."""
    module = "." * node.level + (node.module or "")
    if module == "__future__":
        return True
    machine.findings.imports.add(module)
    for alias in node.names:
        if alias.name == "*":
            scope.stars.insert(0, canonical(module))
        else:
            name = canonical(f"{module}.{alias.name}")
            scope.bind(alias.asname or alias.name, External(name))
    return True
