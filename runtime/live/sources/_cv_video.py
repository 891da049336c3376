"""Video files through OpenCV, where PyAV is not installed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from ...errors import SourceError
from ...opencv import quiet
from ...redaction import legible
from ..source import Frame, Source, frame_of


class CvVideo(Source):
    """A video file through OpenCV: fewer formats, and a broken file looks like a short one."""

    live = False

    def __init__(self, spec: str, *, fps: float | None = None, loop: bool = False) -> None:
        import cv2

        self.name = legible(Path(spec).name)
        with quiet():
            self._capture = cv2.VideoCapture(spec)
            got, picture = self._capture.read()
        if not got:
            self.close()
            raise SourceError(
                f"{self.name} is not a video that can be read: OpenCV cannot read it",
                "expected a whole video file or a picture",
            )
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
        self.size_hw = (int(picture.shape[0]), int(picture.shape[1]))
        self.fps = fps or self._capture.get(cv2.CAP_PROP_FPS) or None
        frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._loop = loop
        self.length = frames if frames > 0 and not loop else None
        self.about = f"{self.name}: {self.size_hw[1]}x{self.size_hw[0]}" + (
            f" at {self.fps:.4g} fps" if self.fps else ""
        )

    def __iter__(self) -> Iterator[Frame]:
        import cv2

        index = 0
        while True:
            began = time.perf_counter()
            got, picture = self._capture.read()
            if not got and self._loop:
                self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                got, picture = self._capture.read()
            if not got:
                return
            yield frame_of(picture, index, self.name, decode_s=time.perf_counter() - began)
            index += 1

    def close(self) -> None:
        """Closes the file."""
        self._capture.release()
