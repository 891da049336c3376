"""The attributes of a model that edits, each on a key and a slider."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from string import ascii_letters, digits

from ...errors import InputError
from .keys import COMMON, Key, bind, switch
from .look import VIEWS, Look, View
from .named import NamedPanel
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


class Controls(NamedPanel):
    """The attributes of a model that edits: a key and a slider for each.

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
        super().__init__(sliders, (*own, *_COMMANDS), groups, look=look, memory=memory)
        for name, value in (changes or {}).items():
            self.set(name, value)
        self._held = self.sliders[0].name if self.sliders else ""

    def status(self) -> list[Word]:
        """Each attribute that is set, and how far."""
        return self.change_words()
