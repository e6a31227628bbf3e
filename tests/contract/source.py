"""The program's own source, read as a tree, for tests of its completeness."""

import ast
import functools
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import mission_control
from mission_control.events.commands import verb_of

ROOT = Path(mission_control.__file__).parent


@functools.cache
def modules() -> tuple[str, ...]:
    names = [found.name for found in pkgutil.walk_packages([str(ROOT)], "mission_control.")]
    ours = tuple(name for name in names if not name.endswith("__main__"))
    for name in ours:
        importlib.import_module(name)
    return ours


@functools.cache
def commands() -> dict[str, str]:
    found = ((vars(sys.modules[name]), name) for name in modules())
    return {f"{name}.{key}": verb for things, name in found for key, one in things.items() if (verb := verb_of(one))}


@functools.cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """Every module's dotted name without the package's, and its syntax tree."""
    return tuple(
        (".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(ROOT.rglob("*.py"))
    )


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
            if name in names:
                yield node


def texts(node: ast.AST | None) -> list[str]:
    if node is None:
        return []
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
