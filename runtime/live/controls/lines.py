"""The controls as lines of text, for machines without a keyboard, and for programs that steer another."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ...errors import InputError
from .panel import Panel

if TYPE_CHECKING:
    from ...faces.options import Which

GRAMMAR = """\
set NAME VALUE      an attribute or slider; `as-it-is` for VALUE puts it back to rest
reset               all of them back to rest
view after|both|split|before
split PLACE         where the divider stands, from 0 to 1
mirror on|off       also: freeze, record, help, sliders, full-screen
click X Y           edits the face there: X from 0 (left) to 1, Y from 0 (top) to 1
faces all|largest|N edits these; N is how many of the largest
snapshot            a picture of the next frame
keep [NAME]         keeps what is set as a preset
preset NAME         sets what a preset holds
quit"""
_SWITCHES = {
    "mirror": "mirror",
    "freeze": "frozen",
    "record": "recording",
    "help": "help",
    "sliders": "sliders",
    "full-screen": "full_screen",
}
_ON, _OFF = ("on", "start"), ("off", "stop")
_Put = Callable[[Panel, list[str]], object]


def obey(panel: Panel, line: str) -> None:
    """Does what one line says (see `GRAMMAR`); an empty one, or one that begins with #, does nothing.

    Raises InputError for a line that is not understood, and what the panel raises.
    """
    words = line.split()
    if not words or words[0].startswith("#"):
        return
    name, rest = words[0], words[1:]
    if name in _SWITCHES and len(rest) == 1 and rest[0] in (*_ON, *_OFF):
        panel.choose(**{_SWITCHES[name]: rest[0] in _ON})
    elif (name, len(rest)) in _COMMANDS:
        _COMMANDS[name, len(rest)](panel, rest)
    else:
        raise InputError(f"the line {line.strip()!r} is not understood", f"one of:\n{GRAMMAR}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{text!r} is not a number") from None


def _share(text: str) -> float:
    if not 0.0 <= (number := _number(text)) <= 1.0:
        raise InputError(f"the place {text} is not in the frame", "a number from 0 to 1")
    return number


def _faces(text: str) -> Which:
    from ...faces.options import check_which

    return check_which(int(text) if text.isdecimal() else text)


_COMMANDS: dict[tuple[str, int], _Put] = {
    ("set", 2): lambda panel, w: panel.set(w[0], None if w[1] == "as-it-is" else _number(w[1])),
    ("reset", 0): lambda panel, w: panel.reset(),
    ("view", 1): lambda panel, w: panel.choose(view=w[0]),
    ("split", 1): lambda panel, w: panel.choose(split=_share(w[0])),
    ("click", 2): lambda panel, w: panel.choose(click=(_share(w[0]), _share(w[1]))),
    ("faces", 1): lambda panel, w: panel.choose(faces=_faces(w[0]), click=None),
    ("snapshot", 0): lambda panel, w: panel.snapshot(),
    ("keep", 0): lambda panel, w: panel.keep(),
    ("keep", 1): lambda panel, w: panel.keep(w[0]),
    ("preset", 1): lambda panel, w: panel.load(w[0]),
    ("quit", 0): lambda panel, w: panel.stop(),
}


class Lines:
    """Obeys the lines of a text stream, between frames. A line that is wrong is answered, and changes nothing.

    Args:
        stream: of lines, such as stdin; read in a thread of its own. Its end ends nothing.
        panel: that they steer.
        answer: given the words about a line that is wrong.
    """

    def __init__(self, stream: Iterable[str], panel: Panel, answer: Callable[[str], object]) -> None:
        self._panel, self._answer = panel, answer
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        # A daemon: a read of stdin cannot be ended from outside.
        threading.Thread(target=self._read, args=(stream,), name="edgegan-lines", daemon=True).start()

    def _read(self, stream: Iterable[str]) -> None:
        try:
            for line in stream:
                self._lines.put(line)
        except (OSError, ValueError):  # closed under the reader
            return

    def poll(self) -> None:
        """Obeys what has come since the last call; does not wait."""
        while not self._lines.empty() and not self._panel.stopped:
            try:
                obey(self._panel, self._lines.get())
            except InputError as error:
                self._answer(str(error))
