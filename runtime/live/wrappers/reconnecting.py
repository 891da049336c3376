"""A source that goes away is opened again: of a live one the last frame is held meanwhile, a recording waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event, Thread
from typing import TypeVar

import numpy as np

from ...channel import Channel, ChannelClosed
from ...errors import SourceError, SourceRefusedError
from ..media.fitting import fit
from ..source import Frame, Source, Wrapped, frame_of

T = TypeVar("T")

_SILENCE_S = 1.0  # without a frame for so long, the last one is held
_HELD_EVERY_S = 0.2  # how often it is given again: keys and the seconds on it still move
_CLOSE_S = 5.0  # a driver may sit in a read for as long; after that its thread is left to end by itself
# Counted from the beginning of a try, of which one may take two seconds: a source is back within three of its return.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 1.0


class Retry:
    """Opens again until that succeeds; `why` says in a line what the last thing was that went wrong.

    Args:
        give_up_s: how long a source may be away, in seconds.
    """

    def __init__(self, give_up_s: float) -> None:
        self._give_up_s = give_up_s
        self._stopping = Event()
        self.why = ""

    def until_open(self, reopen: Callable[[], T], reason: SourceError) -> T | None:
        """What `reopen` gives; None once `stop` was called. `reason` is why the source went away.

        Waits 0.25 s before the first try, doubling up to 1 s. Raises SourceError when the source has been away for
        too long, a SourceRefusedError at once.
        """
        lost, self.why = time.monotonic(), _line(reason)
        wait_s = left_s = _FIRST_WAIT_S
        while not self._stopping.wait(left_s):
            began = time.monotonic()
            try:
                opened = reopen()
            except SourceRefusedError:
                raise
            except SourceError as error:
                self.why = _line(error)
                away_s = time.monotonic() - lost
                if away_s >= self._give_up_s:
                    raise SourceError(f"{reason.seen}; away for {away_s:.0f} s", error.seen, error.todo) from None
            else:
                self.why = ""
                return opened
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            left_s = max(0.0, began + wait_s - time.monotonic())
        return None

    def stop(self) -> None:
        """Ends the waiting."""
        self._stopping.set()


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


class Resuming(Wrapped):
    """Every frame of `source`, once and in order, however often it breaks; owns it. It waits meanwhile.

    Raises SourceError, while iterating, once the source has been away for `give_up_s` seconds, and a
    SourceRefusedError at once.
    """

    def __init__(self, source: Source, *, give_up_s: float) -> None:
        super().__init__(source)
        self._retry = Retry(give_up_s)

    def __iter__(self) -> Iterator[Frame]:
        while True:
            try:
                return (yield from self._source)
            except SourceRefusedError:
                raise
            except SourceError as error:
                reason = error
            if not self._retry.until_open(self._resume, reason):
                return

    def _resume(self) -> bool:
        self._source.resume()
        return True

    def stop(self) -> None:
        """Stops trying."""
        self._retry.stop()


def _line(error: SourceError) -> str:
    return error.seen.partition("\n")[0]
