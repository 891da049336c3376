"""Links of the documentation: every file and every anchor that they name is there."""

from __future__ import annotations

import re

import pytest
from support.pages import ROOT, Page, every_page, slug


def dead_links(page: Page) -> list[str]:
    """The links of a page that lead to no file, or to no heading of one."""
    dead = []
    for link in page.links:
        if re.match(r"(https?|mailto):", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.path.parent / place).resolve() if place else page.path
        if not target.exists() or not target.is_relative_to(ROOT) or (anchor and anchor not in Page(target).anchors):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Page) -> None:
    assert dead_links(page) == []


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "there.md").write_text("# Two words: here\n")
    page = tmp_path / "page.md"
    links = "[a](there.md#two-words-here) [b](there.md#nowhere) [c](gone.md) [d](#mine)"
    page.write_text(f"{links}\n\n    [e](code.md)\n\n# Mine\n")
    assert dead_links(Page(page)) == ["there.md#nowhere", "gone.md"]


def test_anchors_are_formed_as_the_viewer_forms_them() -> None:
    assert slug("The `format` matrix: CPU & GPU") == "the-format-matrix-cpu--gpu"
    assert slug("1. Photographs to a [training](x.md) set") == "1-photographs-to-a-training-set"
