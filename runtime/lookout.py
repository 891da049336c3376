"""The face search in a thread of its own, beside the network, on the newest frame."""

from __future__ import annotations

import time
from threading import Lock, Thread

from .channel import Channel, ChannelClosed
from .faces import FaceFinder
from .image import Image
from .tracking import Sighting


class Lookout:
    """Searches frames at its own pace; frames that come meanwhile give way to the newest. One thread may call it.

    What it answers depends on the pace of the machine: for live streams, not where results must repeat.

    Args:
        finder: searches; stays the caller's.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._frames: Channel[tuple[Image, float, int]] = Channel(1, newest_wins=True)
        self._done: list[Sighting] = []
        self._video = 0  # which one the results are of
        self._begun = False
        self._error: BaseException | None = None
        self._lock = Lock()
        self._thread: Thread | None = None

    def look(self, frame_bgr: Image, timestamp: float) -> list[Sighting]:
        """Hands a frame over and returns what was found since the last call, in earlier frames as a rule.

        The first frame of a video is searched at once, so that it begins with its faces. Others are copied.
        Raises what the search raised.
        """
        if not self._begun:
            self._begun = True
            return [self._search(frame_bgr, timestamp)]
        if self._thread is None:
            self._thread = Thread(target=self._work, name="edgegan-faces", daemon=True)
            self._thread.start()
        done = self._take()
        self._frames.put((frame_bgr.copy(), timestamp, self._video))
        return done

    def reset(self) -> None:
        """Another video begins: what is still found in the last one is dropped."""
        with self._lock:
            self._video += 1
            self._done, self._begun = [], False

    def close(self) -> None:
        """Ends the thread; a second call does nothing."""
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
                frame, timestamp, video = self._frames.get()
                sighting = self._search(frame, timestamp)
            except ChannelClosed:
                return
            except BaseException as error:
                with self._lock:
                    self._error = error
                return
            with self._lock:
                if video == self._video:
                    self._done.append(sighting)

    def _search(self, frame: Image, timestamp: float) -> Sighting:
        began = time.perf_counter()
        faces = self._finder.find(frame)
        return Sighting(timestamp, faces, time.perf_counter() - began)
