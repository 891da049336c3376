"""The house: no import circles, rooms that one can look over, functions named for what they do or give."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES, MOST_MODULES = 250, 15
PACKAGES = {"edgegan": ROOT / "edgegan", "edgegan.export": ROOT / "export", "edgegan.runtime": ROOT / "runtime"}

ROOMS = ("edgegan", "export", "runtime", "benchmarks", "examples", "docs", "tests")

# Participles that do not end in -ed. Those that are verbs in the present too (read, set, cut, put, run, split,
# spread, cast, bound) name what a function does, and are not here.
IRREGULAR = frozenset(
    re.findall(
        r"\w+",
        """
        become been begun bent blown borne bought broken brought built caught chosen dealt done drawn driven dug eaten
        fallen fed felt forgotten fought found frozen given gone gotten grown heard held hidden hung kept known laid
        led left lent lit lost made meant met paid proven rebuilt resent rewritten ridden risen rung said seen sent
        shaken shown shrunk slid sold sought spent spoken sprung spun stolen stood struck stuck sung sunk swept sworn
        swung taken taught thought thrown told torn understood unknown untold withdrawn woken won worn wound woven
        written
        """,
    )
)
# Words in -ed that are none.
NO_PARTICIPLE = frozenset(
    re.findall(
        r"\w+",
        "bleed breed embed exceed feed heed hundred indeed need proceed reed reseed seed shed sled speed succeed weed",
    )
)
# Allowed, each with the reason.
ALLOWED = {
    "transposed_conv": "a transposed convolution",
    "projected_g_loss": "the loss of a projected GAN",
    "projected_d_loss": "the loss of a projected GAN",
    "held_out": "what a `Family` holds out: the field calls such data so",
    "needed": "reads as a sentence above a file of tests: `trt = needed(...)`",
}


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
    crowds = Counter(path.parent for path in files() if path.name not in ("__init__.py", "conftest.py"))
    assert {str(folder.relative_to(ROOT)): n for folder, n in crowds.items() if n > MOST_MODULES} == {}


def test_files_can_be_read_at_one_sitting() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in files()}
    assert {place: count for place, count in lengths.items() if count > MOST_LINES} == {}


def describable(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """A module and its public classes, functions and methods, by their names within it; "" is the module."""
    yield "", tree
    waiting: list[tuple[str, ast.Module | ast.ClassDef]] = [("", tree)]
    while waiting:
        within, node = waiting.pop()
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and child.name[0] != "_":
                yield within + child.name, child
                if isinstance(child, ast.ClassDef):
                    waiting.append((f"{within}{child.name}.", child))


def test_what_is_public_has_a_docstring() -> None:
    found = {
        f"{module}:{name}": ast.get_docstring(node)  # type: ignore[arg-type]
        for module, path in modules().items()
        for name, node in describable(ast.parse(path.read_text("utf-8")))
    }
    assert len(found) > 2000
    assert [place for place, words in found.items() if not words or len(words) < 8] == []


def participle(name: str) -> bool:
    """Whether a function's name begins with a participle, as in `resized`, `_built_by` or `keptFrames`."""
    first = re.split(r"_|(?<=[a-z])(?=[A-Z])", name.strip("_"))[0].lower()
    return first in IRREGULAR or (first.endswith("ed") and len(first) > 3 and first not in NO_PARTICIPLE)


def is_noun(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is used as a value: a property's state (`panel.stopped`), what a fixture gives a test."""
    return any(re.search(r"property|fixture", ast.unparse(each)) for each in function.decorator_list)


def files() -> list[Path]:
    """Every Python file that we keep, those of the package included, each once."""
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    linked = ("edgegan", "export"), ("edgegan", "runtime")  # links to the folders beside
    return [path for path in found if path.relative_to(ROOT).parts[:2] not in linked]


@cache
def functions() -> list[tuple[str, str]]:
    """The place and the name of every function that is named for what it does."""
    found = []
    for path in files():
        place = path.relative_to(ROOT)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_noun(node):
                found.append((f"{place}:{node.lineno}", node.name))
    return found


def test_no_function_is_named_by_a_participle() -> None:
    found = functions()
    assert len(found) > 2000
    assert {place: name for place, name in found if participle(name) and name not in ALLOWED} == {}


def test_what_is_allowed_is_in_use() -> None:
    assert {name for _, name in functions()} >= set(ALLOWED)


@pytest.mark.parametrize("name", ["resized", "_built", "written_by", "given_back", "keptFrames", "normalised"])
def test_participles_are_known(name: str) -> None:
    assert participle(name)


@pytest.mark.parametrize("name", ["resize", "read_needed", "is_hidden", "isOpened", "reseed", "feed", "size", "split"])
def test_verbs_and_nouns_are_not_taken_for_participles(name: str) -> None:
    assert not participle(name)
