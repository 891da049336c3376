"""The keys: what each does, in words for the help and as the call that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...errors import InputError

ESCAPE, TAB, BACKSPACE = "\x1b", "\t", "\x08\x7f"


@dataclass(frozen=True, eq=False)
class Key:
    """One command.

    Args:
        names: the characters that give it, any one of them.
        help: the key and what it does, two spaces between; "" where another entry tells it.
        act: given the panel.
        guest: whether a visitor of the page may press it too: it does not end the run.
    """

    names: str
    help: str
    act: Callable[[Any], object]
    guest: bool = False


class Keyed(Protocol):
    """What keys act on: the controls of a run."""

    @property
    def bindings(self) -> Mapping[str, Key]:
        """Character -> its command."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end."""
        ...

    def note_change(self) -> None:
        """Counts a change."""
        ...

    def say(self, words: str) -> None:
        """Shows a message for some seconds."""
        ...


def switch(name: str) -> Callable[[Any], None]:
    """Turns a yes or no of the look round."""
    return lambda panel: panel.choose(**{name: not getattr(panel.look, name)})


COMMON = (
    Key(TAB, "tab  sliders", switch("sliders")),
    Key("[", "[ ]  push the slider touched last", lambda panel: panel.nudge(-1)),
    Key("]", "", lambda panel: panel.nudge(1)),
    Key(BACKSPACE, "backspace  all back to rest", lambda panel: panel.reset()),
    Key("p", "p k  next preset, keep one", lambda panel: panel.next_preset()),
    Key("k", "", lambda panel: panel.say(f"kept as preset {panel.keep()}")),
    Key("m", "m  mirror", switch("mirror")),
    Key("w", "w  whole screen", switch("full_screen")),
    Key("s", "s  snapshot", lambda panel: panel.snapshot()),
    Key("r", "r  record, stop recording", switch("recording")),
    Key("h", "h  this help", switch("help")),
    Key("q" + ESCAPE, "q  quit (or Esc)", lambda panel: panel.stop()),
)


def bind(keys: Iterable[Key]) -> dict[str, Key]:
    """Character -> its command, in order."""
    return {name: key for key in keys for name in key.names}


def press(panel: Keyed, keys: str) -> bool:
    """Acts on keys in turn; False once the run is to end. Unknown keys do nothing.

    A capital counts as the small letter where it is no key of its own.
    """
    for name in keys:
        key = panel.bindings.get(name) or panel.bindings.get(name.lower())
        if key is None:
            continue
        try:
            key.act(panel)
            panel.note_change()
        except InputError as error:
            panel.say(error.seen)
    return not panel.stopped


def help_lines(panel: Keyed) -> list[str]:
    """Every command key and what it does."""
    return [key.help for key in dict.fromkeys(panel.bindings.values()) if key.help]


def guest_keys(panel: Keyed) -> frozenset[str]:
    """The keys that a visitor of the page may press."""
    return frozenset(name for name, key in panel.bindings.items() if key.guest)
