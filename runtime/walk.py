"""A walk through a generator's latents: from one random picture to the next, steered by keys and sliders."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from . import latent
from .image import Image
from .latent import Floats
from .panel import Look, Panel, Slider, Word
from .sampler import Sampler
from .settings import Memory
from .stream import Record

SLIDERS = 4
_REACH = 2.0  # of a slider: at 1, its direction weighs as much as all that the walk chose
_SPEEDS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # pictures a second
_LONGEST_GAP_S = 0.5  # a hiccup of the machine is no leap of the walk


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
        memory: Memory | None = None,
    ) -> None:
        sliders = [Slider(f"d{i + 1}", -_REACH, _REACH, key=str(i + 1)) for i in range(min(SLIDERS, width))]
        super().__init__(sliders, look=look, memory=memory)
        self.seed, self.speed = seed, speed
        self.skips = 0  # how often the next picture was asked for
        for name, value in (values or {}).items():
            self.set(name, value)
        self.hold(self.sliders[0].name)

    @property
    def paused(self) -> bool:
        """Whether the walk stands still."""
        return self.look.frozen

    def _act(self, key: str) -> None:
        if key == " ":
            self.choose(frozen=not self.paused)
        elif key == "n":
            self.skips += 1
        elif key == "g":
            self.seed += 1
        elif key in "+-":
            faster = [v for v in _SPEEDS if v > self.speed][:1] or [_SPEEDS[-1]]
            slower = [v for v in _SPEEDS if v < self.speed][-1:] or [_SPEEDS[0]]
            (self.speed,) = faster if key == "+" else slower
        elif key.isdecimal() and 1 <= int(key) <= len(self.sliders):
            self.hold(self.sliders[int(key) - 1].name)
        elif key == "0":
            self.reset()

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

    def help_lines(self) -> list[str]:
        """Every key and what it does."""
        return [
            "space  pause, go on",
            "n  the next picture",
            "g  another seed",
            "+ -  faster, slower",
            f"1-{len(self.sliders)}  take a slider",
            *super().help_lines(),
        ]


class Walk:
    """Draws the picture at each moment of the walk; a `Process` of `Stream`.

    Args:
        sampler: open; stays the caller's to close.
        controls: seed, speed and sliders.
        step_s: seconds from one picture to the next; None takes the clock's, for a screen.
    """

    def __init__(self, sampler: Sampler, controls: WalkControls, *, step_s: float | None = None) -> None:
        self._sampler, self._controls, self._step_s = sampler, controls, step_s
        self._axes = latent.directions(len(controls.sliders), sampler.width)
        self._position, self._seed, self._skips = 0.0, controls.seed, controls.skips
        self._last: float | None = None
        # A walk passes two stops at a time, and its thread asks for them at every picture.
        self._stop = lru_cache(maxsize=4)(lambda seed, number: latent.draw(1, sampler.width, seed, first=number)[0])

    def __call__(self, image: Image, record: Record) -> Image:
        """The next picture, (H, W, 3) uint8 BGR; `image` only keeps the time."""
        del image
        began = time.perf_counter()
        now = self.latent()
        drawn = time.perf_counter()
        picture: Image = self._sampler.generate(now[None])[0]
        record("latent", drawn - began)
        record("network", time.perf_counter() - drawn)
        return picture

    def latent(self) -> Floats:
        """Goes on to this moment, and tells the latent (width,) there, sliders included."""
        self._advance()
        here = latent.along(lambda number: self._stop(self._seed, number), self._position)
        weights = np.array([slider.value for slider in self._controls.sliders], np.float32)
        return latent.leaning(here, self._axes, weights)

    def _advance(self) -> None:
        controls, clock = self._controls, time.monotonic()
        first = self._last is None
        passed = min(clock - (self._last or clock), _LONGEST_GAP_S) if self._step_s is None else self._step_s
        self._last = clock
        if controls.seed != self._seed:
            self._position, self._seed = 0.0, controls.seed
        elif not first and not controls.paused:
            self._position += passed * controls.speed
        if controls.skips > self._skips:
            self._position = float(np.floor(self._position)) + controls.skips - self._skips
        self._skips = controls.skips
