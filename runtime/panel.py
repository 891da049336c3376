"""What steers a run: sliders, and how the picture is shown.

Keys, the mouse, lines of text and the browser page all end in the same few calls, from any thread.
"""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from .errors import InputError
from .settings import Memory

if TYPE_CHECKING:
    from typing import Self

ESCAPE, TAB, BACKSPACE = "\x1b", "\t", "\x08\x7f"
_SAID_S = 4.0  # how long a message stays

View = Literal["after", "both", "split", "before"]
VIEWS: tuple[View, ...] = get_args(View)
Word = tuple[str, Literal["", "on", "off"]]  # a word of the status line, and its colour


@dataclass(frozen=True)
class Look:
    """How the picture is shown. Never changed in place, so that whoever draws sees one state.

    `split` is where the divider of the split view stands, from 0 (left) to 1. `click` is the place last clicked
    in the frame, (x, y) from 0 to 1, None for none yet.
    """

    view: View = "after"
    split: float = 0.5
    mirror: bool = False
    frozen: bool = False
    recording: bool = False
    full_screen: bool = False
    help: bool = False
    sliders: bool = False
    click: tuple[float, float] | None = None


class Slider:
    """A number from `low` to `high`, read from any thread; `Panel.set` moves it. None means "as it is"."""

    STEPS = 40

    def __init__(
        self, name: str, low: float = 0.0, high: float = 1.0, *, rest: float | None = 0.0, key: str = ""
    ) -> None:
        self.name, self.low, self.high, self.rest, self.key = name, low, high, rest, key
        self.value = rest

    def place(self) -> float:
        """Where it stands, from 0 to 1; at 0 or its low end while it is as it is."""
        value = min(max(0.0, self.low), self.high) if self.value is None else self.value
        return (value - self.low) / (self.high - self.low)

    def at(self, place: float) -> float:
        """The value at a place from 0 to 1, or at the nearer end, in steps of a fortieth."""
        step = round(min(max(place, 0.0), 1.0) * self.STEPS)
        return round(self.low + step / self.STEPS * (self.high - self.low), 6)


class Panel:
    """What every set of controls has: sliders, the view, presets, help and quitting. Thread-safe.

    Args:
        sliders: in the order in which they are shown.
        look: how the picture is shown at first.
        memory: keeps presets; None keeps none.

    `version` grows with every change, so that whoever shows the state can ask cheaply. `snapshots` counts how
    often one was asked for.
    """

    views: tuple[View, ...] = ("after",)

    def __init__(
        self, sliders: Sequence[Slider] = (), *, look: Look | None = None, memory: Memory | None = None
    ) -> None:
        self.sliders = tuple(sliders)
        self.look = look or Look()
        self.memory = memory
        self.version = 0
        self.snapshots = 0
        self.stopped = False
        self.listener: Callable[[str], object] | None = None  # also told what is said
        self._by_name = {slider.name: slider for slider in self.sliders}
        self._held = self.sliders[0].name if self.sliders else ""  # the slider that [ and ] push
        self._preset = -1
        self._said = ("", -math.inf)
        self._lock = threading.RLock()

    def set(self, name: str, value: float | None) -> None:
        """Puts one slider at a value; None puts it back to rest.

        Raises InputError for an unknown name, and for a value that is not in its range.
        """
        with self._lock:
            slider = self._by_name.get(name)
            if slider is None:
                raise InputError(f"there is no slider {name!r}", f"there are: {', '.join(self._by_name) or 'none'}")
            if value is not None and not slider.low <= value <= slider.high:  # NaN too
                raise InputError(f"{name}={value:g} was asked for", f"a value from {slider.low:g} to {slider.high:g}")
            slider.value = slider.rest if value is None else float(value)
            self._held = name
            self._moved(slider)
            self.version += 1

    def nudge(self, steps: int) -> None:
        """Pushes the slider that was touched last by so many fortieths of its way."""
        with self._lock:
            if self._held:
                slider = self._by_name[self._held]
                self.set(slider.name, slider.at(slider.place() + steps / slider.STEPS))

    def reset(self) -> None:
        """Puts every slider back to rest, and forgets the place that was clicked."""
        with self._lock:
            for name in self._by_name:
                self.set(name, None)
            self.choose(click=None)

    def values(self) -> dict[str, float]:
        """What is set: the sliders that are not at rest."""
        with self._lock:
            return {s.name: s.value for s in self.sliders if s.value is not None and s.value != s.rest}

    def restore(self, values: Mapping[str, float]) -> None:
        """Sets these and puts the others back to rest; all of them or, on an InputError, none."""
        with self._lock:
            before = self.values()
            try:
                self.reset()
                for name, value in values.items():
                    self.set(name, value)
            except InputError:
                self.restore(before)
                raise

    def choose(self, **look: Any) -> None:
        """Changes the look, as in `choose(view="split", split=0.3, mirror=True)`.

        Raises InputError for a view that there is not.
        """
        with self._lock:
            view = look.get("view", self.look.view)
            if view not in self.views:
                raise InputError(f"there is no view {view!r}", f"there are: {', '.join(self.views)}")
            if "split" in look:
                look["split"] = min(max(float(look["split"]), 0.0), 1.0)
            self.look = replace(self.look, **look)
            self.version += 1

    def snapshot(self) -> None:
        """Asks for a picture of the next frame."""
        with self._lock:
            self.snapshots += 1

    def stop(self) -> None:
        """Asks the run to end."""
        self.stopped = True

    def say(self, words: str) -> None:
        """Shows a message for some seconds."""
        with self._lock:
            self._said = (words, time.monotonic())
            self.version += 1
        if self.listener is not None:
            self.listener(words)

    def message(self) -> str:
        """What was said in the last seconds."""
        words, when = self._said
        return words if time.monotonic() - when < _SAID_S else ""

    def keep(self, name: str = "") -> str:
        """Keeps what is set as a preset; without a name, under the next free number. Returns the name.

        Raises InputError where nothing can be kept.
        """
        with self._lock:
            if self.memory is None:
                raise InputError("presets are not kept here")
            name = self.memory.keep(name, self.values())
            self.version += 1
            return name

    def load(self, name: str) -> None:
        """Sets what a preset holds. Raises InputError if there is none of that name, or it does not fit."""
        with self._lock:
            presets = self.memory.presets if self.memory else {}
            if name not in presets:
                raise InputError(f"there is no preset {name!r}", f"there are: {', '.join(presets) or 'none'}")
            self.restore(presets[name])
            self._preset = list(presets).index(name)

    def press(self, keys: str) -> bool:
        """Acts on keys in turn; False once the run is to end. Unknown keys do nothing."""
        for key in keys:
            try:
                self._press(key)
            except InputError as error:
                self.say(error.seen)
        return not self.stopped

    def _press(self, key: str) -> None:
        command, look = key.lower(), self.look
        if command == "q" or key == ESCAPE:
            self.stop()
        elif command == "h":
            self.choose(help=not look.help)
        elif key == TAB:
            self.choose(sliders=not look.sliders)
        elif command == "w":
            self.choose(full_screen=not look.full_screen)
        elif command == "m":
            self.choose(mirror=not look.mirror)
        elif command == "s":
            self.snapshot()
        elif command == "r":
            self.choose(recording=not look.recording)
        elif command == "k":
            self.say(f"kept as preset {self.keep()}")
        elif command == "p":
            self._next_preset()
        elif key in BACKSPACE:
            self.reset()
        elif key in ("[", "]"):
            self.nudge(1 if key == "]" else -1)
        else:
            self._act(key)
            self.version += 1

    def _next_preset(self) -> None:
        presets = list(self.memory.presets) if self.memory else []
        if not presets:
            return self.say("no presets yet: k keeps one")
        name = presets[(self._preset + 1) % len(presets)]
        self._preset = presets.index(name)  # also when it no longer fits: the next press goes on
        self.load(name)
        self.say(f"preset {name}")

    def _act(self, key: str) -> None:
        """What the other keys do."""

    def _moved(self, slider: Slider) -> None:
        """What follows from a slider's new value; runs under the lock."""

    @property
    def held(self) -> str:
        """The slider that was touched last, which [ and ] push."""
        return self._held

    def hold(self, name: str) -> None:
        """Takes a slider without moving it."""
        with self._lock:
            self._held = name
            self.version += 1

    def copy(self) -> Self:
        """Sliders of its own that begin where these stand; with a look of its own, and without the memory."""
        with self._lock:
            twin = copy.copy(self)
            twin._lock = threading.RLock()
            twin.sliders = tuple(copy.copy(slider) for slider in self.sliders)
            twin._by_name = {slider.name: slider for slider in twin.sliders}
            twin.look, twin.memory, twin.listener, twin.version = Look(), None, None, 0
            return twin

    def describe(self) -> dict[str, Any]:
        """What a snapshot tells of its making, for JSON."""
        return {"settings": self.values(), "view": self.look.view, "mirror": self.look.mirror}

    def status(self) -> list[Word]:
        """The state, for the status line."""
        return []

    def state(self) -> dict[str, Any]:
        """Everything that can be shown and set, for JSON."""
        with self._lock:
            return {
                "version": self.version,
                "sliders": [
                    {"name": s.name, "key": s.key, "value": s.value, "rest": s.rest, "low": s.low, "high": s.high}
                    for s in self.sliders
                ],
                "groups": [],
                "views": list(self.views),
                "look": asdict(self.look),
                "presets": list(self.memory.presets) if self.memory else [],
                "message": self.message(),
            }

    def help_lines(self) -> list[str]:
        """Every command key and what it does."""
        return [
            "tab  sliders",
            "[ ]  push the slider touched last",
            "backspace  all back to rest",
            "p k  next preset, keep one",
            "m  mirror",
            "w  whole screen",
            "s  snapshot",
            "r  record, stop recording",
            "h  this help",
            "q  quit (or Esc)",
        ]
