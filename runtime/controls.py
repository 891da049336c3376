"""The attributes of a model that edits, each on a key and a slider."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InputError
from .panel import VIEWS, Look, Panel, Slider, View, Word
from .settings import Memory

# Without the letters of the panel's commands and the views, small or capital: b h k m o p q r s v w.
_KEYS = "1234567890acdefgijlntuxyzACDEFGIJLNTUXYZ"


class Controls(Panel):
    """The attributes of a model that edits: a key and a slider for each.

    A key goes round: on, off, as it is. A member of an exclusive group (`groups`) has no off of its own: on, as it
    is; and one that comes on frees the others.

    Args:
        names: of the attributes, in the card's order.
        groups: names that exclude each other.
        changes: what is set at first.
        span: the lowest and the highest value; 0 is off and 1 is on.
    """

    views = VIEWS

    def __init__(
        self,
        names: Sequence[str] = (),
        groups: Sequence[Sequence[str]] = (),
        changes: Mapping[str, float] | None = None,
        *,
        span: tuple[float, float] = (0.0, 1.0),
        look: Look | None = None,
        memory: Memory | None = None,
    ) -> None:
        low, high = span
        if not (math.isfinite(low) and math.isfinite(high) and low <= 0 < high):
            raise InputError(f"sliders from {low:g} to {high:g} were asked for", "a range that holds 0, as in 0,1.5")
        keys = _KEYS.ljust(len(names))
        sliders = [Slider(n, low, high, rest=None, key=k.strip()) for n, k in zip(names, keys, strict=False)]
        super().__init__(sliders, look=look, memory=memory)
        self.keys = {slider.key: slider.name for slider in sliders if slider.key}
        self._groups = tuple(tuple(group) for group in groups)
        self._changes: Mapping[str, float] = {}
        for name, value in (changes or {}).items():
            self.set(name, value)
        self._held = self.sliders[0].name if self.sliders else ""

    @property
    def changes(self) -> Mapping[str, float]:
        """Attribute -> wanted value; what is not in it stays as it is. Replaced, never changed in place."""
        return self._changes

    def rivals(self, name: str) -> tuple[str, ...]:
        """The attributes that cannot be on together with this one."""
        return tuple(other for group in self._groups if name in group for other in group if other != name)

    def _moved(self, slider: Slider) -> None:
        if slider.value is not None and slider.value > 0:
            for other in self.rivals(slider.name):
                self._by_name[other].value = None
        self._changes = {s.name: s.value for s in self.sliders if s.value is not None}

    def _act(self, key: str) -> None:
        command, look = key.lower(), self.look
        if command in "bov":
            view: View = {"b": "both", "o": "before", "v": "split"}[command]  # type: ignore[assignment]
            self.choose(view="after" if look.view == view else view)
        elif key == " ":
            self.choose(frozen=not look.frozen)
        elif key in self.keys:
            self._turn(self._by_name[self.keys[key]])

    def _turn(self, slider: Slider) -> None:
        with self._lock:
            if slider.value is None:
                self.set(slider.name, min(1.0, slider.high))
            else:
                self.set(slider.name, 0.0 if slider.value > 0 and not self.rivals(slider.name) else None)

    def status(self) -> list[Word]:
        """Each attribute that is set, and how far."""
        words: list[Word] = []
        for name, value in self._changes.items():
            words.append(
                (name if value == 1 else f"{name} {value:g}" if value else f"{name} off", "on" if value > 0 else "off")
            )
        return words

    def state(self) -> dict[str, Any]:
        """As in `Panel`, with the exclusive groups."""
        return {**super().state(), "groups": [list(group) for group in self._groups]}

    def help_lines(self) -> list[str]:
        """Every command key and what it does."""
        own = [f"{' '.join(list(self.keys)[:3])} ...  an attribute: on, off, as it is"] if self.keys else []
        views = ["b  before and after", "v  split view (drag the line)", "o  the original", "space  freeze"]
        return [*own, *views, *super().help_lines()]
