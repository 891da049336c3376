"""The wheel holds what the tree holds, the bare checkout imports, and no extra asks for what clashes."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SIBLINGS = ("export", "runtime")
NOT_SHIPPED = ("ruff.toml",)  # settings of tools, for the checkout alone
SETTINGS = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}


def tree() -> set[str]:
    """Every file that belongs into the wheel, by its path there."""
    files = set()
    for top in ("edgegan", *SIBLINGS):
        for folder, below, names in os.walk(ROOT / top):  # does not follow the two links
            below[:] = [b for b in below if b != "__pycache__" and not b.startswith(".")]
            inside = Path(folder).relative_to(ROOT)
            where = inside if top == "edgegan" else Path("edgegan") / inside
            files |= {str(where / n) for n in names if n not in NOT_SHIPPED and not n.startswith(".")}
    return files - {f"edgegan/{s}" for s in SIBLINGS}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build needs, so that building leaves nothing in the tree."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    for name in ("edgegan", *SIBLINGS):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


def build(checkout: Path, out: Path, *formats: str) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", *formats, "--outdir", str(out), str(checkout)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def in_wheel(wheel: Path) -> set[str]:
    return {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}


@pytest.mark.skipif(not importlib.util.find_spec("build"), reason="needs the dev extra")
def test_the_wheel_holds_exactly_the_modules_and_data_of_the_tree(checkout: Path, tmp_path: Path) -> None:
    wheel = build(checkout, tmp_path, "--wheel")
    assert in_wheel(wheel) == tree()
    assert {f"edgegan/{s}/__init__.py" for s in SIBLINGS} <= tree()
    command = [sys.executable, "-c", "import edgegan.runtime.model.card as c; print(c.__file__)"]
    done = subprocess.run(
        command, env={**SETTINGS, "PYTHONPATH": str(wheel)}, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(wheel))


@pytest.mark.skipif(not importlib.util.find_spec("build"), reason="needs the dev extra")
def test_a_wheel_made_from_the_source_archive_is_the_same_even_without_links(checkout: Path, tmp_path: Path) -> None:
    for name in SIBLINGS:  # what a checkout without symbolic links has: a text file
        (checkout / "edgegan" / name).unlink()
        (checkout / "edgegan" / name).write_text(f"../{name}")
    try:
        assert in_wheel(build(checkout, tmp_path)) == tree()
    finally:
        for name in SIBLINGS:
            (checkout / "edgegan" / name).unlink()
            (checkout / "edgegan" / name).symlink_to(f"../{name}")


@pytest.mark.parametrize("how", ["from the root", "by PYTHONPATH"])
def test_a_bare_checkout_imports_without_an_install(checkout: Path, tmp_path: Path, how: str) -> None:
    code = "import edgegan.export as e, edgegan.runtime.model.card as c; print(e.__file__, c.__file__, sep='\\n')"
    site = [p for p in sys.path if p.endswith("site-packages")]  # msgspec and numpy, but no editable install: -S
    path = site if how == "from the root" else [str(checkout), *site]
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**SETTINGS, "PYTHONPATH": os.pathsep.join(path)},
        cwd=checkout if how == "from the root" else tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(checkout / "edgegan")) for line in done.stdout.splitlines())


def test_the_links_are_relative_and_lead_to_the_siblings() -> None:
    for name in SIBLINGS:
        assert os.readlink(ROOT / "edgegan" / name) == f"../{name}"


def lint(code: str, where: str) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("needs the dev extra")
    command = [
        str(ruff),
        "check",
        "--no-cache",
        "--output-format",
        "concise",
        "--stdin-filename",
        f"{where}/some.py",
        "-",
    ]
    return subprocess.run(command, input=code, capture_output=True, text=True, cwd=ROOT, check=False).stdout


@pytest.mark.parametrize("where", ["edgegan", "edgegan/cli", "tests", "benchmarks", "examples"])
def test_lint_bans_the_bare_names_that_would_load_a_second_copy(where: str) -> None:
    found = lint("import runtime.card\nfrom export import verify\nimport edgegan.runtime.model.card\n", where)
    assert found.count("TID251") == 2, found


@pytest.mark.parametrize("sibling", SIBLINGS)
def test_no_module_imports_a_sibling_by_its_bare_name(sibling: str) -> None:
    """Lint cannot see this inside a sibling: there it takes relative imports for the bare name."""
    for path in (ROOT / sibling).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not {n.split(".")[0] for n in names} & set(SIBLINGS), f"{path}: {names}"


def test_relative_imports_pass_lint_in_the_siblings() -> None:
    assert "TID" not in lint(
        "from . import card\nfrom .card import ModelCard\nfrom ..errors import EdgeganError\n", "runtime"
    )
    assert "TID251" not in lint("from . import verify\nfrom .verify import check\n", "export")


def test_lint_bans_torch_from_the_runtime() -> None:
    assert "TID251" in lint("import torch\n", "runtime")
    assert "TID251" in lint("from torch import nn\n", "runtime/backends")


# Extras


def packages(extra: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """The names of all packages that `edgegan[extra]` asks for, through the extras that it names."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    for line in PROJECT["project"]["optional-dependencies"][extra]:
        requirement = Requirement(line)
        if requirement.name == "edgegan":
            for other in requirement.extras - seen:
                found |= packages(other, seen | {extra})
        else:
            found.add(requirement.name.lower())
    return found


def test_no_extra_asks_for_both_builds_of_one_library() -> None:
    pytest.importorskip("packaging")
    extras = PROJECT["project"]["optional-dependencies"]
    assert {"cpu", "gpu", "rtx", "avatars", "video", "train", "export", "web", "virtualcam", "dev", "all"} <= set(
        extras
    )
    for one, other in (("onnxruntime", "onnxruntime-gpu"), ("opencv-python", "opencv-python-headless")):
        for extra in extras:
            assert not {one, other} <= packages(extra), extra
    assert "onnxruntime" in packages("all") and "onnxruntime-gpu" in packages("gpu")


def test_each_extra_for_gpus_brings_one_cuda_alone() -> None:
    """CUDA 12 and 13 in one process do not find each other's libraries."""
    pytest.importorskip("packaging")
    from packaging.requirements import Requirement

    # The first release for CUDA 13 of each package, as their files are tagged on the package index.
    first_for_13 = {"onnxruntime-gpu": "1.27", "cuda-python": "13"}
    for extra, major in (("gpu", 13), ("gpu12", 12), ("jetson", 12)):
        for line in PROJECT["project"]["optional-dependencies"][extra]:
            requirement = Requirement(line)
            if requirement.name in first_for_13:
                boundary = first_for_13[requirement.name]
                assert requirement.specifier.contains(boundary) == (major == 13), line
                assert not requirement.specifier.contains("1.26.9" if major == 13 else "99"), line
            elif requirement.name.startswith("tensorrt"):
                assert requirement.name == f"tensorrt-cu{major}" and not requirement.specifier.contains("11.0"), line
    assert {"gpu", "gpu12", "jetson"} <= set(PROJECT["project"]["optional-dependencies"])
    assert not {"tensorrt", "tensorrt-cu12", "tensorrt-cu13"} & packages("jetson")


def test_all_holds_what_the_demo_needs_and_nothing_that_needs_a_gpu() -> None:
    pytest.importorskip("packaging")
    for extra in ("cpu", "rtx", "avatars", "video", "train", "export", "bench"):
        assert packages(extra) <= packages("all"), extra
    assert not {"onnxruntime-gpu", "tensorrt", "tensorrt-cu12", "tensorrt-cu13"} & packages("all")


def test_the_base_brings_no_framework() -> None:
    base = {line.split(">")[0].lower() for line in PROJECT["project"]["dependencies"]}
    assert base == {"msgspec", "numpy", "opencv-python", "pillow", "rich", "typer"}
    assert importlib.util.find_spec("edgegan") is not None
