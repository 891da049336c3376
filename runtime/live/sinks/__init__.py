"""Where frames go: a window, a video file, a folder, a virtual camera, another program, or nowhere.

Each kind is a module of this folder with two functions: `accepts(spec)` says whether it knows a SPEC, and
`open_sink(spec, clock)` opens it. One with `FALLBACK = True` is asked last. A new kind is a new module; nothing here
names one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from ...errors import SinkError
from ...kinds import modules
from ...model.image import Image
from ...redaction import redact
from ..controls.keys import ESCAPE
from ..controls.panel import Panel
from ..places import localise, refuse_clashes
from ..provenance import EDITED, Origin
from ..sources import Frame

if TYPE_CHECKING:
    from typing import Self

    from ..sound import Sound

SPECS = "window, null, - (stdout), virtualcam[:DEVICE], a video file (.mp4, .mov, .mkv), or a folder"


@dataclass(frozen=True, slots=True)
class Clock:
    """When frames are shown, and the `sound` that goes with them. A frame belongs at its own moment, else frame i
    at i / `fps` seconds, or, if `by_timestamp`, at its timestamp: a live source loses frames, and what it shows
    must still take as long as it took."""

    fps: float = 25.0
    by_timestamp: bool = False
    sound: Sound | None = None

    def moment_s(self, frame: Frame, begin: float) -> float:
        """Where the frame belongs, in seconds; `begin` is the timestamp of the first."""
        if self.by_timestamp:
            return frame.timestamp - begin
        return frame.index / self.fps if frame.moment_s is None else frame.moment_s


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

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Takes one edited frame, and the same frame unedited for those who show both; changes neither.

        Returns the keys pressed since the last call ("" where there is no keyboard; Esc is "\\x1b").
        Raises SinkError when it cannot take the frame.
        """
        ...

    def offer(self, panel: Panel) -> None:
        """Lets whoever watches steer by the mouse, where there is one; elsewhere does nothing."""
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

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Writes to each in turn and joins their keys."""
        return "".join([sink.write(frame, before) for sink in self.members])

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

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Calls the function."""
        return ESCAPE if self._function(frame) is True else ""


def open_sink(spec: str, clock: Clock | None = None, *, label: bool = True) -> Sink:
    """Opens what `spec` names (see `SPECS`). A file or folder is made when the first frame comes, not before.

    With `label`, every frame shows the mark of the sink's origin ("AI-edited") in its lower right corner; without,
    whoever opens it sees to that, as `screen.dressed` does.

    Raises SinkError when there is no such kind, no display, or no place that can be written;
    MissingExtraError when the kind needs a package that is not installed.
    """
    spec = localise(spec)
    if "://" in spec:
        raise SinkError(
            f"sink {redact(spec)} is an address, and nothing is sent over a network",
            f"expected {SPECS}",
            "to send it on: --sink - | ffmpeg -i - ... ADDRESS",
        )
    try:
        kind = next((kind for kind in modules(__name__) if kind.accepts(spec)), None)
        if kind is not None:
            sink: Sink = kind.open_sink(spec, clock or Clock())
            return _labelled(sink) if label else sink
    except (OSError, ValueError) as error:  # a name that is longer than any file's, or no name at all
        raise SinkError(
            f"sink {spec[:100]!r} cannot be: {getattr(error, 'strerror', None) or error}", todo="name another place"
        ) from None
    raise SinkError(f"sink {spec!r} is of no known kind", f"expected {SPECS}")


def open_sinks(specs: Iterable[str], clock: Clock | None = None, *, label: bool = True) -> Sinks:
    """Opens several; if one cannot be opened, those before it are closed again.

    Raises InputError for two in one place, and what `open_sink` raises.
    """
    specs = list(specs)
    refuse_clashes({}, specs)
    with ExitStack() as opened:
        sinks = [opened.enter_context(open_sink(spec, clock, label=label)) for spec in specs]
        opened.pop_all()
    return Sinks(sinks)


def _labelled(sink: Sink) -> Sink:
    from ...metrics.stats import Stats
    from ..screen.dressed import Dressed  # which needs this module

    return Dressed(sink, Panel(), Stats(), hud=False)


def check_writable(path: Path) -> None:
    """Raises SinkError if a file could not be made at `path`, its folders included. Makes nothing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # as a name that is too long
        why = getattr(error, "strerror", None) or str(error)
        raise SinkError(f"cannot write {str(path)[:100]!r}: {why}", todo="name another place") from None
    place = path.absolute().parent
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
