"""Files made on request while a stream runs: single pictures, and recordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .errors import EdgeganError, InputError, SinkError
from .files import write_atomic
from .image import Image
from .panel import Panel
from .provenance import EDITED, Origin, into_png
from .sinks import Clock, Sink, open_sink
from .sources import Frame
from .views import compose

SETTINGS_KEYWORD = "edgegan"  # of the PNG text chunk that holds the settings, as JSON


def png_with_settings(image: Image, origin: Origin, settings: Mapping[str, Any]) -> bytes:
    """A PNG file of (H, W, 3) uint8 BGR that tells its origin, and the settings that it was made with.

    Raises SinkError for a picture that is too large for PNG.
    """
    import cv2

    done, png = cv2.imencode(".png", np.ascontiguousarray(image), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise SinkError(f"a picture of {image.shape[0]}x{image.shape[1]} cannot be written as PNG")
    return into_png(png.tobytes(), origin, {SETTINGS_KEYWORD: json.dumps(dict(settings), ensure_ascii=False)})


class Snapshots(Sink):
    """Writes `snapshot-0001.png` and on: the picture as it is looked at, with the mark and without the overlay.

    A picture that cannot be written is said on the panel and ends nothing.

    Args:
        folder: where they go; made with the first.
        panel: asks for them, and tells the look and the settings.
        every_s: also one every so many seconds, by the frames' timestamps.
        mark: draw the origin's mark.
        origin: how the pictures came about.
        about: more for the settings: model, backend.
    """

    def __init__(
        self,
        folder: Path,
        panel: Panel,
        *,
        every_s: float | None = None,
        mark: bool = True,
        origin: Origin = EDITED,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self._folder, self._panel, self._every_s = folder, panel, every_s
        self._mark, self._about = origin.mark if mark else "", dict(about or {})
        self.origin = origin
        self._taken = panel.snapshots
        self._due: float | None = None

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Writes one picture if one was asked for, or is due."""
        asked = self._panel.snapshots != self._taken
        if self._every_s is not None and (self._due is None or frame.timestamp >= self._due):
            self._due = frame.timestamp + self._every_s
            asked = True
        if asked:
            self._taken = self._panel.snapshots
            try:
                self._panel.say(f"written: {self._save(frame, before)}")
            except EdgeganError as error:
                self._panel.say(f"no snapshot: {error.seen}")
        return ""

    def _save(self, frame: Frame, before: Image | None) -> Path:
        image = compose(frame.image_bgr, before, self._panel.look, self._mark)
        settings = {**self._about, **self._panel.describe(), "source": frame.source, "frame": frame.index}
        path = next_path(self._folder, "snapshot", ".png")
        write_atomic(path, png_with_settings(image, self.origin, settings))
        return path


class Recorder(Sink):
    """Records `recording-0001.mp4` and on, while the panel says so. A recording that fails is said and ended.

    Args:
        folder: where they go; made with the first.
        panel: says when.
        clock: of the stream.
        dress: gives a recording its view and mark.
    """

    def __init__(self, folder: Path, panel: Panel, clock: Clock, dress: Callable[[Sink], Sink]) -> None:
        self._folder, self._panel, self._clock, self._dress = folder, panel, clock, dress
        self._sink: Sink | None = None

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Begins, goes on or ends, as the panel says."""
        try:
            if self._panel.look.recording:
                (self._sink or self._begin()).write(frame, before)
            elif (made := self._finish()) is not None:
                self._panel.say(f"written: {made.about}")
        except EdgeganError as error:
            self._panel.choose(recording=False)
            self._finish()
            self._panel.say(f"not recorded: {error.seen}")
        return ""

    def _begin(self) -> Sink:
        path = next_path(self._folder, "recording", ".mp4")
        self._sink = sink = self._dress(open_sink(str(path), replace(self._clock, sound=None)))
        self._panel.say(f"recording {path}")
        return sink

    def _finish(self) -> Sink | None:
        """Ends the recording that is under way, and gives it."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()
        return sink

    def close(self) -> None:
        """Ends a recording that is under way."""
        if (made := self._finish()) is not None:
            self._panel.say(f"written: {made.about}")


def next_path(folder: Path, name: str, suffix: str) -> Path:
    """The first of `name-0001`, `name-0002` ... that is not there. Raises InputError when all are."""
    for number in range(1, 10_000):
        path = folder / f"{name}-{number:04d}{suffix}"
        if not path.exists():
            return path
    raise InputError(f"{folder} holds 9999 files named {name}", todo="name another folder")
