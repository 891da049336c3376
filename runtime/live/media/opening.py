"""Opening a film, with plain words for what cannot be opened."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import SourceError, SourceRefusedError, reason
from ...opencv import pyav
from .tracks import film_track

_SILENCE_S = 2.0  # between two packets of a stream: then it counts as gone
_SEGMENT_S = 30.0  # the same where packets come in segments of many seconds
_SEGMENTED = (".m3u8", ".mpd")
_OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "1000000"}  # a second of looking before the first picture


class Film(NamedTuple):
    """An open container and its video stream, as PyAV has them."""

    container: Any
    stream: Any


def open_film(spec: str, name: str, answer_s: float) -> Film:
    """Opens the file or address `spec`, shown to people as `name`.

    An address has `answer_s` seconds to answer, and counts as gone after some seconds of silence. Raises
    SourceError where nothing is there or it holds no film, SourceRefusedError where it lets nobody in.
    """
    av, url = pyav(), "://" in spec
    try:
        if url:
            timeout = answer_s, _SEGMENT_S if is_segmented(spec) else _SILENCE_S
            container = av.open(spec, options=_OPTIONS, timeout=timeout)
        else:
            container = av.open(spec)
    except (av.HTTPUnauthorizedError, av.HTTPForbiddenError) as error:
        raise SourceRefusedError(
            f"{name} refuses: {error.strerror}", todo="put the name and password into it: ://NAME:PASSWORD@"
        ) from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise no_video(name, reason(error), url=url) from None
    stream = film_track(container)
    if stream is None:
        cover = bool(container.streams.video)
        container.close()
        raise no_video(name, "it holds no film, only sound and its cover" if cover else "it holds no pictures", url=url)
    return Film(container, stream)


def is_segmented(spec: str) -> bool:
    """Whether an address leads to a playlist of segments."""
    return "://" in spec and spec.partition("?")[0].endswith(_SEGMENTED)


def no_video(name: str, why: str, *, url: bool) -> SourceError:
    """The error for what gives no pictures."""
    if url:
        return SourceError(f"{name} gives no video: {why}", todo="check the address and that the server runs")
    return SourceError(f"{name} is not a video that can be read: {why}", "expected a whole video file or a picture")
