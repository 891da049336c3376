"""The attributes of a model that edits, each on a key and a slider."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from string import ascii_letters, digits
from typing import Any

from ...errors import InputError
from .keys import COMMON, Key, bind, switch
from .look import VIEWS, Look, View
from .panel import Panel, Word
from .remembered import Remembered
from .slider import Slider


def _view(view: View) -> Callable[[Panel], None]:
    """Shows a view, or ends it."""
    return lambda panel: panel.choose(view="after" if panel.look.view == view else view)


_COMMANDS = (
    Key("b", "b  before and after", _view("both")),
    Key("v", "v  split view (drag the line)", _view("split")),
    Key("o", "o  the original", _view("before")),
    Key(" ", "space  freeze", switch("frozen")),
)
_TAKEN = bind((*_COMMANDS, *COMMON))
_FREE = [key for key in digits[1:] + "0" + ascii_letters if key.lower() not in _TAKEN]


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
        memory: Remembered | None = None,
    ) -> None:
        low, high = span
        if not (math.isfinite(low) and math.isfinite(high) and low <= 0 < high):
            raise InputError(f"sliders from {low:g} to {high:g} were asked for", "a range that holds 0, as in 0,1.5")
        sliders = [
            Slider(name, low, high, rest=None, key=key or "") for name, key in zip_longest(names, _FREE[: len(names)])
        ]
        self.keys = {slider.key: slider.name for slider in sliders if slider.key}
        told = f"{' '.join(list(self.keys)[:3])} ...  an attribute: on, off, as it is"
        own = [
            Key(key, "" if number else told, partial(Controls.turn, name=name))
            for number, (key, name) in enumerate(self.keys.items())
        ]
        super().__init__(sliders, (*own, *_COMMANDS), look=look, memory=memory)
        self._groups = tuple(tuple(group) for group in groups)
        self._changes: Mapping[str, float] = {}
        for name, value in (changes or {}).items():
            self.set(name, value)
        self._held = self.sliders[0].name if self.sliders else ""

    @property
    def changes(self) -> Mapping[str, float]:
        """Attribute -> wanted value; what is not in it stays as it is. Replaced, never changed in place."""
        return self._changes

    def find_exclusions(self, name: str) -> tuple[str, ...]:
        """The attributes that cannot be on together with this one."""
        return tuple(other for group in self._groups if name in group for other in group if other != name)

    def _follow(self, slider: Slider) -> None:
        if slider.value is not None and slider.value > 0:
            for other in self.find_exclusions(slider.name):
                self._by_name[other].value = None
        self._changes = {s.name: s.value for s in self.sliders if s.value is not None}

    def turn(self, name: str) -> None:
        """The next state of an attribute: on, off, as it is."""
        with self._lock:
            slider = self._by_name[name]
            if slider.value is None:
                self.set(name, min(1.0, slider.high))
            else:
                self.set(name, 0.0 if slider.value > 0 and not self.find_exclusions(name) else None)

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
