"""What a face already is: labels estimated by the model's companion classifier, steady over a video.

A generator takes the whole target vector, and a face from a camera brings none. The target is what the
classifier finds, with only the user's changes on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend
from ..errors import CardError
from ..model.card import ModelCard
from ..model.condition import Condition
from ..model.image import Image, preprocess

Label = dict[str, float]

_NEW_SHARE = 0.25  # of a fresh estimate in the smoothed label
# A new face is estimated in its first 8 frames, then in every 25th while nothing changes, and else in every fifth.
_SETTLE, _EVERY, _SOON = 8, 25, 5
_SKETCH = 16  # pixels along each side of the picture by which a person is known again
_SOMEONE_ELSE = 25.0  # mean change of grey levels between two crops of different people


@dataclass
class Memory:
    """What is known of one face: its smoothed label, from how many frames, the frame in which it is next estimated, and
    what it looked like in the last."""

    label: Label = field(default_factory=dict)
    frames: int = 0
    due: int = 0
    sketch: NDArray[np.float32] | None = None


class Labels:
    """Estimates labels. What is known of each face over time lies in its `Memory`, the caller's. Not thread-safe.

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

    @property
    def looks(self) -> bool:
        """Whether labels follow from pictures; else each is the condition's default."""
        return self._backend is not None

    @property
    def default(self) -> Label:
        """The condition's default label."""
        return dict(zip(self._condition.names, self._condition.default, strict=True))

    def estimate(self, crop: Image) -> Label:
        """How likely each attribute is, in [0, 1]; the default label without a classifier.

        The crop may have any size: it is resized to the classifier's.
        """
        if self._card is None or self._backend is None:
            return self.default
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

    def follow(self, memory: Memory, crop: Image) -> Label:
        """The labels of a face, 0 or 1 each, smoothed over the frames in which it was seen.

        A crop that looks quite different from the last one shows another person, with labels of their own.
        """
        sketch = _sketch(crop)
        if memory.sketch is not None and np.abs(sketch - memory.sketch).mean() > _SOMEONE_ELSE:
            memory.label, memory.frames, memory.due = {}, 0, 0
        if memory.frames >= memory.due:
            fresh = self.estimate(crop)
            # At first the plain mean of what was seen, then an exponential one.
            share = max(_NEW_SHARE, 1.0 / (memory.frames + 1))
            memory.label = {n: v + (1.0 - share) * (memory.label.get(n, v) - v) for n, v in fresh.items()}
            settled = decide(self._condition, fresh) == decide(self._condition, memory.label)
            memory.due = memory.frames + (1 if memory.frames < _SETTLE else _EVERY if settled else _SOON)
        memory.frames, memory.sketch = memory.frames + 1, sketch
        return decide(self._condition, memory.label)

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


def _sketch(crop: Image) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize(crop, (_SKETCH, _SKETCH), interpolation=cv2.INTER_AREA)
    sketch: NDArray[np.float32] = small.astype(np.float32)
    return sketch
