"""What the person at the keyboard wants: which attributes are set, and how the picture is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

ESCAPE = "\x1b"
_ATTRIBUTE_KEYS = "1234567890acdefgijklmnoprstuvwxyzACDEFGIJKLMNOPRSTUVWXYZ"  # without b, h and q

Word = tuple[str, Literal["", "on", "off"]]  # a word of the status line, and its colour


class Slider:
    """A number from `low` to `high` that is pushed about; may be read from any thread."""

    STEPS = 40

    def __init__(self, name: str, low: float, high: float, value: float = 0.0) -> None:
        self.name, self.low, self.high, self.value = name, low, high, value

    @property
    def place(self) -> int:
        """Where it stands, from 0 to STEPS."""
        return round((self.value - self.low) / (self.high - self.low) * self.STEPS)

    def move(self, steps: int) -> None:
        """Pushes it by so many steps, as far as it goes."""
        self.put(self.place + steps)

    def put(self, place: int) -> None:
        """Puts it at a place from 0 to STEPS, or at the nearer end."""
        share = min(max(place, 0), self.STEPS) / self.STEPS
        self.value = round(self.low + share * (self.high - self.low), 6)


class Panel:
    """What every set of controls has: quitting, help, and the two views. Belongs to one thread."""

    def __init__(self, *, side_by_side: bool = False) -> None:
        self.side_by_side = side_by_side
        self.help = False
        self.sliders: tuple[Slider, ...] = ()

    def press(self, keys: str) -> bool:
        """Acts on keys in turn; False when one of them means quit. Unknown keys do nothing."""
        for key in keys:
            if key in ("q", "Q", ESCAPE):
                return False
            if key in ("h", "H"):
                self.help = not self.help
            else:
                self._act(key)
        return True

    def _act(self, key: str) -> None:
        """What the other keys do."""

    def status(self) -> list[Word]:
        """The state, for the status line."""
        return []

    def help_lines(self) -> list[str]:
        """Every key and what it does."""
        return ["h  this help", "q  quit (or Esc)"]


class Controls(Panel):
    """Attributes that keys turn on and off. `changes` may be read from any thread, the rest belongs to one.

    One key per attribute, in the card's order. A key goes round: on, off, as it is. A member of an exclusive
    group (`groups`) has no off of its own: on, as it is; and one that comes on frees the others.
    """

    def __init__(
        self,
        names: Sequence[str] = (),
        groups: Sequence[Sequence[str]] = (),
        changes: Mapping[str, float] | None = None,
        *,
        side_by_side: bool = False,
    ) -> None:
        super().__init__(side_by_side=side_by_side)
        self.keys = dict(zip(_ATTRIBUTE_KEYS, names, strict=False))
        self._groups = tuple(tuple(group) for group in groups)
        self._changes = dict(changes or {})

    @property
    def changes(self) -> Mapping[str, float]:
        """Attribute -> wanted value; what is not in it stays as it is. Replaced, never changed in place."""
        return self._changes

    def _act(self, key: str) -> None:
        if key in ("b", "B"):
            self.side_by_side = not self.side_by_side
        elif key in self.keys:
            self._turn(self.keys[key])

    def _turn(self, name: str) -> None:
        changes = dict(self._changes)
        rivals = {other for group in self._groups if name in group for other in group if other != name}
        now = changes.pop(name, None)
        if now is None:
            changes = {other: value for other, value in changes.items() if other not in rivals}
            changes[name] = 1.0
        elif now > 0 and not rivals:
            changes[name] = 0.0
        self._changes = changes

    def status(self) -> list[Word]:
        """Each attribute with its key, and whether it is set."""
        words: list[Word] = []
        for key, name in self.keys.items():
            if name not in self._changes:
                words.append((f"{key} {name}", ""))
            else:
                words.append((f"{key} {name} on", "on") if self._changes[name] > 0 else (f"{key} {name} off", "off"))
        return words

    def help_lines(self) -> list[str]:
        """Every key and what it does."""
        toggles = [f"{key}  {name}" for key, name in self.keys.items()]
        return [*toggles, "b  before and after", *super().help_lines()]
