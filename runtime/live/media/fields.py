"""Interlaced pictures made whole: FFmpeg's bwdif, one picture for each pair of fields, so that the rate stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...opencv import pyav

_FILTER = "bwdif"  # Bob Weaver: each missing line from the fields before and after, and from the lines around it


class Deinterlacer:
    """Passes the decoded frames of one video stream on, in order; none is lost, none added.

    From the first interlaced frame on they go through the filter, which needs the frame after each: they come one
    frame later, with their own times. Progressive frames are not changed. Where this build of FFmpeg has no such
    filter, frames stay woven. `note` says for people which of the two it was, and is empty while no frame was
    interlaced.
    """

    note = ""

    def __init__(self) -> None:
        self._graph: Any = None
        self._kind: tuple[int, int, str] | None = None  # of the frames that the graph takes

    def feed(self, frames: Iterable[Any]) -> Iterator[Any]:
        """The frames that are ready once these were decoded."""
        for frame in frames:
            if not self.note and frame.interlaced_frame:
                self.note = _describe(can_deinterlace())
            if not (self.note and can_deinterlace()):
                yield frame
                continue
            kind = frame.width, frame.height, frame.format.name
            if kind != self._kind:
                yield from self.flush()
                self._graph, self._kind = _make_graph(frame), kind
            self._graph.push(frame)
            yield from self._pull()

    def flush(self) -> Iterator[Any]:
        """What the filter still holds at the end; after it, another film may begin."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pull()
        self._graph = self._kind = None

    def _pull(self) -> Iterator[Any]:
        while True:
            try:
                yield self._graph.pull()
            except (BlockingIOError, pyav().EOFError):
                return


def can_deinterlace() -> bool:
    """Whether this build of FFmpeg has the filter."""
    return _FILTER in pyav().filter.filters_available


def _describe(possible: bool) -> str:
    if possible:
        return "interlaced: deinterlaced, one picture for each pair of fields"
    return (
        "interlaced: its pictures hold two moments each, and what moves looks combed, since this build of PyAV has no "
        "filter for it; to part them first: ffmpeg -i FILM -vf bwdif OUT.mp4"
    )


def _make_graph(frame: Any) -> Any:
    graph = pyav().filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or "1/1000"
    )
    part = graph.add(_FILTER, "mode=send_frame:parity=auto:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(part)
    part.link_to(sink)
    graph.configure()
    return graph
