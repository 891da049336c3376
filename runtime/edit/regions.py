"""Which parts of a frame are edited: its faces, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..errors import InputError
from ..faces.finder import FaceFinder
from ..faces.labels import Label, Labels
from ..faces.lookout import Lookout
from ..faces.options import FaceOptions, Which, checked
from ..faces.tracking import Sighting, Track, Tracker, choose
from ..metrics.stopwatch import Stopwatch
from ..model.card import ModelCard, SizeRule
from ..model.image import Image
from . import align, blending

Cut = tuple[Image, align.Matrix]  # a crop, and how it was cut from its frame


class Region(Protocol):
    """The steps before and after the network, for the frames of one video. Not thread-safe.

    which: the faces to edit; may be changed at any time. Raises InputError if it says none.
    """

    which: Which

    def search(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Sighting]:
        """The searches that have ended; without a timestamp, the one of this frame."""

    def follow(self, frame: Image, timestamp: float | None, sightings: Sequence[Sighting]) -> list[Track]:
        """The faces to edit in this frame; without a timestamp, of a picture that stands alone."""

    def cut(self, frame: Image, tracks: Sequence[Track]) -> list[Cut]:
        """The crops for the network."""

    def labels(self, tracks: Sequence[Track], cuts: Sequence[Cut]) -> list[Label]:
        """What each crop already is."""

    def blend(self, out: Image, tracks: Sequence[Track], cuts: Sequence[Cut], edited: Sequence[Image]) -> None:
        """Brings the changes in the crops back into `out`, in place."""

    def another(self) -> Region:
        """One for another video, which remembers nothing of this one."""

    def reset(self) -> None:
        """Forgets what was seen so far."""

    def close(self) -> None:
        """Ends threads; a second call does nothing."""


class Faces:
    """Edits the faces that are found, each where it is and as strongly as its track says.

    Args:
        card: of the model; its alignment says how faces are cut out.
        labels: tells what each face already is; stays the caller's.
        finder: finds faces.
        options: which faces, and how they are followed and put back.
    """

    def __init__(self, card: ModelCard, labels: Labels, finder: FaceFinder, options: FaceOptions) -> None:
        self._card, self._labels, self._finder, self._options = card, labels, finder, options
        self._margin = card.alignment.margin if card.alignment is not None else 0.0
        self._tracker = Tracker(options.which, smooth=options.smooth)
        self._lookout = Lookout(finder) if options.beside else None

    @property
    def which(self) -> Which:
        """See `Tracker.which`."""
        return self._tracker.which

    @which.setter
    def which(self, which: Which) -> None:
        self._tracker.which = which

    def search(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Sighting]:
        """See `Region.search`."""
        if self._lookout is None or timestamp is None:
            return [Sighting(timestamp or 0.0, self._finder.find(frame))]
        found = self._lookout.look(frame, timestamp)
        for sighting in found:
            timed.add("faces", sighting.seconds)
        return found

    def follow(self, frame: Image, timestamp: float | None, sightings: Sequence[Sighting]) -> list[Track]:
        """See `Region.follow`."""
        if timestamp is None:
            tracks = [Track(number, face) for number, face in enumerate(sightings[0].faces, start=1)]
            return choose(tracks, self.which)
        return self._tracker.follow(frame, timestamp, sightings)

    def cut(self, frame: Image, tracks: Sequence[Track]) -> list[Cut]:
        """See `Region.cut`; raises CardError for a card without an alignment."""
        return [align.crop(frame, track.face, self._card) for track in tracks]

    def labels(self, tracks: Sequence[Track], cuts: Sequence[Cut]) -> list[Label]:
        """See `Region.labels`."""
        return [self._labels.follow(t.memory, crop) for t, (crop, _) in zip(tracks, cuts, strict=True)]

    def blend(self, out: Image, tracks: Sequence[Track], cuts: Sequence[Cut], edited: Sequence[Image]) -> None:
        """See `Region.blend`."""
        for track, (crop, matrix), after in zip(tracks, cuts, edited, strict=True):
            if after is crop:
                continue
            hw = (crop.shape[0], crop.shape[1])
            mask = blending.face_feather(hw, self._margin, track.face, matrix)
            if self._options.colour_match:
                after = blending.match_colours(crop, after, mask)
            if self._options.guard:
                mask = mask * blending.guarded(crop, after)
            blending.blend(out, crop, after, matrix, mask * np.float32(track.strength))

    def another(self) -> Faces:
        """See `Region.another`; it searches beside this one, with a finder of its own."""
        return Faces(self._card, self._labels, FaceFinder(), self._options)

    def reset(self) -> None:
        """Forgets the faces seen so far."""
        self._tracker.reset()
        if self._lookout is not None:
            self._lookout.reset()

    def close(self) -> None:
        """Ends the thread that searches."""
        if self._lookout is not None:
            self._lookout.close()


class Whole:
    """Edits the frame as one crop, at a size that the network takes; there are no faces in it.

    Args:
        labels: tells what the frame already shows; stays the caller's.
        size: the sizes that the network takes.
        work_size: (height, width) of every frame in the network; None follows each frame's shape.
    """

    def __init__(self, labels: Labels, size: SizeRule, work_size: tuple[int, int] | None) -> None:
        self._labels, self._size, self._work_size = labels, size, work_size
        self._which: Which = "all"

    @property
    def which(self) -> Which:
        """Kept, and of no effect."""
        return self._which

    @which.setter
    def which(self, which: Which) -> None:
        self._which = checked(which)

    def search(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Sighting]:
        """None."""
        return []

    def follow(self, frame: Image, timestamp: float | None, sightings: Sequence[Sighting]) -> list[Track]:
        """None."""
        return []

    def cut(self, frame: Image, tracks: Sequence[Track]) -> list[Cut]:
        """The frame."""
        hw = self._work_size or align.work_size((frame.shape[0], frame.shape[1]), self._size)
        return [align.whole(frame, hw)]

    def labels(self, tracks: Sequence[Track], cuts: Sequence[Cut]) -> list[Label]:
        """See `Region.labels`."""
        return [self._labels.current(crop) for crop, _ in cuts]

    def blend(self, out: Image, tracks: Sequence[Track], cuts: Sequence[Cut], edited: Sequence[Image]) -> None:
        """See `Region.blend`."""
        for (crop, matrix), after in zip(cuts, edited, strict=True):
            blending.blend(out, crop, after, matrix, None)

    def another(self) -> Whole:
        """See `Region.another`."""
        return Whole(self._labels, self._size, self._work_size)

    def reset(self) -> None:
        """There is nothing to forget."""

    def close(self) -> None:
        """There is nothing to end."""


def check_work_size(hw: tuple[int, int], rule: SizeRule, *, faces: bool) -> None:
    """Raises InputError if whole frames cannot go through the network at (height, width) `hw`."""
    asked = f"a work size of {hw[0]}x{hw[1]} (height x width) was asked for"
    if faces:
        raise InputError(asked, "a work size is for models of whole frames; this one edits faces")
    try:
        rule.check(hw)
    except InputError as error:
        todo = f"export it at that size: edgegan export RUN --size {hw[0]}x{hw[1]}" if rule.kind == "fixed" else ""
        raise InputError(asked, error.expected, todo) from None
