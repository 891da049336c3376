"""How a benchmark leaves its figures: as JSON for programs, and as Markdown for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from edgegan.runtime.files import write_atomic


def write(out: Path, figures: Any, table: str) -> None:
    """Writes OUT.json, indented, and OUT.md; makes the folder."""
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(out.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    write_atomic(out.with_suffix(".md"), table.encode())


def name_of(path: Path) -> str:
    """The file's name behind its folder's: folders may hold files of one name."""
    return f"{path.resolve().parent.name}/{path.name}"
