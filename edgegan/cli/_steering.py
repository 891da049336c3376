"""How `edgegan live` is steered: what is set and shown at first, what is remembered, and the files made on request."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edgegan.runtime.errors import EdgeganError, InputError

if TYPE_CHECKING:
    from edgegan.runtime.card import ModelCard
    from edgegan.runtime.panel import Look, Panel, View
    from edgegan.runtime.provenance import Origin
    from edgegan.runtime.settings import Memory
    from edgegan.runtime.sinks import Clock, Sink
    from edgegan.runtime.stats import Stats

_PANEL = "Controls"
RANGE = typer.Option(
    "--range",
    metavar="LOW,HIGH",
    help="How far sliders and --set go; 0 is off, 1 is on, more may exaggerate.",
    rich_help_panel=_PANEL,
)
PRESET = typer.Option(
    "--preset", metavar="NAME", help="Begin with a preset that was kept (key k, or `keep`).", rich_help_panel=_PANEL
)
LIST_PRESETS = typer.Option("--list-presets", help="List the presets of this model and stop.", rich_help_panel=_PANEL)
FRESH = typer.Option(
    "--fresh", help="Begin without what is remembered of the last time, and remember nothing.", rich_help_panel=_PANEL
)
VIEW = typer.Option(
    "--view", metavar="VIEW", help="after, both (side by side), split or before.", rich_help_panel=_PANEL
)
MIRROR = typer.Option("--mirror", help="Show left and right exchanged.", rich_help_panel=_PANEL)
FULL_SCREEN = typer.Option("--full-screen", help="Begin on the whole screen.", rich_help_panel=_PANEL)
STDIN = typer.Option(
    "--stdin", help="Take lines such as `set Smiling 0.7`, `snapshot`, `record on`, `quit`.", rich_help_panel=_PANEL
)
FILES = typer.Option(
    "--files", metavar="FOLDER", help="Where snapshots and recordings made by keys go.", rich_help_panel=_PANEL
)
SNAPSHOT_EVERY = typer.Option(
    "--snapshot-every", min=0.1, metavar="SECONDS", help="Also a snapshot so often.", rich_help_panel=_PANEL
)

_NOTICE = (
    "note:    this program edits people's faces: ask those who are seen, and pass no edit off as real.",
    "         Pictures carry a visible mark (--no-label takes it off), files also tell of it in their metadata.",
    "         No picture is stored or sent unless you ask for it. This note comes once.",
)
_KEPT_LOOK = ("view", "split", "mirror", "sliders")


@dataclass(frozen=True)
class Wishes:
    """What the command line asks of the controls."""

    changes: dict[str, float]
    span: tuple[float, float]
    preset: str | None
    fresh: bool
    view: View | None
    mirror: bool
    full_screen: bool
    stdin: bool

    def begin(self, card: ModelCard, *, watched: bool) -> Start:
        """Where the controls begin. What is remembered counts only where someone watches, and --set and --preset
        before it: a run that only writes files depends on its command line alone.

        Raises InputError for a preset that is not there, and for remembered settings that cannot be read.
        """
        from edgegan.runtime.panel import Look
        from edgegan.runtime.settings import Memory

        memory = Memory.of(card) if watched or self.stdin or self.preset else None
        recall = memory if watched and not self.fresh else None
        look = Look()
        if recall is not None:
            look = replace(look, **{name: recall.look[name] for name in _KEPT_LOOK if name in recall.look})
        if self.view is not None:
            look = replace(look, view=self.view)
        look = replace(look, mirror=self.mirror or look.mirror, full_screen=self.full_screen)
        changes, note = dict(self.changes), ""
        if self.preset is not None and memory is not None:
            if self.preset not in memory.presets:
                there = ", ".join(memory.presets) or "none"
                raise InputError(f"there is no preset {self.preset!r} of {card.name}", f"there are: {there}")
            changes = {**memory.presets[self.preset], **changes}
        elif recall is not None and not changes:
            low, high = self.span
            changes = {name: value for name, value in recall.values.items() if low <= value <= high}
            if changes:
                told = ", ".join(f"{name} {value:g}" for name, value in changes.items())
                note = f"as you left it: {told} (--fresh begins without)"
        return Start(changes, self.span, look, memory, recall, note)


@dataclass(frozen=True)
class Start:
    """Where the controls begin, and what they remember. `recall` is the memory that is also written at the end."""

    changes: dict[str, float]
    span: tuple[float, float]
    look: Look
    memory: Memory | None
    recall: Memory | None
    note: str

    def leave(self, panel: Panel) -> None:
        """Remembers how the controls were left; where that cannot be, says so."""
        if self.recall is not None:
            try:
                self.recall.leave(panel.values(), {name: getattr(panel.look, name) for name in _KEPT_LOOK})
            except EdgeganError as error:
                print(f"note:    the settings are not remembered: {error.seen}", file=sys.stderr)


def wishes(
    changes: dict[str, float],
    *,
    range_: str | None,
    preset: str | None,
    fresh: bool,
    view: str | None,
    side_by_side: bool,
    mirror: bool,
    full_screen: bool,
    stdin: bool,
) -> Wishes:
    """The options, checked. Raises InputError for one that cannot be."""
    from edgegan.runtime.panel import VIEWS

    if view is not None and view not in VIEWS:
        raise InputError(f"--view {view} is not known", f"one of: {', '.join(VIEWS)}")
    chosen: View | None = view or ("both" if side_by_side else None)
    return Wishes(changes, _span(range_), preset, fresh, chosen, mirror, full_screen, stdin)


def check_value(name: str, value: float, span: tuple[float, float]) -> None:
    """Raises InputError for a value of --set that is out of range."""
    low, high = span
    if not low <= value <= high:
        ends = "0 (off) to 1 (on)" if span == (0.0, 1.0) else f"{low:g} to {high:g}"
        more = f"{min(low, math.floor(value)):g},{max(high, math.ceil(value)):g}"
        raise InputError(f"--set {name}={value:g} cannot be", f"a value from {ends}", f"to go beyond: --range {more}")


def list_presets(card: ModelCard) -> None:
    """Prints the presets of a model."""
    from edgegan.runtime.settings import Memory

    memory = Memory.of(card)
    for name, values in memory.presets.items():
        told = ", ".join(f"{attribute} {value:g}" for attribute, value in values.items())
        print(f"{name}: {told or 'nothing set'}")
    if not memory.presets:
        print(f"{card.name} has no presets yet: key k in a window keeps one")


def on_request(
    panel: Panel, stats: Stats, clock: Clock, origin: Origin, *, label: bool, folder: Path,
    every_s: float | None, stdin: bool, about: dict[str, str],
) -> list[Sink]:  # fmt: skip
    """The sinks that obey the panel: snapshots, recordings, and lines on stdin."""
    from edgegan.runtime.commands import Lines
    from edgegan.runtime.hud import Dressed
    from edgegan.runtime.snapshots import Recorder, Snapshots

    def dress(sink: Sink) -> Sink:
        return Dressed(sink, panel, stats, hud=False, mark=label, origin=origin)

    made: list[Sink] = [
        Snapshots(folder, panel, every_s=every_s, mark=label, origin=origin, about=about),
        Recorder(folder, panel, clock, dress),
    ]
    return [*made, Lines(sys.stdin, panel, _tell)] if stdin else made


def speak(panel: Panel) -> None:
    """Also prints what the panel says, for those who see no picture."""
    panel.listener = _tell


def notice_once() -> None:
    """The notice of the first use: on a terminal, once."""
    from edgegan.runtime.settings import first_time

    if sys.stderr.isatty() and not os.environ.get("CI") and first_time("notice"):
        print("\n".join(_NOTICE), file=sys.stderr)


def _tell(words: str) -> Any:
    print(words, file=sys.stderr)


def _span(text: str | None) -> tuple[float, float]:
    if text is None:
        return 0.0, 1.0
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low <= 0 and high >= 1):
        raise InputError(f"--range {text} cannot be", "LOW,HIGH with 0 and 1 in between, as in --range -0.5,1.5")
    return low, high
