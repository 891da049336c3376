"""One frame's way through an edit: frame -> patches (faces, crops, labels) -> network -> patches -> frame.

`Pipeline.edit` is the whole of it; threads, queues, windows and statistics stand outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import islice

import numpy as np

from ..backends import Backend
from ..checks import check_finite
from ..faces.finder import FaceFinder
from ..faces.options import FaceOptions, Which
from ..metrics.tally import Record, Stopwatch
from ..model.card import ModelCard
from ..model.image import Image, Order, as_bgr, check_out, give_back, pad_by_mirror
from .face_region import Faces
from .labels import Labels
from .network import Network
from .regions import Patch, Region, Whole, check_work_size


class Pipeline:
    """Edits frames with one loaded model. Not thread-safe; `Editor` adds the lock.

    Args:
        card: of the model.
        backend: the loaded model; the caller closes it.
        labels: estimates what each face already is.
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
    def left_alone(self) -> dict[str, int]:
        """See `Statistics.left_alone`; may be read at any time."""
        return dict(self._region.left_alone)

    def choose(self, which: Which) -> None:
        """See `Editor.choose`."""
        self._region.choose(which)

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
        if timestamp is not None:
            timestamp = check_finite(timestamp, "the timestamp", "seconds from any beginning, or None")
        frame = as_bgr(frame_bgr, colour)
        self.card.condition.apply({}, changes)  # an unknown name is an error in every frame, faces or not
        canvas = _canvas(frame, colour, out)
        patches = region.extract(frame, timestamp, timed)
        timed("blend", region.paste, canvas, self._edit(patches, changes, timed))
        timed.report()
        return give_back(canvas, colour, out)

    def edit_batch(
        self,
        frames: Sequence[Image],
        changes: Mapping[str, float],
        *,
        colour: Order = "bgr",
        record: Record | None = None,
    ) -> list[Image]:
        """See `Editor.edit_batch`: as `edit`, with the patches of all frames in the same calls of the network."""
        timed, region = Stopwatch(record), self._region
        given = [as_bgr(frame, colour) for frame in frames]
        self.card.condition.apply({}, changes)
        found = [region.extract(frame, None, timed) for frame in given]
        edited = iter(self._edit(sum(found, []), changes, timed))
        outs = [frame.copy() for frame in given]
        for out, patches in zip(outs, found, strict=True):
            timed("blend", region.paste, out, list(islice(edited, len(patches))))
        timed.report()
        return [give_back(out, colour, None) for out in outs]

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
        (edited,) = self._network.edit([pad_by_mirror(crop, fitting)], [label], changes, timed)
        timed.report()
        return edited[:height, :width].copy()

    def _edit(self, patches: Sequence[Patch], changes: Mapping[str, float], timed: Stopwatch) -> Sequence[Patch]:
        """Runs the network. For no changes patches stay as they are: a network would redraw them, a little worse."""
        if self.card.condition.names and not changes:
            return patches
        labels = [patch.label for patch in patches]
        edited = self._network.edit([patch.crop for patch in patches], labels, changes, timed)
        return [replace(patch, edited=after) for patch, after in zip(patches, edited, strict=True)]

    def another(self) -> Pipeline:
        """Returns a pipeline for another video: the same loaded models and options, with faces of its own."""
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
    """Copies `frame`, to paint on the copy: into the caller's own buffer where that can be."""
    if out is not None:
        check_out(out, (frame.shape[0], frame.shape[1]))
        if colour == "bgr":
            np.copyto(out, frame)
            return out
    return frame.copy()
