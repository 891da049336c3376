"""Living with OpenCV: without its own talk on stderr, and beside PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import MissingExtraError


@contextmanager
def quiet() -> Iterator[None]:
    """Silences OpenCV's log inside the block, then restores its level."""
    from cv2.utils import logging

    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def pyav() -> Any:
    """The module `av`. Raises MissingExtraError where it is not installed; nothing else in the runtime imports it.

    OpenCV is loaded first: both wheels bring their own libxcb, and where PyAV's comes first OpenCV's first window
    hangs for ever (github.com/PyAV-Org/PyAV/issues/978; seen here with PyAV 18.1 and OpenCV 5.0).
    """
    import cv2  # noqa: F401

    try:
        import av
    except ImportError as error:
        raise MissingExtraError(error.name or "av", "video") from None
    return av
