"""The state that every set of controls has.

Keys, the mouse, lines of text and the browser page all end in the same few calls, from any thread.
"""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal

from ...errors import InputError
from . import keys as keyboard
from .keys import Key
from .look import Look, View
from .remembered import Remembered
from .slider import Slider, share

if TYPE_CHECKING:
    from typing import Self

_SAID_S = 4.0  # how long a message stays

Word = tuple[str, Literal["", "on", "off"]]  # a word of the status line, and its colour


class Panel:
    """What every set of controls has: sliders, the view, presets, help and quitting. Thread-safe.

    Args:
        sliders: in the order in which they are shown.
        keys: of its own, before those that all have.
        look: how the picture is shown at first.
        memory: keeps presets; None keeps none.

    `version` grows with every change, so that whoever shows the state can ask cheaply. `snapshots` counts how
    often one was asked for.
    """

    views: tuple[View, ...] = ("after",)

    def __init__(
        self,
        sliders: Sequence[Slider] = (),
        keys: Sequence[Key] = (),
        *,
        look: Look | None = None,
        memory: Remembered | None = None,
    ) -> None:
        self.sliders = tuple(sliders)
        self.bindings = keyboard.bind((*keys, *keyboard.COMMON))
        self.look = look or Look()
        self.memory = memory
        self.version = 0
        self.snapshots = 0
        self.stopping = threading.Event()  # set: the run is to end
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
            self._follow(slider)
            self.version += 1

    def nudge(self, steps: int) -> None:
        """Pushes the slider that was touched last by so many fortieths of its way."""
        with self._lock:
            if self._held:
                slider = self._by_name[self._held]
                self.set(slider.name, slider.at(slider.place() + steps / slider.STEPS))

    def reset(self) -> None:
        """Puts every slider back to rest, and the choice of faces to that of the beginning."""
        with self._lock:
            for name in self._by_name:
                self.set(name, None)
            self.choose(click=None, faces=None)

    def values(self) -> dict[str, float]:
        """What is set: the sliders that are not at rest."""
        with self._lock:
            return {s.name: s.value for s in self.sliders if s.value is not None and s.value != s.rest}

    def restore(self, values: Mapping[str, float]) -> None:
        """Sets these and puts the others back to rest; all of them or, on an InputError, none."""
        with self._lock:
            before = self.values()
            try:
                for name in self._by_name:
                    self.set(name, None)
                for name, value in values.items():
                    self.set(name, value)
            except InputError:
                self.restore(before)
                raise

    def choose(self, **look: Any) -> None:
        """Changes the look, as in `choose(view="split", split=0.3, mirror=True)`.

        Places beyond the frame are taken to its edge. Raises InputError for a view that there is not, and for a place
        that is no finite number.
        """
        with self._lock:
            view = look.get("view", self.look.view)
            if view not in self.views:
                raise InputError(f"there is no view {view!r}", f"there are: {', '.join(self.views)}")
            if "split" in look:
                look["split"] = share(look["split"])
            if look.get("click") is not None:
                look["click"] = share(look["click"][0]), share(look["click"][1])
            self.look = replace(self.look, **look)
            self.version += 1

    def snapshot(self) -> None:
        """Asks for a picture of the next frame."""
        with self._lock:
            self.snapshots += 1

    def stop(self) -> None:
        """Asks the run to end."""
        self.stopping.set()

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end."""
        return self.stopping.is_set()

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
        return keyboard.press(self, keys)

    def note_change(self) -> None:
        """Counts a change, so that whoever shows the state looks again."""
        with self._lock:
            self.version += 1

    def next_preset(self) -> None:
        """Loads the preset after the last one, round and round, and says which."""
        presets = list(self.memory.presets) if self.memory else []
        if not presets:
            return self.say("no presets yet: k keeps one")
        name = presets[(self._preset + 1) % len(presets)]
        self._preset = presets.index(name)  # also when it no longer fits: the next press goes on
        self.load(name)
        self.say(f"preset {name}")

    def _follow(self, slider: Slider) -> None:
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
            twin._lock, twin.stopping = threading.RLock(), threading.Event()
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
        return keyboard.help_lines(self)
