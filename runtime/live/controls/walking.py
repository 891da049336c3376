"""The controls of a generator's walk: its seed and speed, sliders along a few directions, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import zip_longest
from string import ascii_letters, digits
from typing import Any

from ...model.condition import Condition
from .keys import COMMON, Key, bind, switch
from .look import Look
from .named import NamedPanel
from .panel import Word
from .remembered import Remembered
from .slider import Slider

SLIDERS = 4
_REACH = 2.0  # of a slider: at 1, its direction weighs as much as all that the walk chose
_SPEEDS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # pictures a second
_COMMANDS = (
    Key(" ", "space  pause, go on", switch("frozen"), guest=True),
    Key("n", "n  the next picture", lambda walk: walk.skip(), guest=True),
    Key("g", "g  another seed", lambda walk: walk.reseed(), guest=True),
    Key("+", "+ -  faster, slower", lambda walk: walk.faster(), guest=True),
    Key("-", "", lambda walk: walk.slower(), guest=True),
    Key("0", "", lambda walk: walk.reset()),
)
_TAKEN = {*bind((*_COMMANDS, *COMMON)), *(str(i + 1) for i in range(SLIDERS))}
_FREE = [key for key in digits[1:] + ascii_letters if key.lower() not in _TAKEN]


class WalkControls(NamedPanel):
    """Keys and sliders of a walk. `Walk` reads all of it from its own thread.

    Args:
        width: of the model's latent.
        seed: of the pictures that the walk passes.
        speed: how many of them it passes a second.
        condition: the names that the generator is told a value for; each has a slider, and rests at what the walk
            draws.
        values: where the sliders stand at the start, by name; InputError for an unknown one, or beyond its ends.
        look: how the picture is shown at first.
        memory: keeps presets.
    """

    def __init__(
        self,
        width: int,
        seed: int = 0,
        speed: float = 0.5,
        values: Mapping[str, float] | None = None,
        *,
        condition: Condition | None = None,
        look: Look | None = None,
        memory: Remembered | None = None,
    ) -> None:
        condition = condition or Condition()
        directions = [Slider(f"d{i + 1}", -_REACH, _REACH, key=str(i + 1)) for i in range(min(SLIDERS, width))]
        take = f"1-{len(directions)}  take a slider"
        own = [
            Key(s.key, "" if number else take, partial(WalkControls.hold, name=s.name))
            for number, s in enumerate(directions)
        ]
        named = [
            Slider(name, *condition.ranges.get(name, (0.0, 1.0)), rest=None, key=key or "")
            for name, key in zip_longest(condition.names, _FREE[: len(condition.names)])
        ]
        told = f"{' '.join([s.key for s in named if s.key][:3])} ...  a name: on, off, as the walk has it"
        own += [
            Key(s.key, "" if number else told, partial(WalkControls.turn, name=s.name))
            for number, s in enumerate(named)
            if s.key
        ]
        super().__init__([*directions, *named], (*_COMMANDS, *own), condition.groups, look=look, memory=memory)
        self.seed, self.speed = seed, speed
        self.skips = 0  # how often the next picture was asked for
        for name, value in (values or {}).items():
            self.set(name, value)
        self.hold(self.sliders[0].name)

    @property
    def directions(self) -> list[Slider]:
        """The sliders along directions of the latents; those of names rest at None."""
        return [slider for slider in self.sliders if slider.rest is not None]

    @property
    def paused(self) -> bool:
        """Whether the walk stands still."""
        return self.look.frozen

    def faster(self) -> None:
        """The next higher speed."""
        self.speed = min((speed for speed in _SPEEDS if speed > self.speed), default=_SPEEDS[-1])

    def slower(self) -> None:
        """The next lower speed."""
        self.speed = max((speed for speed in _SPEEDS if speed < self.speed), default=_SPEEDS[0])

    def skip(self) -> None:
        """Asks for the next picture."""
        self.skips += 1

    def reseed(self) -> None:
        """Begins another walk."""
        self.seed += 1

    def describe(self) -> dict[str, Any]:
        """What a snapshot tells of its making."""
        return {**super().describe(), "seed": self.seed}

    def status(self) -> list[Word]:
        """Seed, speed, and where the sliders stand; the one that keys push in brackets."""
        words: list[Word] = [(f"seed {self.seed}", ""), ("paused", "off") if self.paused else (f"{self.speed:g}/s", "")]
        for slider in self.directions:
            text = f"{slider.name} {slider.value:+.1f}"
            words.append((f"[{text}]" if slider.name == self.held else text, "on" if slider.value else ""))
        return [*words, *self.change_words()]
