"""A source of numbers and a sink that keeps them, for streams."""

import threading
import time

import numpy as np

from edgegan.runtime.errors import SinkError, SourceError
from edgegan.runtime.live.sink import Sink, SinkClosed
from edgegan.runtime.live.source import Source, frame_of


class Numbers(Source):
    """Frames whose pixels are their number, as fast as they are wanted or at a rate."""

    name = about = "numbers"
    size_hw = (2, 2)

    def __init__(self, count=None, *, live=False, fps=None, fails_at=None):
        self.length, self.live, self.fps, self._fails_at = count, live, fps, fails_at
        self.ended = False

    def __iter__(self):
        index = 0
        while self.length is None or index < self.length:
            if index == self._fails_at:
                raise SourceError(f"gone after {index} frames")
            if self.fps:
                time.sleep(1 / self.fps)
            yield frame_of(np.full((2, 2, 3), index % 256), index, self.name)
            index += 1
        self.ended = True


class Kept(Sink):
    """Remembers the numbers of its frames."""

    def __init__(self, *, seconds=0.0, panel=None, keys=None, fails_at=None, gone_at=None):
        self.indices, self.values, self.pairs, self.threads = [], [], [], set()
        self._seconds, self._panel, self._keys = seconds, panel, keys or {}
        self._fails_at, self._gone_at = fails_at, gone_at

    def write(self, frame, before=None):
        if len(self.indices) == self._fails_at:
            raise SinkError("the disk is full")
        if len(self.indices) == self._gone_at:
            raise SinkClosed
        time.sleep(self._seconds)
        self.indices.append(frame.index)
        self.values.append(int(frame.image_bgr[0, 0, 0]))
        self.pairs.append((int(before[0, 0, 0]), int(frame.image_bgr[0, 0, 0])))
        self.threads.add(threading.current_thread())
        if self._panel is not None:
            self._panel.press(self._keys.get(len(self.indices), ""))


def slow(seconds):
    def process(frame, record):
        time.sleep(seconds)
        record("edit", seconds)
        return 255 - frame.image_bgr

    return process


def same(frame, record):
    return frame.image_bgr


def adds_up(stats):
    return stats.read == stats.shown + sum(stats.dropped.values())
