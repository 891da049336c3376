"""Where frames come from: a camera, a video file, pictures, a network stream, a GStreamer pipeline, or drawn faces.

Each kind is a module of this folder with two functions: `accepts(spec)` says whether it knows a SPEC, and
`open_frames(spec, wanted)` opens it. One with `FALLBACK = True` is asked last. A new kind is a new module; nothing here
names one. Modules that begin with "_" are parts of kinds, or change how any source behaves: at its own speed, held at
one picture, or opened again when it went away.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, SourceError, SourceRefusedError
from ...kinds import modules
from ...model.image import Image
from ...redaction import redact
from ..places import localise

if TYPE_CHECKING:
    from typing import Self

    from ..sound import Sound

SPECS = (
    "a camera (0 or /dev/video0), a video file, a picture, a folder of pictures, a URL, gst:PIPELINE, "
    "synthetic[:WxH][@FPS][#SEED], or, for a generator, latent[@FPS][#SEED]"
)
AGAIN_S = 2.0  # for a source that went away to answer: it is to be back within three seconds of its return


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    `index` counts the source's frames from 0. `timestamp`, in monotonic seconds, is when it was taken or, for a
    picture that is shown again because the source is away, when it was given again; `held_s` is then how long
    ago it was taken, and 0 for a fresh one, and `held_why` says why, where that is known. `moment_s` is where a
    recording has it, in seconds from its first picture; None where only the rate tells. `decode_s` is the time that
    decoding it took, without the wait for it. `skipped` counts the frames before it that a live source left out to
    catch up.
    """

    image_bgr: Image
    index: int
    timestamp: float
    source: str
    held_s: float = 0.0
    moment_s: float | None = None
    decode_s: float = 0.0
    held_why: str = ""
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a source, as `open_source` takes it; `answer_s` is how long it may take to give a picture, in
    seconds (None: as long as such a source may)."""

    fps: float | None = None
    size_hw: tuple[int, int] | None = None
    loop: bool = False
    every_frame: bool = False
    answer_s: float | None = None


class Source(Protocol):
    """Frames, in order, from one place. Open from construction on; leaving the context closes it.

    `name` is short and holds no password; `about` says in words what was got. A `live` source goes on whether
    or not anyone reads: old frames of it are worth nothing. A `revivable` one that breaks may be back when it is
    opened again: a live one anew, a recording by `resume`. `fps` and `length` (in frames) are None where unknown;
    `sound` is that of a recording, and `notes` say what is not shown as it is recorded, or is left out. Iterating
    raises SourceError when the source breaks; it is for one thread and
    one pass.
    """

    name: str
    about: str
    live: bool
    fps: float | None
    size_hw: tuple[int, int]
    length: int | None
    revivable: bool = False
    sound: Sound | None = None
    notes: tuple[str, ...] = ()

    def troubles(self) -> tuple[str, ...]:
        """What went wrong so far without ending it, in words; () for nothing."""
        return ()

    def __iter__(self) -> Iterator[Frame]: ...

    def resume(self) -> None:
        """Opens a revivable recording that broke again, so that iterating goes on with the frame it lacked.

        Raises SourceError when it is still away, SourceRefusedError when trying again does not help.
        """
        raise SourceRefusedError(f"{self.name} cannot go on where it stood")

    def stop(self) -> None:
        """Ends an iteration that waits for what went away; may be called from any thread."""
        return

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
    every_frame: bool = False,
) -> Source:
    """Opens what `spec` names, and has seen its first picture when it returns (cameras, files, streams).

    Args:
        spec: one of `SPECS`. Sizes inside a SPEC are WIDTHxHEIGHT, as cameras state them.
        fps: frames per second; asked of a camera, taken as the truth for files and pictures.
        size_hw: height and width in pixels to ask of a camera; recorded pictures keep their own.
        loop: begin again at the end of a file or folder.
        realtime: frames of a recording come no faster than it plays; none is lost.
        reconnect_s: how long to wait for a camera or stream that went away, in seconds, showing its last frame
            (a recording behind a URL waits, and goes on where it stood); 0 raises its error at once, `math.inf`
            waits for ever.
        every_frame: a network stream whose pictures cannot be decoded as fast as they come gives them all, later
            and later; without it, it leaves some out (`Frame.skipped`).

    Raises:
        SourceError: nothing is there, or it gives no pictures.
        InputError: an option that this kind of source cannot have.
        MissingExtraError: the kind needs a package that is not installed.
    """
    if fps is not None and not 0.1 <= fps <= 1000:
        raise InputError(f"{fps:g} frames per second were asked for", "a number from 0.1 to 1000")
    if not reconnect_s >= 0:
        raise InputError(f"waiting {reconnect_s:g} s for a lost source was asked for", "0 seconds or more")
    spec, wanted = localise(spec), Wanted(fps, size_hw, loop, every_frame)
    began = time.monotonic()
    source = _open(spec, wanted)
    if source.revivable and reconnect_s > 0:
        if not source.live:
            from ._resuming import Resuming

            source = Resuming(source, give_up_s=reconnect_s)
        else:
            from ._reconnecting import Reconnecting

            # What took long to open at first may do so again.
            again = replace(wanted, answer_s=max(AGAIN_S, 2 * (time.monotonic() - began)))
            source = Reconnecting(source, lambda: _open(spec, again), give_up_s=reconnect_s)
    if realtime and not source.live:
        from ._paced import Paced

        source = Paced(source)
    return source


def _open(spec: str, wanted: Wanted) -> Source:
    try:
        kind = next((kind for kind in modules(__name__) if kind.accepts(spec)), None)
    except (OSError, ValueError) as error:  # a name that is longer than any file's, or no name at all
        raise SourceError(
            f"source {redact(spec)[:100]!r} cannot be looked for: {getattr(error, 'strerror', None) or error}"
        ) from None
    if kind is not None:
        source: Source = kind.open_frames(spec, wanted)
        return source
    raise SourceError(f"source {redact(spec)!r}: no such file or folder", f"expected {SPECS}")


def frame_of(
    picture: NDArray[Any],
    index: int,
    source: str,
    *,
    taken: float | None = None,
    moment_s: float | None = None,
    decode_s: float = 0.0,
    skipped: int = 0,
) -> Frame:
    """A frame taken at the monotonic second `taken` (None: now). `picture` is (H, W, 3), BGR, of 8 bits."""
    taken = time.monotonic() if taken is None else taken
    return Frame(
        np.asarray(picture, np.uint8), index, taken, source, moment_s=moment_s, decode_s=decode_s, skipped=skipped
    )


def refuse_size(spec: str, size_hw: tuple[int, int] | None) -> None:
    """Raises InputError if a size was asked of something recorded."""
    if size_hw is not None:
        raise InputError(
            f"a size was asked of {spec}, which is already recorded",
            "a size can be asked of a camera or of the synthetic camera only",
            "leave the size out",
        )
