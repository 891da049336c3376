"""Where the controls of a live run begin, and what is remembered of them for the next."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from edgegan.runtime.errors import EdgeganError, InputError

if TYPE_CHECKING:
    from edgegan.runtime.live.controls.look import Look, View
    from edgegan.runtime.live.controls.panel import Panel
    from edgegan.runtime.live.controls.remembered import Remembered
    from edgegan.runtime.model.card import ModelCard
    from edgegan.runtime.model.condition import Condition

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
        before it: a run that only writes files depends on its command line alone. --set counts before a preset.

        Raises InputError for a preset that is not there, and for remembered settings that cannot be read.
        """
        from edgegan.runtime.live.controls.look import Look
        from edgegan.runtime.live.controls.remembered import Remembered

        memory = Remembered.of(card) if watched or self.stdin or self.preset else None
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
            changes = _over(memory.presets[self.preset], changes, card.condition)
        elif recall is not None and not changes:
            low, high = self.span
            changes = {name: value for name, value in recall.values.items() if low <= value <= high}
            if changes:
                told = ", ".join(f"{name} {value:g}" for name, value in changes.items())
                note = f"as you left it: {told} (--fresh begins without)"
        if memory is not None and memory.note:
            note = "; ".join(filter(None, (note, memory.note)))
        return Start(changes, self.span, look, memory, recall, note)


@dataclass(frozen=True)
class Start:
    """Where the controls begin, and what they remember. `recall` is the memory that is also written at the end."""

    changes: dict[str, float]
    span: tuple[float, float]
    look: Look
    memory: Remembered | None
    recall: Remembered | None
    note: str

    def check(self, condition: Condition) -> None:
        """Raises InputError for a value out of range, for a name that the model does not know, and for two names of a
        group that are both on."""
        for name, value in self.changes.items():
            _check_value(name, value, self.span)
        condition.apply({}, self.changes)
        for group in condition.groups:
            on = [name for name in group if self.changes.get(name, 0.0) > 0.0]
            if len(on) > 1:
                raise InputError(f"{' and '.join(on)} exclude each other", todo="set one of them")

    def leave(self, panel: Panel) -> None:
        """Remembers how the controls were left; where that cannot be, says so."""
        if self.recall is not None:
            try:
                look = {name: value for name, value in asdict(panel.look).items() if name in _KEPT_LOOK}
                self.recall.leave(panel.values(), look)
            except EdgeganError as error:
                print(f"note:    the settings are not remembered: {error.seen}", file=sys.stderr)


def list_presets(card: ModelCard) -> None:
    """Prints the presets of a model."""
    from edgegan.runtime.live.controls.remembered import Remembered

    memory = Remembered.of(card)
    for name, values in memory.presets.items():
        told = ", ".join(f"{attribute} {value:g}" for attribute, value in values.items())
        print(f"{name}: {told or 'nothing set'}")
    if not memory.presets:
        print(f"{card.name} has no presets yet: key k in a window keeps one")


def _over(preset: Mapping[str, float], changes: Mapping[str, float], condition: Condition) -> dict[str, float]:
    """The preset with `changes` over it: what they turn on turns off the others of its group."""
    on = {name for name, value in changes.items() if value > 0.0}
    gone = {other for group in condition.groups if on & set(group) for other in group}
    return {**{name: value for name, value in preset.items() if name not in gone}, **changes}


def _check_value(name: str, value: float, span: tuple[float, float]) -> None:
    low, high = span
    if not low <= value <= high:
        ends = "0 (off) to 1 (on)" if span == (0.0, 1.0) else f"{low:g} to {high:g}"
        more = f"{min(low, math.floor(value)):g},{max(high, math.ceil(value)):g}"
        raise InputError(f"--set {name}={value:g} cannot be", f"a value from {ends}", f"to go beyond: --range {more}")
