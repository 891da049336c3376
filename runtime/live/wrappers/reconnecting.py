"""A source that goes away is opened again, and its last frame is held meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Thread

import numpy as np

from ...channel import Channel, ChannelClosed
from ...errors import SourceError, SourceRefusedError
from ..media.fitting import fit
from ..source import Frame, Source, Wrapped, frame_of
from .retry import Retry

_SILENCE_S = 1.0  # without a frame for so long, the last one is held
_HELD_EVERY_S = 0.2  # how often it is given again: keys and the seconds on it still move
_CLOSE_S = 5.0  # a driver may sit in a read for as long; after that its thread is left to end by itself


class Reconnecting(Wrapped):
    """Frames of `source`, and of what `reopen` opens after it broke. Owns what it opened.

    A thread reads, waits and opens again; frames come in order and none is lost here. While none comes, the last is
    given again every 0.2 s with `held_s` set, and with `held_why` where more than silence is known. Every frame has
    the size of the first: a source that comes back with another is fit into it, with black borders.

    Raises SourceError, while iterating, once the source has been away for `give_up_s` seconds, and what
    is no SourceError, or a SourceRefusedError, at once.
    """

    def __init__(self, source: Source, reopen: Callable[[], Source], *, give_up_s: float) -> None:
        super().__init__(source)
        self._reopen = reopen
        self._retry = Retry(give_up_s)
        self._frames: Channel[Frame | None] = Channel(1, newest_wins=False)  # None: the source broke
        self._thread = Thread(target=self._read, name="edgegan-reconnect", daemon=True)
        self._started = False

    def __iter__(self) -> Iterator[Frame]:
        if not self._started:  # the thread closes the source, since closing one that is being read is not safe
            self._started = True
            self._thread.start()
        index = 0
        last = frame_of(np.zeros((*self.size_hw, 3), np.uint8), 0, self.name)  # should even the first not come
        silence_s = wait_s = max(_SILENCE_S, 3 / (self.fps or 30.0))
        while True:
            try:
                frame = self._frames.get(wait_s)
            except ChannelClosed:
                return
            except TimeoutError:
                frame = None
            if frame is None:
                now, wait_s = time.monotonic(), _HELD_EVERY_S
                frame = replace(
                    last, timestamp=now, held_s=now - last.timestamp, held_why=self._retry.why, decode_s=0.0, skipped=0
                )
            else:
                last, wait_s = frame, silence_s
            yield replace(frame, index=index, image_bgr=fit(frame.image_bgr, self.size_hw))
            index += 1

    def _read(self) -> None:
        source: Source | None = self._source
        try:
            while source is not None:
                with source:
                    reason = self._pass_on(source)
                self._frames.put(None)
                source = self._retry.until_open(self._reopen, reason)
            self._frames.finish()
        except ChannelClosed:
            pass
        except BaseException as error:
            self._frames.finish(error)

    def _pass_on(self, source: Source) -> SourceError:
        """Frames until the source breaks; returns why."""
        try:
            for frame in source:
                self._frames.put(frame)
        except SourceRefusedError:
            raise
        except SourceError as error:
            return error
        return SourceError(f"{self.name} ended")

    def close(self) -> None:
        """Stops trying and closes what is open."""
        self._retry.stop()
        self._frames.abort()
        if self._started:
            self._thread.join(_CLOSE_S)
        else:
            self._source.close()
