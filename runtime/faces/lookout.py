"""The face search in a thread of its own, on the newest frame, while nothing else is to be done for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Lock, Thread, current_thread
from typing import NamedTuple
from weakref import finalize

from ..channel import Channel, ChannelClosed
from ..checks import Owner
from ..model.image import Halves, Image, count_halvings
from .finder import FaceFinder
from .landmarks import enlarge
from .tiles import Sweep, Tile, small_side, tiles_of
from .tracking import Sighting

_LEAST_SIDE = 160  # pixels of what is searched: more than the finder's network takes of the shorter side


class _Waiting(NamedTuple):
    """A frame that is to be searched."""

    small: Image  # halved as often as the finder can do without; nobody else's to write to
    halvings: int
    timestamp: float
    video: int


class Lookout:
    """Searches frames at its own pace; frames that come meanwhile give way to the newest. One thread may call it.

    A frame is handed over with `look` and searched from `search` on, when it has been edited: on two cores a search
    that runs beside the network makes that and all that follows half as slow again, and between two frames of a camera
    there is time.

    What it answers depends on the pace of the machine: for live streams, not where results must repeat.

    Args:
        finder: searches; stays the caller's.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._frames: Channel[_Waiting] = Channel(1, newest_wins=True)
        self._held: _Waiting | None = None
        self._done: list[Sighting] = []
        self._video = 0  # which one the results are of
        self._begun = False
        self._error: BaseException | None = None
        self._lock = Lock()
        self._thread: Thread | None = None
        self._sweep = Sweep(whole_first=False)
        self._owner = Owner("search for faces")

    def look(self, frame_bgr: Image | Halves, timestamp: float) -> list[Sighting]:
        """Hands a frame over and returns what was found since the last call, in earlier frames as a rule.

        The first frame of a video is searched at once, so that it begins with its faces. Of others a smaller copy is
        kept. One that `search` did not follow is searched from the
        next call on.
        Raises what the search raised, and InputError in a process that inherited it by a fork.
        """
        self._owner.check()
        self.search()
        halves = Halves.of(frame_bgr)
        halvings = count_halvings(min(halves[0].shape[:2]), _LEAST_SIDE)
        small = halves[halvings]
        if not self._begun:
            self._begun = True
            return [self._search(small, 1 << halvings, timestamp, tiles_of(small.shape[:2]))]
        self._held = _Waiting(small if halvings else small.copy(), halvings, timestamp, self._video)
        return self._take()

    def search(self) -> None:
        """Begins to search the frame of the last `look`; does nothing where there is none, or a second time.

        Raises InputError in a process that inherited it by a fork.
        """
        self._owner.check()
        held, self._held = self._held, None
        if held is None:
            return
        if self._thread is None:
            self._thread = Thread(target=self._work, name="edgegan-faces", daemon=True)
            self._thread.start()
            # A program that ends without `close` would end inside of OpenCV, which the process does not survive.
            finalize(self, _end, self._owner, self._frames, self._thread)
        self._frames.put(held)

    def reset(self) -> None:
        """Another video begins: what is still found in the last one is dropped."""
        self._owner.check()
        self._held = None
        with self._lock:
            self._video += 1
            self._done, self._begun = [], False

    def close(self) -> None:
        """Ends the thread; a second call does nothing, nor does one in another process, where there is no thread."""
        _end(self._owner, self._frames, self._thread)

    def _take(self) -> list[Sighting]:
        with self._lock:
            if self._error is not None:
                raise self._error
            done, self._done = self._done, []
        return done

    def _work(self) -> None:
        while True:
            try:
                small, halvings, timestamp, video = self._frames.get()
                sighting = self._search(small, 1 << halvings, timestamp, self._sweep.take(small.shape[:2]))
            except ChannelClosed:
                return
            except BaseException as error:
                with self._lock:
                    self._error = error
                return
            with self._lock:
                if video == self._video:
                    self._done.append(sighting)

    def _search(self, small: Image, factor: int, timestamp: float, tiles: Sequence[Tile]) -> Sighting:
        began = time.perf_counter()
        faces = [enlarge(face, factor) for face in self._finder.find(small, tiles)]
        there = [Tile(*(factor * number for number in tile)) for tile in tiles]
        seconds = time.perf_counter() - began
        return Sighting(timestamp, faces, seconds, there, factor * small_side(small.shape[:2]))


def _end(owner: Owner, frames: Channel[_Waiting], thread: Thread | None) -> None:
    if not owner.here:
        return
    frames.abort()
    if thread is not None and thread is not current_thread():  # that may be the last to hold a lookout
        thread.join()
