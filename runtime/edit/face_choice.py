"""Which faces of a frame are edited: found, followed, chosen, and what each already is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from ..faces.finder import FaceFinder
from ..faces.landmarks import refuse_pose
from ..faces.lookout import Lookout
from ..faces.options import FaceOptions, Which
from ..faces.tiles import Sweep, small_side
from ..faces.tracking import Sighting, Track, Tracker, choose
from ..metrics.tally import Stopwatch
from ..model.image import Halves, Image
from .labels import Label, Labels, Memory


class FaceChoice:
    """The faces of one video, or of pictures that stand alone. Not thread-safe.

    Args:
        labels: estimates what each face already is; stays the caller's.
        finder: finds faces.
        options: which faces, and how they are followed.
    """

    def __init__(self, labels: Labels, finder: FaceFinder, options: FaceOptions) -> None:
        self._labels, self._finder, self._options = labels, finder, options
        self._tracker = Tracker(options.which, smooth=options.smooth, any_pose=options.any_pose)
        self.left_alone: Counter[str] = Counter()
        self._lookout = Lookout(finder) if options.beside else None
        self._sweep = Sweep()
        # What is known of a face is forgotten with its track.
        self._memories: WeakKeyDictionary[Track, Memory] = WeakKeyDictionary()

    def choose(self, which: Which) -> None:
        """See `Region.choose`."""
        self._tracker.which = which

    def find(self, frame: Image | Halves, timestamp: float | None, timed: Stopwatch) -> list[Track]:
        """The faces to edit in a frame, (H, W, 3) uint8 BGR; `timestamp` is as in `Region.extract`."""
        halves = Halves.of(frame)
        sightings = timed("faces", self._search, halves, timestamp, timed)
        return timed("track", self._follow, halves, timestamp, sightings)

    def label(self, tracks: Sequence[Track], crops: Sequence[Image]) -> list[Label]:
        """What each face already is, as it was seen over time."""
        return [
            self._labels.follow(self._memories.setdefault(track, Memory()), crop)
            for track, crop in zip(tracks, crops, strict=True)
        ]

    def search_on(self) -> None:
        """The frame of the last `find` has been edited: what is searched beside that begins now."""
        if self._lookout is not None:
            self._lookout.search()

    def another(self) -> FaceChoice:
        """See `Region.another`; it searches beside this one, with a finder of its own."""
        return FaceChoice(self._labels, FaceFinder(), self._options)

    def reset(self) -> None:
        """Forgets the faces seen so far."""
        self._tracker.reset()
        self._sweep.reset()
        if self._lookout is not None:
            self._lookout.reset()

    def close(self) -> None:
        """Ends the thread that searches."""
        if self._lookout is not None:
            self._lookout.close()

    def _search(self, frame: Halves, timestamp: float | None, timed: Stopwatch) -> list[Sighting]:
        """Returns the searches that have ended; for a picture that stands alone, the one of it."""
        if timestamp is None:
            return [Sighting(0.0, self._finder.find(frame[0]))]
        if self._lookout is None:
            hw = (frame[0].shape[0], frame[0].shape[1])
            tiles = self._sweep.take(hw)
            return [Sighting(timestamp, self._finder.find(frame[0], tiles), tiles=tiles, small=small_side(hw))]
        found = self._lookout.look(frame, timestamp)
        for sighting in found:
            timed.add("faces", sighting.seconds)
        return found

    def _follow(self, frame: Halves, timestamp: float | None, sightings: Sequence[Sighting]) -> list[Track]:
        """Returns the faces to edit in this frame."""
        if timestamp is None:
            seen = [(face, None if self._options.any_pose else refuse_pose(face)) for face in sightings[0].faces]
            self.left_alone.update(refusal.why for _, refusal in seen if refusal is not None)
            tracks = [Track(number, face) for number, (face, refusal) in enumerate(seen, start=1) if refusal is None]
            return choose(tracks, self._tracker.which)
        tracks = self._tracker.follow(frame, timestamp, sightings)
        self.left_alone.update(refusal.why for refusal in self._tracker.refusals)
        return tracks
