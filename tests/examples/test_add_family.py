"""CONTRIBUTING's recipe, run: one folder more, and the whole road works for the family in it."""

from __future__ import annotations

import dataclasses
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import contract

from edgegan import families
from edgegan.cli import main
from edgegan.families import Family
from edgegan.runtime import Editor
from edgegan.runtime.live.sources.synthetic import Synthetic

ROOT = Path(__file__).parents[2]
NAME = "tintgan"
OPTIONAL = tuple(f.name for f in dataclasses.fields(Family) if f.default is not dataclasses.MISSING)


def command(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    assert stopped.value.code == 0


@pytest.fixture
def family_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example, copied into a folder that the package of families also looks into: as if it lay in there."""
    folder = tmp_path / "families" / NAME
    shutil.copytree(ROOT / "examples" / "families" / NAME, folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert NAME not in families.names()
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(folder.parent)])
    yield folder
    for module in [m for m in sys.modules if m.startswith(f"{families.__name__}.{NAME}")]:
        del sys.modules[module]
    if hasattr(families, NAME):
        delattr(families, NAME)


def test_one_folder_more_and_every_command_knows_the_family(
    family_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    small = ("--data", "avatars:16", "--set", "size=16", "--set", "width=4", "--set", "train.batch=4")
    command("train", NAME, "--preset", "drawn", *small, "--images", "8", "--out", run)
    assert [p.stat().st_size > 1000 for p in sorted((run / "samples").glob("*.png"))] == [True, True]
    command("train", NAME, "--out", run, "--resume", "--images", "16")
    command("export", run, "--pictures", "4")
    assert {p.name for p in (run / "export").glob("*.onnx")} == {"model.onnx", "model.fp16.onnx"}
    capsys.readouterr()
    command("info", run)
    said = capsys.readouterr().out
    assert f"{NAME}-16 ({NAME}, translate)" in said and "onnxruntime: passed" in said and "16x16" in said
    with Editor.open(run, backend="onnxruntime") as editor, Synthetic() as source:
        frame = next(iter(source)).image_bgr
        assert editor.edit(frame, {}).shape == frame.shape


def test_the_contract_tests_run_over_it(family_folder: Path, tmp_path: Path) -> None:
    contract.keeps_the_contract(NAME)
    contract.exports_are_eval_float32_modules_whose_card_tells_the_truth(NAME)
    contract.what_figures_are_measured_on_is_known(NAME)
    contract.the_preview_has_a_picture_in_every_row(NAME, tmp_path)


def test_the_recipe_lists_what_the_contract_asks_for(family_folder: Path) -> None:
    """Each name of the contract, once, in the recipe; and the optional ones as such."""
    recipe = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## Add a family")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)", recipe, re.MULTILINE)
    required = [f.name for f in dataclasses.fields(Family) if f.name not in OPTIONAL]
    assert OPTIONAL and sorted(listed) == sorted([*required, *OPTIONAL])
    for name in OPTIONAL:
        assert re.search(rf"^\| `{name}.*optional", recipe, re.MULTILINE)
    for file in re.findall(r"^\d\. `([^`]+)`", recipe, re.MULTILINE):
        assert list(family_folder.glob(file)), f"the recipe names {file}, the example has none"
    assert all(hasattr(families.get(NAME), name) for name in required)
