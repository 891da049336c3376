"""The faces of a frame as the parts of it that are edited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from ..faces.finder import FaceFinder
from ..faces.landmarks import refuse_pose
from ..faces.lookout import Lookout
from ..faces.options import FaceOptions, Which
from ..faces.tiles import Sweep, small_side
from ..faces.tracking import Sighting, Track, Tracker, choose
from ..metrics.tally import Stopwatch
from ..model.card import ModelCard
from ..model.image import Image
from . import align, blending
from .labels import Label, Labels, Memory
from .regions import Patch


class Faces:
    """Edits the faces that are found, each where it is and as strongly as its track says. A `Region`.

    Args:
        card: of the model; its alignment says how faces are cut out.
        labels: estimates what each face already is; stays the caller's.
        finder: finds faces.
        options: which faces, and how they are followed and put back.
    """

    def __init__(self, card: ModelCard, labels: Labels, finder: FaceFinder, options: FaceOptions) -> None:
        self._card, self._labels, self._finder, self._options = card, labels, finder, options
        self._margin = card.alignment.margin if card.alignment is not None else 0.0
        self._tracker = Tracker(options.which, smooth=options.smooth, any_pose=options.any_pose)
        self.left_alone: Counter[str] = Counter()
        self._lookout = Lookout(finder) if options.beside else None
        self._sweep = Sweep()
        # What is known of a face is forgotten with its track.
        self._memories: WeakKeyDictionary[Track, Memory] = WeakKeyDictionary()

    def choose(self, which: Which) -> None:
        """See `Region.choose`."""
        self._tracker.which = which

    def extract(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Patch]:
        """See `Region.extract`; raises CardError for a card without an alignment."""
        sightings = timed("faces", self._search, frame, timestamp, timed)
        tracks = timed("track", self._follow, frame, timestamp, sightings)
        cuts = timed("align", lambda: [align.crop(frame, track.face, self._card) for track in tracks])
        labels = timed("labels", self._label, tracks, [crop for crop, _ in cuts])
        return [
            Patch(crop, matrix, label, track.face, track.strength)
            for track, (crop, matrix), label in zip(tracks, cuts, labels, strict=True)
        ]

    def paste(self, out: Image, patches: Sequence[Patch]) -> None:
        """See `Region.paste`."""
        for patch in patches:
            crop, edited = patch.crop, patch.edited
            if edited is None or patch.face is None:
                continue
            hw = (crop.shape[0], crop.shape[1])
            mask = blending.face_feather(hw, self._margin, patch.face, patch.matrix)
            if self._options.colour_match:
                edited = blending.match_colours(crop, edited, mask)
            if self._options.guard:
                mask = mask * blending.guard_mask(crop, edited)
            blending.blend(out, crop, edited, patch.matrix, mask * np.float32(patch.strength))

    def another(self) -> Faces:
        """See `Region.another`; it searches beside this one, with a finder of its own."""
        return Faces(self._card, self._labels, FaceFinder(), self._options)

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

    def _search(self, frame: Image, timestamp: float | None, timed: Stopwatch) -> list[Sighting]:
        """Returns the searches that have ended; for a picture that stands alone, the one of it."""
        if timestamp is None:
            return [Sighting(0.0, self._finder.find(frame))]
        if self._lookout is None:
            hw = (frame.shape[0], frame.shape[1])
            tiles = self._sweep.take(hw)
            return [Sighting(timestamp, self._finder.find(frame, tiles), tiles=tiles, small=small_side(hw))]
        found = self._lookout.look(frame, timestamp)
        for sighting in found:
            timed.add("faces", sighting.seconds)
        return found

    def _follow(self, frame: Image, timestamp: float | None, sightings: Sequence[Sighting]) -> list[Track]:
        """Returns the faces to edit in this frame."""
        if timestamp is None:
            seen = [(face, None if self._options.any_pose else refuse_pose(face)) for face in sightings[0].faces]
            self.left_alone.update(refusal.why for _, refusal in seen if refusal is not None)
            tracks = [Track(number, face) for number, (face, refusal) in enumerate(seen, start=1) if refusal is None]
            return choose(tracks, self._tracker.which)
        tracks = self._tracker.follow(frame, timestamp, sightings)
        self.left_alone.update(refusal.why for refusal in self._tracker.refusals)
        return tracks

    def _label(self, tracks: Sequence[Track], crops: Sequence[Image]) -> list[Label]:
        """Returns what each face already is, as it was seen over time."""
        return [
            self._labels.follow(self._memories.setdefault(track, Memory()), crop)
            for track, crop in zip(tracks, crops, strict=True)
        ]
