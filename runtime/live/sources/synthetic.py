"""The synthetic camera: drawn faces that move, with the true answer to every edit. Needs no hardware."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ...drawn import avatars
from ...errors import InputError
from ...model.image import Image
from ..source import Frame, Source, Wanted, frame_of

_SPEC = re.compile(r"synthetic(?::?(?:(\d+)x(\d+))?(?:@(\d+(?:\.\d+)?))?(?:#(\d+))?)")
_PERSON_S = 4.0  # how long one person stays
_BLINK_S, _BLINK_EVERY_S = 0.12, 2.7
_SPRITE = 0.83  # the drawing's edge at scale 1, as a share of the frame height: 600 px in 720
_BODY = 0.3  # how far the clothes go on below the drawing, so that no cut edge swings into view
_KEPT = 12  # drawings held in memory, 1.4 MB each at 720p


def accepts(spec: str) -> bool:
    """`synthetic`, and all that begins so and is no path."""
    return spec.partition(":")[0].partition("@")[0].partition("#")[0] == "synthetic"


def open_frames(spec: str, wanted: Wanted) -> Synthetic:
    """Opens `synthetic[:WIDTHxHEIGHT][@FPS][#SEED]`."""
    parts = _SPEC.fullmatch(spec)
    if not parts:
        raise InputError(f"source {spec!r} cannot be read", "expected synthetic[:WIDTHxHEIGHT][@FPS][#SEED]")
    width, height, rate, seed = parts.groups()
    size_hw = (int(height), int(width)) if height else wanted.size_hw
    return Synthetic(size_hw or (720, 1280), fps=float(rate) if rate else wanted.fps or 30.0, seed=int(seed or 0))


class Synthetic(Source):
    """Faces of the `live` seeds, one after the other, moving smoothly; frame i is the same at every call.

    Iterating keeps the pace of a camera; `frame_at` and `truth` give any frame at once.
    Raises MissingExtraError without the `avatars` extra.
    """

    live = True
    length = None

    def __init__(self, size_hw: tuple[int, int] = (720, 1280), *, fps: float = 30.0, seed: int = 0) -> None:
        if min(size_hw) < 32 or max(size_hw) > 8192 or not 1 <= fps <= 240:
            raise InputError(
                f"a synthetic camera of {size_hw[1]}x{size_hw[0]} at {fps:g} fps was asked for",
                "sides from 32 to 8192 pixels and 1 to 240 frames per second",
            )
        self.name = "synthetic"
        self.size_hw, self.fps, self.seed = size_hw, fps, seed
        self._sprite_size = max(32, min(720, round(_SPRITE * size_hw[0])))
        self._artist = ThreadPoolExecutor(1, thread_name_prefix="synthetic")
        self._sprites: dict[str, Future[Image]] = {}  # oldest first
        self._lock = Lock()
        self._sprite(self.face(0)).result()  # fails here, not in the stream, when the renderer is missing
        self.about = f"synthetic camera: {size_hw[1]}x{size_hw[0]} at {fps:g} fps, drawn faces"

    def __iter__(self) -> Iterator[Frame]:
        begin, index = time.monotonic(), 0
        while True:
            self._sprite(self.face(index + round(self.fps)))  # drawing takes longer than a frame lasts: begin early
            picture = self.frame_at(index)
            time.sleep(max(0.0, begin + index / self.fps - time.monotonic()))
            yield frame_of(picture, index, self.name)
            index += 1

    def frame_at(self, index: int) -> Image:
        """Frame `index` as (H, W, 3) uint8 BGR."""
        return self._place(self.face(index), index)

    def truth(self, index: int, changes: Mapping[str, float]) -> Image:
        """Frame `index` as it would be had the person these attributes (0.5 and above means on).

        Raises InputError for an unknown attribute, and for a hair colour turned off with no other turned on.
        """
        face = self.face(index)
        for name, value in changes.items():
            if name in avatars.HAIR and value < 0.5 and not face.label[name]:
                continue  # it is off already
            face = face.edit(name, value >= 0.5)
        return self._place(face, index)

    def face(self, index: int) -> avatars.Face:
        """The person (labels and traits) in frame `index`, with the eyes of that moment."""
        moment_s = index / self.fps
        (seed,) = avatars.seeds("live", 1, start=1000 * self.seed + int(moment_s / _PERSON_S))
        face = replace(avatars.sample_face(seed), pose=avatars.Pose(1.0, 0.0, 0.0, 0.0))
        blinks = moment_s % _BLINK_EVERY_S > _BLINK_EVERY_S - _BLINK_S
        return replace(face, eyes="squint") if blinks else face

    def eyes(self, index: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the eyes lie in frame `index`, left of the picture first, as (x, y) pixels."""
        matrix = self._motion(index)
        left, right = (
            matrix @ (x * self._sprite_size, y * self._sprite_size, 1.0)
            for x, y in avatars.eye_positions(avatars.Pose(1.0, 0.0, 0.0, 0.0))
        )
        return (float(left[0]), float(left[1])), (float(right[0]), float(right[1]))

    def close(self) -> None:
        """Stops the thread that draws ahead."""
        self._artist.shutdown(wait=True, cancel_futures=True)

    def _motion(self, index: int) -> NDArray[np.float64]:
        """The 2x3 matrix from sprite pixels to frame pixels: slow waves whose periods share no beat."""
        height, width = self.size_hw
        moment_s = index / self.fps + 7.3 * self.seed

        def wave(period_s: float, phase: float) -> float:
            return math.sin(2 * math.pi * (moment_s / period_s + phase))

        scale = (1.0 + 0.10 * wave(7.1, 0.0)) * _SPRITE * height / self._sprite_size
        angle = math.radians(6.0 * wave(5.3, 0.2))
        centre_x = width / 2 + 0.14 * min(width, 1.8 * height) * wave(9.7, 0.0)
        centre_y = height * (0.55 + 0.02 * wave(3.9, 0.5))
        cos, sin, half = scale * math.cos(angle), scale * math.sin(angle), self._sprite_size / 2
        return np.array(
            [[cos, -sin, centre_x - half * (cos - sin)], [sin, cos, centre_y - half * (sin + cos)]], np.float64
        )

    def _place(self, face: avatars.Face, index: int) -> Image:
        import cv2

        ground = face.background.lstrip("#")
        placed: Image = np.asarray(
            cv2.warpAffine(
                self._sprite(face).result(),
                self._motion(index),
                (self.size_hw[1], self.size_hw[0]),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=tuple(int(ground[i : i + 2], 16) for i in (4, 2, 0)),
            ),
            np.uint8,
        )
        return placed

    def _sprite(self, face: avatars.Face) -> Future[Image]:
        """The drawing of a face, kept for a while."""
        key = repr(face)
        with self._lock:
            if key not in self._sprites:
                if len(self._sprites) >= _KEPT:
                    del self._sprites[next(iter(self._sprites))]
                self._sprites[key] = self._artist.submit(self._render, face)
            return self._sprites[key]

    def _render(self, face: avatars.Face) -> Image:
        """The drawing in BGR, with its lowest row drawn on below."""
        rgb = avatars.render_rgb(face, self._sprite_size)
        return np.pad(rgb[..., ::-1], ((0, round(_BODY * self._sprite_size)), (0, 0), (0, 0)), mode="edge")
