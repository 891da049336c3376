"""The face search in a thread of its own, beside the network, on the newest frame."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Lock, Thread

from ..channel import Channel, ChannelClosed
from ..checks import Owner
from ..model.image import Image, count_halvings, halve
from .finder import FaceFinder
from .landmarks import enlarge
from .tiles import Sweep, Tile, small_side, tiles_of
from .tracking import Sighting

_LEAST_SIDE = 160  # pixels of what is searched: more than the finder's network takes of the shorter side


class Lookout:
    """Searches frames at its own pace; frames that come meanwhile give way to the newest. One thread may call it.

    What it answers depends on the pace of the machine: for live streams, not where results must repeat.

    Args:
        finder: searches; stays the caller's.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._frames: Channel[tuple[Image, int, float, int]] = Channel(1, newest_wins=True)
        self._done: list[Sighting] = []
        self._video = 0  # which one the results are of
        self._begun = False
        self._error: BaseException | None = None
        self._lock = Lock()
        self._thread: Thread | None = None
        self._sweep = Sweep(whole_first=False)
        self._owner = Owner("search for faces")

    def look(self, frame_bgr: Image, timestamp: float) -> list[Sighting]:
        """Hands a frame over and returns what was found since the last call, in earlier frames as a rule.

        The first frame of a video is searched at once, so that it begins with its faces. Of others a copy is kept,
        reduced to what the finder needs.
        Raises what the search raised, and InputError in a process that inherited it by a fork.
        """
        self._owner.check()
        times = count_halvings(min(frame_bgr.shape[:2]), _LEAST_SIDE)
        small = halve(frame_bgr, times)
        if not self._begun:
            self._begun = True
            return [self._search(small, 1 << times, timestamp, tiles_of(small.shape[:2]))]
        if self._thread is None:
            self._thread = Thread(target=self._work, name="edgegan-faces", daemon=True)
            self._thread.start()
        done = self._take()
        self._frames.put((small if times else small.copy(), 1 << times, timestamp, self._video))
        return done

    def reset(self) -> None:
        """Another video begins: what is still found in the last one is dropped."""
        self._owner.check()
        with self._lock:
            self._video += 1
            self._done, self._begun = [], False

    def close(self) -> None:
        """Ends the thread; a second call does nothing, nor does one in another process, where there is no thread."""
        if not self._owner.here:
            return
        self._frames.abort()
        if self._thread is not None:
            self._thread.join()

    def _take(self) -> list[Sighting]:
        with self._lock:
            if self._error is not None:
                raise self._error
            done, self._done = self._done, []
        return done

    def _work(self) -> None:
        while True:
            try:
                small, factor, timestamp, video = self._frames.get()
                sighting = self._search(small, factor, timestamp, self._sweep.take(small.shape[:2]))
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
