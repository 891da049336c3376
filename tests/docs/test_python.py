"""Python in the documentation: it compiles, what it imports is there, and the first program runs as it stands."""

from __future__ import annotations

import ast
import importlib

import cv2
import numpy as np
import pytest
from support.pages import ROOT, Page, documentation

from edgegan import runtime
from edgegan.runtime import open_source

BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in documentation()
    for number, block in enumerate(page.blocks("python"))
]


def missing_names(block: str) -> list[str]:
    """What a block imports and is not there; raises SyntaxError where it does not compile."""
    compile(block, "page", "exec")
    absent = []
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            absent += [f"{node.module}.{alias.name}" for alias in node.names if not hasattr(module, alias.name)]
    return absent


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_compiles_and_finds_what_it_imports(block: str) -> None:
    assert missing_names(block) == []


def test_a_name_that_is_not_there_is_found() -> None:
    assert missing_names("from edgegan.runtime import Editor, Editir") == ["edgegan.runtime.Editir"]


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_first_program_edits_a_picture(page: str, tmp_path, monkeypatch) -> None:
    with open_source("synthetic:320x320#2") as camera:
        frame = next(iter(camera)).image_bgr
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("photo.jpg", frame)
    exec(compile(Page(ROOT / page).blocks("python")[0], page, "exec"), {})
    edited = cv2.imread("edited.png")
    assert edited is not None
    given = cv2.imread("photo.jpg") if page == "README.md" else None
    if given is not None:
        assert edited.shape == given.shape
        assert np.abs(edited.astype(int) - given).max() > 50


def test_the_page_of_the_interface_shows_every_public_name() -> None:
    text = (ROOT / "docs" / "python-api.md").read_text()
    shown = {line.rpartition(".")[2] for line in text.splitlines() if line.startswith("::: edgegan.runtime.")}
    assert shown == set(runtime.__all__) - {"BACKENDS"}
