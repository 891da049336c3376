"""What a measure hands back: figures for a file, tables for a reader, a sheet for the eye."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegan.sheet import Sheet


@dataclass(frozen=True)
class Request:
    """What to measure on. `data` is a --data SPEC, or empty for the set the model was trained on."""

    data: str = ""
    count: int = 256  # held-out pictures, or pictures made, at most
    inception: Path | None = None  # weights of FID's network
    seed: int = 0


@dataclass(frozen=True)
class Table:
    """Text cells under headings; those headed in `left` are words, the others numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: Sequence[int] = (0,)


@dataclass(frozen=True)
class Report:
    """`figures` are plain JSON values. `sheet` makes the pictures, which costs time."""

    figures: dict[str, Any]
    tables: Sequence[Table]
    notes: Sequence[str]
    sheet: Callable[[], Sheet]
