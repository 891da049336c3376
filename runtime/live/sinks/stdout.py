"""Frames on stdout, for another program: `edgegan live --sink - | ffmpeg -i - ...`."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction

import numpy as np

from ...errors import SinkError
from ...model.image import Image
from ...special_files import STDOUT
from ..frame_clock import ConstantRate, FrameClock
from ..sink import Sink, SinkClosed, check_same_size
from ..source import Frame
from ._even import even

SPECS = ("-", "stdout", *STDOUT)


def accepts(spec: str) -> bool:
    """A dash, as other programs have it, the word, or a name of it in /dev."""
    return spec in SPECS


def open_sink(spec: str, clock: FrameClock) -> Stdout:
    """Takes stdout, which must not be a terminal."""
    del spec
    if os.isatty(1):
        raise SinkError(
            "stdout is a terminal, which cannot show video",
            "a program that reads it, or a file",
            "as in: edgegan live --sink - | ffplay -",
        )
    return Stdout(os.dup(1), clock)


class Stdout(Sink):
    """YUV4MPEG2 (4:2:0, BT.601): ffmpeg, ffplay, mpv and x264 know it, and it tells its own size and rate.

    Its rate is constant: each frame is repeated, or left out, so that it lasts as long as the clock says. A reader
    that goes away ends the run as a closed window does. Owns `descriptor` and writes nothing else to it; nobody else
    may.
    """

    stage = "encode"

    def __init__(self, descriptor: int, clock: FrameClock | None = None) -> None:
        self._rate = ConstantRate(clock or FrameClock())
        self._out = os.fdopen(descriptor, "wb")
        self._size_hw = (0, 0)
        self._last: Image | None = None  # as it is sent

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Writes one frame; waits while the reader is busy. Every frame must have the size of the first.

        Raises SinkClosed when the reader has gone.
        """
        if self._last is None:
            self._begin_stream(frame)
        check_same_size(frame, self._size_hw, "stdout")
        missing, free = self._rate.place(frame)
        for _ in range(missing):  # the last one stands for those that were lost
            self._put_last()
        if free:
            self._last = _i420(frame.image_bgr)
            self._put_last()

    def _begin_stream(self, frame: Frame) -> None:
        height, width = frame.image_bgr.shape[:2]
        self._size_hw = height, width
        rate = Fraction(self._rate.fps).limit_denominator(1001)
        size = f"W{width + width % 2} H{height + height % 2}"
        self._put(f"YUV4MPEG2 {size} F{rate.numerator}:{rate.denominator} Ip A1:1 C420jpeg\n".encode())

    def _put_last(self) -> None:
        if self._last is not None:
            self._put(b"FRAME\n", self._last.data)

    def _put(self, *parts: bytes | memoryview) -> None:
        try:
            for part in parts:
                self._out.write(part)
            self._out.flush()
        except BrokenPipeError:
            raise SinkClosed from None
        except OSError as error:
            raise SinkError(f"stdout cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Lets go of it, after the rest of the last frame's time: the reader sees the end."""
        if self._out.closed:
            return
        with suppress(SinkClosed, SinkError):
            for _ in range(self._rate.rest()):
                self._put_last()
        with suppress(OSError):
            self._out.close()


def _i420(image: Image) -> Image:
    """The planes of one picture, (3 H / 2, W) uint8, an odd side drawn on by one."""
    import cv2

    return np.asarray(cv2.cvtColor(even(image), cv2.COLOR_BGR2YUV_I420), np.uint8)
