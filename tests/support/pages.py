"""The pages of the documentation, taken apart (links, headings, code blocks, words of code), and files of results."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^|\n)\n((?: {4}[^\n]*(?:\n|$))+)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """The file without what HTML comments hide."""
        return _COMMENT.sub("", self.path.read_text("utf-8"))

    @cached_property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _INDENTED.sub("\n\n", _FENCE.sub("", self.text))

    @property
    def links(self) -> list[str]:
        """The targets of links and pictures, outside code."""
        return _LINK.findall(_CODE.sub("", self.prose))

    @property
    def anchors(self) -> set[str]:
        """What a link may name behind `#`, as the repository's viewer forms it of each heading."""
        return {slug(heading) for heading in _HEADING.findall(self.prose)}

    @property
    def words_of_code(self) -> list[str]:
        """What stands between backticks in the prose."""
        return _CODE.findall(self.prose)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [text for name, text in _FENCE.findall(self.text) if name == language]

    @property
    def command_lines(self) -> list[str]:
        """The lines of indented blocks, which hold what is typed into a shell; continued ones are joined."""
        outside = _FENCE.sub("", self.text)
        lines = "\n".join(_INDENTED.findall(outside)).replace("\\\n", " ").splitlines()
        return [line.strip() for line in lines if line.strip()]


def slug(heading: str) -> str:
    """A heading's anchor: lower case, spaces to hyphens, punctuation dropped."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def documentation() -> list[Page]:
    """README and the pages of docs/."""
    return [Page(ROOT / "README.md"), *map(Page, sorted((ROOT / "docs").rglob("*.md")))]


def every_page() -> list[Page]:
    """The documentation, and the repository's other Markdown files that are written by hand."""
    others = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/README.md", "models/README.md")
    return [*documentation(), *(Page(ROOT / name) for name in others)]


def read(name: str) -> Any:
    """A file of benchmarks/results/."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def page(name: str) -> str:
    """The text of a page of docs/."""
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")
