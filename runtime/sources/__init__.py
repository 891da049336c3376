"""Where frames come from: a camera, a video file, pictures, a network stream, a GStreamer pipeline, or drawn faces.

Each kind is a module of this folder with two functions: `accepts(spec)` says whether it knows a SPEC, and
`open_frames(spec, ...)` opens it. A new kind is a new module; nothing here names one. Modules that begin with "_"
change how any source behaves: at its own speed, or opened again when it went away.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, SourceError
from ..image import Image

if TYPE_CHECKING:
    from typing import Self

    from ..sound import Sound

SPECS = (
    "a camera (0 or /dev/video0), a video file, a picture, a folder of pictures, a URL, gst:PIPELINE, "
    "or synthetic[:WxH@FPS]"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    `index` counts the source's frames from 0. `timestamp`, in monotonic seconds, is when it was taken or, for a
    picture that is shown again because the source is away, when it was given again; `held_s` is then how long
    ago it was taken, and 0 for a fresh one. `moment_s` is where a recording has it, in seconds from its first
    picture; None where only the rate tells.
    """

    image_bgr: Image
    index: int
    timestamp: float
    source: str
    held_s: float = 0.0
    moment_s: float | None = None


class Source(Protocol):
    """Frames, in order, from one place. Open from construction on; leaving the context closes it.

    `name` is short and holds no password; `about` says in words what was got. A `live` source goes on whether
    or not anyone reads: old frames of it are worth nothing. A `revivable` one that breaks may be back when it is
    opened again. `fps` and `length` (in frames) are None where unknown; `sound` is that of a recording. Iterating
    raises SourceError when the source breaks; it is for one thread and one pass.
    """

    name: str
    about: str
    live: bool
    fps: float | None
    size_hw: tuple[int, int]
    length: int | None
    revivable: bool = False
    sound: Sound | None = None

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Lets go of the device or file; may be called twice."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(
    spec: str,
    *,
    fps: float | None = None,
    size_hw: tuple[int, int] | None = None,
    loop: bool = False,
    realtime: bool = False,
    reconnect_s: float = 0.0,
) -> Source:
    """Opens what `spec` names, and has seen its first picture when it returns (cameras, files, streams).

    Args:
        spec: one of `SPECS`. Sizes inside a SPEC are WIDTHxHEIGHT, as cameras state them.
        fps: frames per second; asked of a camera, taken as the truth for files and pictures.
        size_hw: height and width in pixels to ask of a camera; recorded pictures keep their own.
        loop: begin again at the end of a file or folder.
        realtime: frames of a recording come no faster than it plays; none is lost.
        reconnect_s: how long to wait for a camera or stream that went away, in seconds, showing its last frame;
            0 raises its error at once, `math.inf` waits for ever.

    Raises:
        SourceError: nothing is there, or it gives no pictures.
        InputError: an option that this kind of source cannot have.
        MissingExtraError: the kind needs a package that is not installed.
    """
    if fps is not None and not 0.1 <= fps <= 1000:
        raise InputError(f"{fps:g} frames per second were asked for", "a number from 0.1 to 1000")
    if not reconnect_s >= 0:
        raise InputError(f"waiting {reconnect_s:g} s for a lost source was asked for", "0 seconds or more")

    def again() -> Source:
        return _open(spec, fps=fps, size_hw=size_hw, loop=loop)

    source = again()
    if source.revivable and reconnect_s > 0:
        from ._reconnecting import Reconnecting

        return Reconnecting(source, again, give_up_s=reconnect_s)
    if realtime and not source.live:
        from ._paced import Paced

        return Paced(source)
    return source


def _open(spec: str, *, fps: float | None, size_hw: tuple[int, int] | None, loop: bool) -> Source:
    for kind in sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")):
        module = importlib.import_module(f"{__name__}.{kind}")
        if module.accepts(spec):
            source: Source = module.open_frames(spec, fps=fps, size_hw=size_hw, loop=loop)
            return source
    raise SourceError(f"source {spec!r}: no such file or folder", f"expected {SPECS}")


def frame_of(picture: NDArray[Any], index: int, source: str, *, moment_s: float | None = None) -> Frame:
    """A frame taken now. `picture` is (H, W, 3), BGR, of 8 bits."""
    return Frame(np.asarray(picture, np.uint8), index, time.monotonic(), source, moment_s=moment_s)


def refuse_size(spec: str, size_hw: tuple[int, int] | None) -> None:
    """Raises InputError if a size was asked of something recorded."""
    if size_hw is not None:
        raise InputError(
            f"a size was asked of {spec}, which is already recorded",
            "a size can be asked of a camera or of the synthetic camera only",
            "leave the size out",
        )
