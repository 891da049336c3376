"""Which of a file's tracks are the film and its sound, and what an edited copy leaves out."""

from __future__ import annotations

from typing import Any

from ...opencv import pyav

_TAGS = ("title", "artist", "author", "album", "description", "copyright")
_FASTEST = 120  # frames per second that a file of variable rate may have in an output of a constant one


def film_track(container: Any) -> Any | None:
    """The video stream to show; None where there is none.

    Cover art and thumbnails are no film. Of several, the one that the file marks as its default; of those, or where
    none is marked, the largest picture, and of equals the first.
    """
    found = _default(stream for stream in container.streams.video if not _is_still(stream))
    return max(found, key=lambda stream: (stream.width or 0) * (stream.height or 0), default=None)


def sound_track(container: Any) -> Any | None:
    """The audio stream that goes with the film; None where there is none.

    The one that the file marks as its default; of several, that with the most channels, and of equals the first.
    """
    found = _default(container.streams.audio)
    return max(found, key=lambda stream: stream.codec_context.channels or 0, default=None)


def constant_rate(stream: Any) -> float | None:
    """The constant rate, in frames per second, at which none of a file's pictures is lost; None where there is none
    that is usual for pictures, as in files that tell time by the millisecond alone."""
    rate, average = stream.base_rate, stream.average_rate
    return float(rate) if rate and average and average <= rate <= _FASTEST else None


def describe_left_out(container: Any, *, sound: bool) -> tuple[str, ...]:
    """What an edited copy of the film will not have, in words; `sound` says whether the sound goes with it."""
    streams = container.streams
    shown, heard = film_track(container), sound_track(container) if sound else None
    more = "more " if heard is not None else ""
    counts = {
        "more video track": sum(stream is not shown and not _is_still(stream) for stream in streams.video),
        "cover picture": sum(map(_is_still, streams.video)),
        f"{more}audio track": sum(stream is not heard for stream in streams.audio),
        "subtitle track": len(streams.subtitles),
        "data track": len(streams.data),
        "attachment": len(streams.attachments),
    }
    told = {name.lower() for name, value in container.metadata.items() if value}  # Matroska's are in capitals
    tags = [name for name in _TAGS if name in told]
    chapters = container.chapters() if hasattr(container, "chapters") else ()
    return (
        *(f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts.items() if count),
        *([f"{len(chapters)} chapters"] if chapters else []),
        *([f"its {' and '.join(tags)}"] if tags else []),
    )


def _default(streams: Any) -> list[Any]:
    """Those that the file marks as its defaults; all, where it marks none."""
    found = list(streams)
    return [stream for stream in found if stream.disposition & _flag("default")] or found


def _is_still(stream: Any) -> bool:
    return bool(stream.disposition & (_flag("attached_pic") | _flag("timed_thumbnails")))


def _flag(name: str) -> int:
    return int(getattr(pyav().stream.Disposition, name))
