"""The road of one frame: frame -> faces -> crops -> labels -> tensors -> network -> crops -> frame.

`Pipeline.edit` is the whole of it; threads, queues, windows and statistics stand outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from itertools import islice

import numpy as np

from ..backends import Backend
from ..faces.finder import FaceFinder
from ..faces.labels import Label, Labels
from ..faces.options import FaceOptions, Which
from ..metrics.stopwatch import Record, Stopwatch
from ..model.card import ModelCard
from ..model.image import Image, Order, as_bgr, check_out, given_back, mirrored
from .network import Network
from .regions import Faces, Region, Whole, check_work_size


class Pipeline:
    """Edits frames with one loaded model. Not thread-safe; `Editor` adds the lock.

    Args:
        card: of the model.
        backend: the loaded model; the caller closes it.
        labels: tells what each face already is.
        finder: finds faces; None for models that take the whole frame.
        work_size: (height, width) of whole frames in the network; None follows each frame's shape.
        faces: what to do with faces.

    Raises:
        CardError: the model takes something else than a picture and a label.
        InputError: a work size that the network cannot have, or for a model of faces.
    """

    def __init__(
        self,
        card: ModelCard,
        backend: Backend,
        labels: Labels,
        finder: FaceFinder | None,
        *,
        work_size: tuple[int, int] | None = None,
        faces: FaceOptions | None = None,
    ) -> None:
        self.card, self.labels = card, labels
        self._network = Network(card, backend)
        self.size = self._network.size
        if work_size is not None:
            check_work_size(work_size, self.size, faces=finder is not None)
        self._region: Region = Whole(labels, self.size, work_size)
        if finder is not None:
            self._region = Faces(card, labels, finder, faces or FaceOptions())

    @property
    def which(self) -> Which:
        """The faces to edit; may be changed at any time. Raises InputError if it says none."""
        return self._region.which

    @which.setter
    def which(self, which: Which) -> None:
        self._region.which = which

    def edit(
        self,
        frame_bgr: Image,
        changes: Mapping[str, float],
        *,
        timestamp: float | None = None,
        colour: Order = "bgr",
        out: Image | None = None,
        record: Record | None = None,
    ) -> Image:
        """See `Editor.edit`."""
        timed, region = Stopwatch(record), self._region
        frame = as_bgr(frame_bgr, colour)
        self.card.condition.apply({}, changes)  # an unknown name is an error in every frame, faces or not
        canvas = _canvas(frame, colour, out)
        sightings = timed("faces", region.search, frame, timestamp, timed)
        tracks = timed("track", region.follow, frame, timestamp, sightings)
        cuts = timed("align", region.cut, frame, tracks)
        labels = timed("labels", region.labels, tracks, cuts)
        edited = self._edited([crop for crop, _ in cuts], labels, changes, timed)
        timed("blend", region.blend, canvas, tracks, cuts, edited)
        timed.report()
        return given_back(canvas, colour, out)

    def edit_batch(
        self,
        frames: Sequence[Image],
        changes: Mapping[str, float],
        *,
        colour: Order = "bgr",
        record: Record | None = None,
    ) -> list[Image]:
        """See `Editor.edit_batch`: the road of `edit`, with the crops of all frames in the same calls."""
        timed, region = Stopwatch(record), self._region
        given = [as_bgr(frame, colour) for frame in frames]
        self.card.condition.apply({}, changes)
        tracks = [region.follow(f, None, timed("faces", region.search, f, None, timed)) for f in given]
        cuts = [timed("align", region.cut, frame, seen) for frame, seen in zip(given, tracks, strict=True)]
        labels = [timed("labels", region.labels, seen, cut) for seen, cut in zip(tracks, cuts, strict=True)]
        crops = [crop for cut in cuts for crop, _ in cut]
        edited = iter(self._edited(crops, sum(labels, []), changes, timed))
        outs = [frame.copy() for frame in given]
        for out, seen, cut in zip(outs, tracks, cuts, strict=True):
            timed("blend", region.blend, out, seen, cut, list(islice(edited, len(cut))))
        timed.report()
        return [given_back(out, colour, None) for out in outs]

    def translate(
        self,
        crop: Image,
        label: Mapping[str, float],
        changes: Mapping[str, float],
        *,
        record: Record | None = None,
    ) -> Image:
        """One crop, whose own labels are `label`, through the network; see `Editor.translate`."""
        height, width = crop.shape[:2]
        fitting = self.size.fitting((height, width))
        self.size.check(fitting)
        timed = Stopwatch(record)
        (edited,) = self._network.edited([mirrored(crop, fitting)], [label], changes, timed)
        timed.report()
        return edited[:height, :width].copy()

    def _edited(
        self, crops: Sequence[Image], labels: Sequence[Label], changes: Mapping[str, float], timed: Stopwatch
    ) -> Sequence[Image]:
        """The crops with the changes. For none they stay as they are: a network would redraw them, a little worse."""
        if self.card.condition.names and not changes:
            return crops
        return self._network.edited(crops, labels, changes, timed)

    def another(self) -> Pipeline:
        """A pipeline for another video: the same loaded models and options, with faces of its own."""
        other = copy(self)
        other._region = self._region.another()
        return other

    def reset(self) -> None:
        """Forgets the faces seen so far."""
        self._region.reset()

    def close(self) -> None:
        """Ends the thread that searches."""
        self._region.close()


def _canvas(frame: Image, colour: Order, out: Image | None) -> Image:
    """A copy of `frame` to paint on: the caller's own buffer where that can be."""
    if out is not None:
        check_out(out, (frame.shape[0], frame.shape[1]))
        if colour == "bgr":
            np.copyto(out, frame)
            return out
    return frame.copy()
