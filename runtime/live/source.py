"""The contract of a source: the frames it gives, what may be asked of it, and what a source around another one is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, SourceRefusedError
from ..model.image import Image
from .sound import Sound

if TYPE_CHECKING:
    from typing import Self

AGAIN_S = 2.0  # for a source that went away to answer: it is to be back within three seconds of its return


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    `index` counts the source's frames from 0. `timestamp`, in monotonic seconds, is when it was taken or, for a
    picture that is shown again because the source is away, when it was given again; `held_s` is then how long
    ago it was taken, and 0 for a fresh one, and `held_why` says why, where that is known. `moment_s` is where a
    recording has it, in seconds from its first picture; None where only the rate tells. `decode_s` is the time that
    decoding it took, without the wait for it. `skipped` counts the frames before it that a live source left out to
    catch up. `frozen_s` is how long a recording was held at one picture before this one, in all: its `moment_s`
    stands still meanwhile, its `index` goes on. `lasts_s` is how long a recording shows it, 0 where that is not told.
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
    frozen_s: float = 0.0
    lasts_s: float = 0.0


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
    `constant_fps` is a rate at which a recording of variable rate loses no frame, None where `fps` is one. `sound` is
    that of a recording, and `notes` say what is not shown as it is recorded, or is left out. Iterating raises
    SourceError when the source breaks; it is for one thread and one pass.
    `seed` is that of a source that draws, and where a walk through latents then begins.
    """

    name: str
    about: str
    live: bool
    fps: float | None
    size_hw: tuple[int, int]
    length: int | None
    constant_fps: float | None = None
    revivable: bool = False
    seed: int = 0
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


class Wrapped(Source):
    """Tells of itself what `source` tells; owns it. Subclasses say which frames come, and when."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.about, self.live, self.fps = source.name, source.about, source.live, source.fps
        self.size_hw, self.length, self.sound = source.size_hw, source.length, source.sound
        self.constant_fps, self.revivable, self.notes = source.constant_fps, source.revivable, source.notes
        self.seed = source.seed

    def troubles(self) -> tuple[str, ...]:
        """Those of the source."""
        return self._source.troubles()

    def stop(self) -> None:
        """Passes it on."""
        self._source.stop()

    def close(self) -> None:
        """Closes the source."""
        self._source.close()


def frame_of(
    picture: NDArray[Any],
    index: int,
    source: str,
    *,
    taken: float | None = None,
    moment_s: float | None = None,
    lasts_s: float = 0.0,
    decode_s: float = 0.0,
    skipped: int = 0,
) -> Frame:
    """A frame taken at the monotonic second `taken` (None: now). `picture` is (H, W, 3), BGR, of 8 bits."""
    taken = time.monotonic() if taken is None else taken
    return Frame(
        np.asarray(picture, np.uint8),
        index,
        taken,
        source,
        moment_s=moment_s,
        lasts_s=lasts_s,
        decode_s=decode_s,
        skipped=skipped,
    )


def refuse_size(spec: str, size_hw: tuple[int, int] | None) -> None:
    """Raises InputError if a size was asked of something recorded."""
    if size_hw is not None:
        raise InputError(
            f"a size was asked of {spec}, which is already recorded",
            "a size can be asked of a camera or of the synthetic camera only",
            "leave the size out",
        )
