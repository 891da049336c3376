"""Video files and network streams, decoded by PyAV; files also by OpenCV where PyAV is not installed."""

from __future__ import annotations

from pathlib import Path

from ...errors import MissingExtraError
from ...opencv import pyav
from ...redaction import redact
from ..source import Source, Wanted, refuse_size
from ._av_video import ANSWER_S, AvVideo
from ._cv_video import CvVideo

FALLBACK = True  # any file may be a video


def accepts(spec: str) -> bool:
    """A URL, or any file that is there."""
    return "://" in spec or Path(spec).is_file()


def open_frames(spec: str, wanted: Wanted) -> Source:
    """Opens a file or a URL and decodes its first picture."""
    refuse_size(redact(spec), wanted.size_hw)
    try:
        pyav()
    except MissingExtraError:
        if "://" in spec:
            raise
        return CvVideo(spec, fps=wanted.fps, loop=wanted.loop)
    return AvVideo(
        spec, fps=wanted.fps, loop=wanted.loop, every_frame=wanted.every_frame, answer_s=wanted.answer_s or ANSWER_S
    )
