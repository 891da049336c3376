"""The contract of a sink: a place that takes the frames of a run, and how several are one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from ..errors import SinkError, reason
from ..model.image import Image
from ..special_files import is_special
from .controls.panel import Panel
from .provenance import EDITED, Origin
from .source import Frame

if TYPE_CHECKING:
    from typing import Self


class SinkClosed(Exception):  # noqa: N818 - a signal to the run, not an error a user meets
    """Whoever took the frames has gone: the window is closed, the reader of the pipe has ended."""


class Sink(Protocol):
    """Takes frames in order, all from one thread. Open from construction on; leaving the context finishes it.

    `screen` says that someone watches while it runs. `stage` is what the time that it takes counts as: "encode",
    "display", or "" for one that takes none. `about` says where the frames went. `origin`, which whoever
    knows it may set before the first frame, is what files tell of how the pictures came about.
    """

    screen: bool = False
    stage: str = ""
    about: str = ""
    origin: Origin = EDITED

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Takes one edited frame, and the same frame unedited for those who show both; changes neither.

        Raises SinkError when it cannot take the frame, and SinkClosed when whoever took them has gone: the run then
        ends as if it had been asked to.
        """
        ...

    def offer(self, panel: Panel) -> None:
        """Lets whoever watches steer by keys and mouse, where there are any; elsewhere does nothing."""
        return

    def close(self) -> None:
        """Finishes the output; may be called twice."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Sinks(Sink):
    """Several sinks as one: each gets every frame, in turn, and each is closed whatever another one does.

    The slowest sets the pace, so that all show the same; what a live source loses by it counts as `sink_busy`.
    The first that fails ends the run with its error: what the others have written so far is whole.
    """

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self.members = tuple(sinks)
        self.screen = any(sink.screen for sink in self.members)
        self._stack = ExitStack()
        for sink in reversed(self.members):
            self._stack.callback(sink.close)

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Writes to each in turn; raises SinkClosed after all of them have the frame."""
        gone: SinkClosed | None = None
        for sink in self.members:
            try:
                sink.write(frame, before)
            except SinkClosed as closed:
                gone = closed
        if gone is not None:
            raise gone

    def offer(self, panel: Panel) -> None:
        """Offers it to each."""
        for sink in self.members:
            sink.offer(panel)

    def close(self) -> None:
        """Closes all; the first error is raised after that."""
        self._stack.close()


class Callback(Sink):
    """Gives each frame to a function of one's own program, in the thread that runs the stream.

    The picture is the function's to keep, not to change. Returning True ends the run.
    """

    stage = "display"

    def __init__(self, function: Callable[[Frame], object]) -> None:
        self._function = function

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Calls the function; raises SinkClosed where that returned True."""
        if self._function(frame) is True:
            raise SinkClosed


def check_writable(path: Path) -> None:
    """Raises SinkError if a file could not be made at `path`, its folders included. Makes nothing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # as a name that is too long
        raise SinkError(f"cannot write {str(path)[:100]!r}: {reason(error)}", todo="name another place") from None
    if is_special(path):
        if not os.access(path, os.W_OK):
            raise SinkError(f"cannot write {path}: you may not write to it", todo="name another place")
        return
    place = Path(os.path.realpath(path)).parent
    while not place.exists():
        place = place.parent
    if path.is_dir() or not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        why = "it is a folder" if path.is_dir() else f"{place} is not a folder that you may write to"
        raise SinkError(f"cannot write {path}: {why}", todo="name another place")


def check_same_size(frame: Frame, first_hw: tuple[int, int], where: str) -> None:
    """Raises SinkError if the frame has another size than the first that went to `where`."""
    height, width = frame.image_bgr.shape[:2]
    if (height, width) != first_hw:
        raise SinkError(
            f"{where}: a frame of {height}x{width} after one of {first_hw[0]}x{first_hw[1]}",
            "frames of one size (height x width)",
            "pictures of different sizes go into a folder: --sink FOLDER/",
        )
