"""The house: no import circles, rooms that one can look over, and nothing of torch below."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES, MOST_MODULES = 250, 15
PACKAGES = {"edgegan": ROOT / "edgegan", "edgegan.export": ROOT / "export", "edgegan.runtime": ROOT / "runtime"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            inside = path.relative_to(folder)
            if package == "edgegan" and inside.parts[0] in ("export", "runtime"):
                continue  # links to the folders beside
            parts = [package, *inside.with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, *, at_load: bool) -> set[str]:
    """The package's modules that a module imports: when it is loaded, or anywhere but for types alone."""
    path = modules()[name]
    tree = ast.parse(path.read_text("utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if at_load and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
                    base = ".".join([*here[: len(here) - child.level + 1], *([base] if base else [])])
                found.update({f"{base}.{alias.name}" for alias in child.names} | {base})
            visit(child)

    visit(tree)
    return {n for n in found if n in modules() and n != name and not name.startswith(f"{n}.")}


def circles(at_load: bool) -> list[list[str]]:
    """Groups of modules that import one another in a circle (Tarjan's strongly connected components)."""
    graph = {name: sorted(imports(name, at_load=at_load)) for name in modules()}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = []
            while not circle or circle[-1] != node:
                circle.append(stack.pop())
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def test_modules_were_found() -> None:
    assert len(modules()) > 300
    assert "edgegan.runtime.edit.network" in imports("edgegan.runtime.edit.pipeline", at_load=False)


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(at_load=False) == []


def test_rooms_can_be_looked_over() -> None:
    crowds = Counter(path.parent for path in modules().values() if path.name != "__init__.py")
    assert {str(folder.relative_to(ROOT)): n for folder, n in crowds.items() if n > MOST_MODULES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_files_can_be_read_at_one_sitting(package: str) -> None:
    long = {
        name: count
        for name, path in modules().items()
        if name.startswith(package) and (count := len(path.read_text("utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}
