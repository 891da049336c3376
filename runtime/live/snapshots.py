"""Pictures made on request while a stream runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..background_queue import Errands
from ..errors import EdgeganError, InputError
from ..files import write_atomic
from ..model.image import Image
from .controls.panel import Panel
from .provenance import EDITED, Origin, png
from .screen.views import compose
from .sink import Sink
from .source import Frame

SETTINGS_KEYWORD = "edgegan"  # of the PNG text chunk that holds the settings, as JSON


def png_with_settings(image: Image, origin: Origin, settings: Mapping[str, Any]) -> bytes:
    """A PNG file of (H, W, 3) uint8 BGR that tells its origin, and the settings that it was made with.

    Raises SinkError for a picture that is too large for PNG.
    """
    return png(image, origin, {SETTINGS_KEYWORD: json.dumps(dict(settings), ensure_ascii=False)})


class Snapshots(Sink):
    """Writes `snapshot-0001.png` and on: the picture as it is looked at, with the mark and without the overlay.

    They are written beside the stream, in order. One that cannot be is said on the panel and ends nothing.

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
        self._errands = Errands("edgegan-snapshots")

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Writes one picture if one was asked for, or is due."""
        asked = self._panel.snapshots != self._taken
        if self._every_s is not None and (self._due is None or frame.timestamp >= self._due):
            self._due = frame.timestamp + self._every_s
            asked = True
        if asked:
            self._taken = self._panel.snapshots
            image = compose(frame.image_bgr, before, self._panel.look, self._mark)
            settings = {**self._about, **self._panel.describe(), "source": frame.source, "frame": frame.index}
            self._errands.send(partial(self._save, image, settings))

    def _save(self, image: Image, settings: Mapping[str, Any]) -> None:
        try:
            path = next_path(self._folder, "snapshot", ".png")
            write_atomic(path, png_with_settings(image, self.origin, settings))
            self._panel.say(f"written: {path}")
        except EdgeganError as error:
            self._panel.say(f"no snapshot: {error.seen}")

    def close(self) -> None:
        """Returns when all are written."""
        self._errands.close()


def next_path(folder: Path, name: str, suffix: str) -> Path:
    """The first of `name-0001`, `name-0002` ... that is not there. Raises InputError when all are."""
    for number in range(1, 10_000):
        path = folder / f"{name}-{number:04d}{suffix}"
        if not path.exists():
            return path
    raise InputError(f"{folder} holds 9999 files named {name}", todo="name another folder")
