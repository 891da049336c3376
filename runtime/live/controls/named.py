"""Sliders for names that a card knows, of which some exclude each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .keys import Key
from .look import Look
from .panel import Panel, Word
from .remembered import Remembered
from .slider import Slider


class NamedPanel(Panel):
    """A panel with sliders for a card's names among its own: these rest at None, "as it is".

    A name goes round: on, off, as it is. A member of an exclusive group (`groups`) has no off of its own: on, as it
    is; and one that comes on frees the others.

    Args:
        sliders: all of them, those of names and any others.
        groups: names that exclude each other.
    """

    def __init__(
        self,
        sliders: Sequence[Slider],
        keys: Sequence[Key],
        groups: Sequence[Sequence[str]] = (),
        *,
        look: Look | None = None,
        memory: Remembered | None = None,
    ) -> None:
        super().__init__(sliders, keys, look=look, memory=memory)
        self._groups = tuple(tuple(group) for group in groups)
        self._changes: Mapping[str, float] = {}

    @property
    def changes(self) -> Mapping[str, float]:
        """Name -> wanted value; what is not in it stays as it is. Replaced, never changed in place."""
        return self._changes

    def find_exclusions(self, name: str) -> tuple[str, ...]:
        """The names that cannot be on together with this one."""
        return tuple(other for group in self._groups if name in group for other in group if other != name)

    def turn(self, name: str) -> None:
        """The next state of a name: on, off, as it is."""
        with self._lock:
            slider = self._by_name[name]
            if slider.value is None:
                self.set(name, min(1.0, slider.high))
            else:
                self.set(name, 0.0 if slider.value > 0 and not self.find_exclusions(name) else None)

    def state(self) -> dict[str, Any]:
        """As in `Panel`, with the exclusive groups."""
        return {**super().state(), "groups": [list(group) for group in self._groups]}

    def change_words(self) -> list[Word]:
        """Each name that is set, and how far."""
        words: list[Word] = []
        for name, value in self._changes.items():
            words.append(
                (name if value == 1 else f"{name} {value:g}" if value else f"{name} off", "on" if value > 0 else "off")
            )
        return words

    def _follow(self, slider: Slider) -> None:
        if slider.rest is None and slider.value is not None and slider.value > 0:
            for other in self.find_exclusions(slider.name):
                self._by_name[other].value = None
        self._changes = {s.name: s.value for s in self.sliders if s.rest is None and s.value is not None}
