"""A walk through a generator's latents: from one random picture to the next, steered by keys and sliders."""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np

from ..live.controls.walking import WalkControls
from ..live.source import Frame
from ..metrics.tally import Record
from ..model.image import Image
from ..types import Float32Array
from . import conditions, latent
from .sampler import Sampler

_LONGEST_GAP_S = 0.5  # a hiccup of the machine is no leap of the walk


class Walk:
    """Draws the picture at each moment of the walk; a `Process` of `Stream`.

    Args:
        sampler: open; stays the caller's to close.
        controls: seed, speed and sliders.
        step_s: seconds from one picture to the next; None takes the clock's, for a screen.
    """

    def __init__(self, sampler: Sampler, controls: WalkControls, *, step_s: float | None = None) -> None:
        self._sampler, self._controls, self._step_s = sampler, controls, step_s
        self._axes = latent.directions(len(controls.directions), sampler.width)
        self._position, self._seed, self._skips = 0.0, controls.seed, controls.skips
        self._last: float | None = None
        # A walk passes two stops at a time, and its thread asks for them at every picture.
        self._told = lru_cache(maxsize=4)(lambda seed, number: sampler.conditions(1, seed, first=number)[0])
        self._stop = lru_cache(maxsize=4)(lambda seed, number: latent.draw(1, sampler.width, seed, first=number)[0])

    def __call__(self, frame: Frame, record: Record) -> Image:
        """The next picture, (H, W, 3) uint8 BGR; `frame` only keeps the time."""
        del frame
        began = time.perf_counter()
        now = self.latent()
        drawn = time.perf_counter()
        picture: Image = self._sampler.generate(now[None], self.condition()[None])[0]
        record("latent", drawn - began)
        record("network", time.perf_counter() - drawn)
        return picture

    def latent(self) -> Float32Array:
        """Goes on to this moment and returns the latent there, (width,) float32, with the sliders applied."""
        self._advance()
        here = latent.walk(lambda number: self._stop(self._seed, number), self._position)
        weights = np.array([slider.value for slider in self._controls.directions], np.float32)
        return latent.lean(here, self._axes, weights)

    def condition(self) -> Float32Array:
        """The condition at this moment, (names,) float32: from each picture's own to the next, under what is set."""
        here = latent.walk(lambda number: self._told(self._seed, number), self._position, "linear")
        told: Float32Array = conditions.change(self._sampler.card.condition, here[None], self._controls.changes)[0]
        return told

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
