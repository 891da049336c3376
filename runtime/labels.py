"""What a face already is: labels estimated by the model's companion classifier, steady over a video.

A generator takes the whole target vector, and a face from a camera brings none. The target is what the
classifier finds, with only the user's changes on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .backends import Backend
from .card import Condition, ModelCard
from .errors import CardError
from .faces import Face
from .image import Image, preprocess

Label = dict[str, float]
Box = tuple[float, float, float, float]  # x, y, width, height

_SAME_FACE = 0.3  # IoU of a face's boxes in two frames
_NEW_SHARE = 0.25  # of a fresh estimate in the smoothed label
_SETTLE, _EVERY = 8, 5  # a new face is estimated in its first 8 frames, then in every fifth
_FORGET = 15  # frames after which a face that is not seen is forgotten


@dataclass
class _Track:
    box: Box
    frames: int = 0
    unseen: int = 0
    label: Label = field(default_factory=dict)


class Labels:
    """Estimates labels and follows faces. Not thread-safe.

    Args:
        condition: of the model that edits.
        classifier: the card and the loaded backend of the classifier; None for both makes every label
            the condition's default.

    Raises:
        CardError: the classifier's names are not the model's.
    """

    def __init__(self, condition: Condition, card: ModelCard | None = None, backend: Backend | None = None) -> None:
        if card is not None and not set(condition.names) <= set(card.condition.names):
            missing = sorted(set(condition.names) - set(card.condition.names))
            raise CardError(
                f"the classifier does not know {', '.join(missing)}", todo="export model and classifier together"
            )
        self._condition, self._card, self._backend = condition, card, backend
        self._tracks: list[_Track] = []

    def estimate(self, crop: Image) -> Label:
        """How likely each attribute is, in [0, 1]; the default label without a classifier.

        The crop may have any size: it is resized to the classifier's.
        """
        if self._card is None or self._backend is None:
            return dict(zip(self._condition.names, self._condition.default, strict=True))
        hw = self._card.size.hw
        if crop.shape[:2] != hw:
            import cv2

            resized: Any = cv2.resize(crop, (hw[1], hw[0]), interpolation=cv2.INTER_AREA)
            crop = resized
        outputs = self._backend.run({self._card.inputs[0].name: preprocess(self._card, crop)})
        spec = self._card.outputs[0]
        values = outputs[spec.name].reshape(-1).astype(np.float64)[: len(self._card.condition.names)]
        if spec.value_range != (0.0, 1.0):  # logits: the card would say so of probabilities
            values = 1.0 / (1.0 + np.exp(-np.clip(values, -50.0, 50.0)))
        found = dict(zip(self._card.condition.names, values.tolist(), strict=True))
        return {name: found[name] for name in self._condition.names}

    def current(self, crop: Image) -> Label:
        """The labels of one crop, 0 or 1 each, with exactly one on in each exclusive group."""
        return decide(self._condition, self.estimate(crop))

    def follow(self, faces: Sequence[Face], crops: Sequence[Image]) -> list[Label]:
        """The labels of a frame's faces, 0 or 1 each, smoothed over the frames in which each was seen."""
        free = list(self._tracks)
        labels = []
        for face, crop in zip(faces, crops, strict=True):
            track = max(free, key=lambda t: overlap(t.box, face.box), default=None)
            if track is None or overlap(track.box, face.box) < _SAME_FACE:
                track = _Track(face.box)
                self._tracks.append(track)
            else:
                free.remove(track)
            if track.frames < _SETTLE or track.frames % _EVERY == 0:
                fresh = self.estimate(crop)
                # At first the plain mean of what was seen, then an exponential one.
                share = max(_NEW_SHARE, 1.0 / (track.frames + 1))
                track.label = {n: v + (1.0 - share) * (track.label.get(n, v) - v) for n, v in fresh.items()}
            track.box, track.frames, track.unseen = face.box, track.frames + 1, 0
            labels.append(decide(self._condition, track.label))
        for track in free:
            track.unseen += 1
        self._tracks = [t for t in self._tracks if t.unseen <= _FORGET]
        return labels

    def reset(self) -> None:
        """Forgets all faces."""
        self._tracks.clear()

    def close(self) -> None:
        """Frees the classifier."""
        if self._backend is not None:
            self._backend.close()


def decide(condition: Condition, likely: Mapping[str, float]) -> Label:
    """Rounds to 0 or 1; in each exclusive group the likeliest name is on and the others are off."""
    label = {name: float(likely[name] >= 0.5) for name in condition.names}
    for group in condition.groups:
        best = max(group, key=lambda name: likely[name])
        label.update({name: float(name == best) for name in group})
    return label


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-9)
