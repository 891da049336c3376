"""The device's stream on its way to the visitors: the newest frame, encoded once for all who want it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from ...model.image import Image
from ..controls.look import Look, View
from ..screen.views import compose
from ..sink import Sink
from ..source import Frame
from . import jpeg

Record = Callable[[str, float], None]  # (stage, seconds)


class Shot(NamedTuple):
    """One frame after and before, (H, W, 3) uint8 BGR; `before` is None where there is no such picture."""

    after: Image
    before: Image | None

    def compose(self, view: View, mark: str, *, mirror: bool = False) -> Image:
        """A new picture of what the view shows, with the mark on what is edited."""
        return compose(self.after, self.before, Look(view=view, mirror=mirror), mark)


@dataclass(frozen=True)
class Moment:
    """One frame. `index`, `held_s` and `held_why` are those of the source; `captured_at` is in monotonic seconds."""

    shot: Shot
    index: int
    captured_at: float
    held_s: float = 0.0
    held_why: str = ""
    pictures: dict[tuple[View, bool], asyncio.Future[bytes]] = field(default_factory=dict)

    @property
    def age_ms(self) -> float:
        """How long ago it was captured, in milliseconds."""
        return 1000.0 * (time.monotonic() - self.captured_at)


class Broadcast(Sink):
    """The sink of the page: a slot for the newest frame. Each visitor takes what is newest when it is ready for more,
    so that a slow one misses frames and delays nobody.

    `write` and `publish` may be called from any thread, the rest belongs to the event loop. Writing takes no longer
    however many or slow the visitors are, and stores nothing.
    """

    stage = "display"

    def __init__(self, workers: Executor, mark: str, record: Record) -> None:
        self._workers, self._mark, self._record = workers, mark, record
        self._loop: asyncio.AbstractEventLoop | None = None
        self._newest: Moment | None = None
        self._changed = asyncio.Event()
        self.watchers = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on frames are taken, by this loop."""
        self._loop = loop

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Offers the frame to those who watch."""
        if self.watchers:
            taken = frame.timestamp - frame.held_s
            self.publish(Moment(Shot(frame.image_bgr, before), frame.index, taken, frame.held_s, frame.held_why))

    def publish(self, moment: Moment) -> None:
        """Puts a frame into the slot. Its pictures are kept as they are: nobody may change them any more."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._put, moment)

    def _put(self, moment: Moment) -> None:
        if not self.watchers:  # the last one left while it was on its way
            return
        self._newest = moment
        self._changed.set()
        self._changed = asyncio.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Frames are taken while somebody is in this block; after the last one, the newest is forgotten."""
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1
            if not self.watchers:
                self._newest = None

    async def newer(self, than: Moment | None) -> Moment:
        """The newest frame, as soon as it is another one than that; inside `watching`."""
        while self._newest is None or self._newest is than:
            await self._changed.wait()
        return self._newest

    async def encode_once(self, moment: Moment, view: View, *, mirror: bool) -> bytes:
        """The frame as JPEG; whoever asks first sets a worker to it, and the others wait for the same."""
        kind = view, mirror
        if kind not in moment.pictures:
            loop = asyncio.get_running_loop()
            moment.pictures[kind] = loop.run_in_executor(self._workers, self._encode, moment.shot, view, mirror)
        return await asyncio.shield(moment.pictures[kind])  # one who leaves must not take it from the others

    def _encode(self, shot: Shot, view: View, mirror: bool) -> bytes:
        began = time.perf_counter()
        data = jpeg.encode(shot.compose(view, self._mark, mirror=mirror))
        self._record("encode", time.perf_counter() - began)
        return data
