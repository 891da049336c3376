"""What the page on troubleshooting quotes is what edgegan says: each quotation stands in the code."""

from __future__ import annotations

import ast
import re

import pytest
from support.pages import ROOT, Page

PAGE = Page(ROOT / "docs" / "troubleshooting.md")


def sayings() -> str:
    """All string constants of the code, with `…` where values are put in."""
    said = []
    for top in ("runtime", "export", "edgegan"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    said.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    said.append("".join(p.value if isinstance(p, ast.Constant) else "…" for p in node.values))
    return "\n".join(said)


def quotations(page: Page) -> list[str]:
    """What stands in code in the first column of the tables, less what another program says or is typed."""
    first = [
        row.split("|")[1] for row in page.prose.splitlines() if row.startswith("| ") and "(from the system)" not in row
    ]
    return [words for cell in first for words in re.findall(r"`([^`]+)`", cell) if not words.startswith(("make", "--"))]


def unsaid(quotation: str, corpus: str) -> list[str]:
    """The parts of a quotation, between its `…`, that the code does not say."""
    parts = [part.strip() for part in quotation.split("…")]
    return [part for part in parts if len(part) > 3 and part not in corpus]


@pytest.fixture(scope="module")
def corpus() -> str:
    return sayings()


def test_there_are_many() -> None:
    assert len(quotations(PAGE)) > 40


@pytest.mark.parametrize("quotation", quotations(PAGE))
def test_it_is_said(quotation: str, corpus: str) -> None:
    assert unsaid(quotation, corpus) == []


def test_what_is_not_said_is_found(corpus: str) -> None:
    assert unsaid("there is no modle at …", corpus) == ["there is no modle at"]
