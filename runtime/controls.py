"""What the person at the keyboard wants: which attributes are set, and how the picture is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ESCAPE = "\x1b"
_ATTRIBUTE_KEYS = "1234567890acdefgijklmnoprstuvwxyzACDEFGIJKLMNOPRSTUVWXYZ"  # without b, h and q


class Controls:
    """The state that keys change. `changes` may be read from any thread, the rest belongs to one.

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
        self.keys = dict(zip(_ATTRIBUTE_KEYS, names, strict=False))
        self._groups = tuple(tuple(group) for group in groups)
        self._changes = dict(changes or {})
        self.side_by_side = side_by_side
        self.help = False

    @property
    def changes(self) -> Mapping[str, float]:
        """Attribute -> wanted value; what is not in it stays as it is. Replaced, never changed in place."""
        return self._changes

    def press(self, keys: str) -> bool:
        """Acts on keys in turn; False when one of them means quit. Unknown keys do nothing."""
        for key in keys:
            if key in ("q", "Q", ESCAPE):
                return False
            if key in ("b", "B"):
                self.side_by_side = not self.side_by_side
            elif key in ("h", "H"):
                self.help = not self.help
            elif key in self.keys:
                self._turn(self.keys[key])
        return True

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

    def help_lines(self) -> list[str]:
        """Every key and what it does."""
        toggles = [f"{key}  {name}" for key, name in self.keys.items()]
        return [*toggles, "b  before and after", "h  this help", "q  quit (or Esc)"]
