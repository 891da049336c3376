"""Where frames go: a window, a video file, a folder of pictures, or nowhere.

Each kind is a module of this folder with two functions: `accepts(spec)` says whether it knows a SPEC, and
`open_sink(spec, clock)` opens it. A new kind is a new module; nothing here names one.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from ..controls import Slider
from ..errors import SinkError
from ..image import Image
from ..sources import Frame

if TYPE_CHECKING:
    from typing import Self

SPECS = "window, null, a video file (.mp4, .mov, .mkv), or a folder"


@dataclass(frozen=True, slots=True)
class Clock:
    """When frames are shown. Frame i belongs at i / `fps` seconds, or, if `by_timestamp`, at its own timestamp:
    a live source loses frames, and what it shows must still take as long as it took."""

    fps: float = 25.0
    by_timestamp: bool = False


class Sink(Protocol):
    """Takes frames in order, all from one thread. Open from construction on; leaving the context finishes it.

    `screen` says that someone watches while it runs. `about` says where the frames went.
    """

    screen: bool = False
    about: str = ""

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Takes one edited frame, and the same frame unedited for those who show both; changes neither.

        Returns the keys pressed since the last call ("" where there is no keyboard; Esc is "\\x1b").
        Raises SinkError when it cannot take the frame.
        """
        ...

    def offer(self, sliders: Sequence[Slider]) -> None:
        """Puts sliders beside the picture, where someone can push them; elsewhere does nothing."""
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
    """Several sinks as one: each gets every frame, and each is closed whatever another one does."""

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self.members = tuple(sinks)
        self.screen = any(sink.screen for sink in self.members)
        self._stack = ExitStack()
        for sink in reversed(self.members):
            self._stack.callback(sink.close)

    def write(self, frame: Frame, before: Image | None = None) -> str:
        """Writes to each in turn and joins their keys."""
        return "".join([sink.write(frame, before) for sink in self.members])

    def offer(self, sliders: Sequence[Slider]) -> None:
        """Offers them to each."""
        for sink in self.members:
            sink.offer(sliders)

    def close(self) -> None:
        """Closes all; the first error is raised after that."""
        self._stack.close()


def open_sink(spec: str, clock: Clock | None = None) -> Sink:
    """Opens what `spec` names (see `SPECS`). A file or folder is made when the first frame comes, not before.

    Raises SinkError when there is no such kind, no display, or no place that can be written;
    MissingExtraError when the kind needs a package that is not installed.
    """
    kinds = sorted(m.name for m in pkgutil.iter_modules(__path__))
    for kind in sorted(kinds, key=lambda name: name != spec):  # a kind's own name goes before a folder of that name
        module = importlib.import_module(f"{__name__}.{kind}")
        if module.accepts(spec):
            sink: Sink = module.open_sink(spec, clock or Clock())
            return sink
    raise SinkError(f"sink {spec!r} is of no known kind", f"expected {SPECS}")


def open_sinks(specs: Iterable[str], clock: Clock | None = None) -> Sinks:
    """Opens several; if one cannot be opened, those before it are closed again."""
    with ExitStack() as opened:
        sinks = [opened.enter_context(open_sink(spec, clock)) for spec in specs]
        opened.pop_all()
    return Sinks(sinks)


def check_writable(path: Path) -> None:
    """Raises SinkError if a file could not be made at `path`, its folders included. Makes nothing."""
    place = path.absolute().parent
    while not place.exists():
        place = place.parent
    if path.is_dir() or not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        why = "it is a folder" if path.is_dir() else f"{place} is not a folder that you may write to"
        raise SinkError(f"cannot write {path}: {why}", todo="name another place")
