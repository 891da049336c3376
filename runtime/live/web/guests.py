"""Visitors' own cameras: each has its own faces and its own settings, and all take turns on one model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from threading import Lock
from typing import Protocol, TypeVar

from ...errors import InputError
from ...faces.options import Which
from ...model.image import Image
from ..controls.attributes import Controls
from ..controls.look import View
from ..editing import Easing
from . import jpeg
from .broadcast import Shot

T = TypeVar("T")


class Edits(Protocol):
    """What edits a guest's frames: an `Editor`, which remembers the faces it saw."""

    def edit(self, frame_bgr: Image, changes: Mapping[str, float], *, timestamp: float | None = None) -> Image:
        """(H, W, 3) uint8 BGR in, a new one out."""
        ...

    def choose(self, which: Which) -> None:
        """Edits other faces from now on."""
        ...

    def close(self) -> None:
        """Frees what is this one's own."""
        ...


class Guest:
    """One visitor's own camera, with `controls` of its own. `newest` is its last frame, in memory alone.

    `faces` are those that `editor` edits at first.
    """

    def __init__(self, editor: Edits, controls: Controls, faces: Which) -> None:
        self.controls = controls
        self.newest: Shot | None = None
        self._editor, self._easing = editor, Easing()
        self._first = self._faces = faces
        self._busy = Lock()

    def edit(self, image: Image) -> Shot:
        """The frame edited, and as it came. Raises InputError once the guest is closed."""
        with self._busy:
            self._choose(image)
            now = time.monotonic()
            changes = self._easing.towards(self.controls.changes, now)
            self.newest = shot = Shot(self._editor.edit(image, changes, timestamp=now), image)
            return shot

    def close(self) -> None:
        """Forgets the frame and frees the editor, once a frame under way is edited."""
        with self._busy:
            self._editor.close()
            self.newest = None

    def _choose(self, image: Image) -> None:
        faces = self.controls.look.which(self._first, (image.shape[0], image.shape[1]))
        if faces != self._faces:
            self._faces = faces
            self._editor.choose(faces)


class Guests:
    """Opens a guest for each visitor who shows a camera, and has the work done outside the event loop.

    Args:
        open_editor: one that shares the loaded models, with a memory of faces of its own.
        controls: where a guest's own begin.
        workers: where an editor is opened, edits, and is closed: each may wait for its turn on the model.
        mark: drawn into what was edited; "" for nothing.
        most: how many there may be at a time.
        faces: which ones an editor edits at first.
    """

    def __init__(
        self,
        open_editor: Callable[[], Edits],
        controls: Controls,
        workers: Executor,
        mark: str,
        most: int,
        faces: Which = "all",
    ) -> None:
        self._open, self._controls, self._workers, self._mark = open_editor, controls, workers, mark
        self._most, self._here, self._faces = most, 0, faces

    async def welcome(self) -> Guest:
        """A new one. Raises InputError if there are too many already."""
        if self._here >= self._most:
            raise InputError(f"{self._most} visitors show their cameras already", todo="try again later")
        self._here += 1
        try:
            editor = await self._work(self._open)
        except BaseException:
            self._here -= 1
            raise
        controls = self._controls.copy()
        controls.choose(mirror=True)  # as people know themselves
        return Guest(editor, controls, self._faces)

    async def farewell(self, guest: Guest) -> None:
        """Closes one; goes on if it is cancelled."""
        try:
            await asyncio.shield(self._work(guest.close))
        finally:
            self._here -= 1

    async def edit(self, guest: Guest, frame: Callable[[], Image], view: View) -> Image:
        """The frame that `frame` decodes, edited, marked and shown by the view, (H, W, 3) uint8 BGR."""
        return await self._work(lambda: self._show(guest, frame(), view))

    async def edit_jpeg(self, guest: Guest, data: bytes, view: View, most_pixels: int) -> bytes:
        """The same, JPEG in and JPEG out. Raises InputError for what is no JPEG, or too large."""
        return await self._work(
            lambda: jpeg.encode(self._show(guest, jpeg.decode(data, most_pixels=most_pixels), view))
        )

    def _show(self, guest: Guest, image: Image, view: View) -> Image:
        return guest.edit(image).compose(view, self._mark, mirror=guest.controls.look.mirror)

    def _work(self, act: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._workers, act)
