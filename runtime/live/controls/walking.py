"""The controls of a generator's walk: its seed and speed, and sliders along a few directions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .keys import Key, switch
from .look import Look
from .panel import Panel, Word
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


class WalkControls(Panel):
    """Keys and sliders of a walk. `Walk` reads all of it from its own thread.

    Args:
        width: of the model's latent.
        seed: of the pictures that the walk passes.
        speed: how many of them it passes a second.
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
        look: Look | None = None,
        memory: Remembered | None = None,
    ) -> None:
        sliders = [Slider(f"d{i + 1}", -_REACH, _REACH, key=str(i + 1)) for i in range(min(SLIDERS, width))]
        take = f"1-{len(sliders)}  take a slider"
        own = [Key(s.key, take if s is sliders[0] else "", partial(WalkControls.hold, name=s.name)) for s in sliders]
        super().__init__(sliders, (*_COMMANDS, *own), look=look, memory=memory)
        self.seed, self.speed = seed, speed
        self.skips = 0  # how often the next picture was asked for
        for name, value in (values or {}).items():
            self.set(name, value)
        self.hold(self.sliders[0].name)

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
        for slider in self.sliders:
            text = f"{slider.name} {slider.value:+.1f}"
            words.append((f"[{text}]" if slider.name == self.held else text, "on" if slider.value else ""))
        return words
