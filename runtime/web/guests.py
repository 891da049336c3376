"""Visitors' own cameras: each has its own faces and its own settings, and all take turns on one model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from ..controls import Controls
from ..easing import Easing
from ..image import Image
from ..panel import View
from . import jpeg
from .broadcast import Shot

T = TypeVar("T")


class Edits(Protocol):
    """What edits a guest's frames: an `Editor`, which remembers the faces it saw."""

    def edit(self, frame_bgr: Image, changes: Mapping[str, float], *, timestamp: float | None = None) -> Image:
        """(H, W, 3) uint8 BGR in, a new one out."""
        ...

    def close(self) -> None:
        """Frees what is this one's own."""
        ...


class Guest:
    """One visitor's own camera, with `controls` of its own. `newest` is its last frame, in memory alone."""

    def __init__(self, editor: Edits, controls: Controls) -> None:
        self.controls = controls
        self.newest: Shot | None = None
        self._editor, self._easing = editor, Easing()

    def edit(self, image: Image) -> Shot:
        """The frame edited, and as it came. One call at a time."""
        now = time.monotonic()
        changes = self._easing.towards(self.controls.changes, now)
        self.newest = Shot(self._editor.edit(image, changes, timestamp=now), image)
        return self.newest

    def close(self) -> None:
        """Forgets the frame and frees the editor."""
        self.newest = None
        self._editor.close()


class Guests:
    """Opens a guest for each visitor who shows a camera, and has the work done outside the event loop.

    Args:
        open_editor: one that shares the loaded models, with a memory of faces of its own.
        controls: where a guest's own begin.
        workers: where an editor is opened and where it edits.
        mark: drawn into what was edited; "" for nothing.
    """

    def __init__(self, open_editor: Callable[[], Edits], controls: Controls, workers: Executor, mark: str) -> None:
        self._open, self._controls, self._workers, self._mark = open_editor, controls, workers, mark

    async def welcome(self) -> Guest:
        """A new one."""
        editor = await asyncio.get_running_loop().run_in_executor(self._workers, self._open)
        controls = self._controls.copy()
        controls.choose(mirror=True)  # as people know themselves
        return Guest(editor, controls)

    async def edit(self, guest: Guest, frame: Callable[[], Image], view: View) -> Image:
        """The frame that `frame` decodes, edited, marked and shown by the view, (H, W, 3) uint8 BGR."""
        return await self._work(lambda: self._shown(guest, frame(), view))

    async def edit_jpeg(self, guest: Guest, data: bytes, view: View, most_pixels: int) -> bytes:
        """The same, JPEG in and JPEG out. Raises InputError for what is no JPEG, or too large."""
        return await self._work(
            lambda: jpeg.encode(self._shown(guest, jpeg.decode(data, most_pixels=most_pixels), view))
        )

    def _shown(self, guest: Guest, image: Image, view: View) -> Image:
        return guest.edit(image).shown(view, self._mark, mirror=guest.controls.look.mirror)

    async def _work(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, act)
