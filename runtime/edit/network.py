"""The model's part of an edit: crops and labels in, edited crops out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend, Pending, begin
from ..errors import CardError
from ..metrics.tally import Stopwatch
from ..model.card import ModelCard, SizeRule, TensorSpec
from ..model.image import Image, image_spec, postprocess, preprocess

_IN_FLIGHT = 2  # groups of crops


class Network:
    """A loaded model that edits crops. It keeps nothing between calls; as thread-safe as its backend.

    Args:
        card: of the model.
        backend: the loaded model; the caller closes it.

    Raises:
        CardError: the model takes something else than a picture and a label.
    """

    def __init__(self, card: ModelCard, backend: Backend) -> None:
        self.card = card
        self._backend = backend
        self._image, self._label, self._output = name_ports(card)
        self.size = _size_rule(card, backend, self._image)

    def edit(
        self,
        crops: Sequence[Image],
        labels: Sequence[Mapping[str, float]],
        changes: Mapping[str, float],
        timed: Stopwatch,
    ) -> list[Image]:
        """Returns the crops, (h, w, 3) uint8 each, with the changes: as many of one shape at a time as the card allows.

        Args:
            crops: of sizes that `size` allows.
            labels: what each crop already is.
            changes: as in `Editor.edit`; the model runs as often as `Condition.vectors` says.
            timed: takes the times of "preprocess", "network" and "postprocess".
        """
        vectors = [self.card.condition.vectors(label, changes) for label in labels]
        if not any(vectors):  # for no change, some models do not run
            return list(crops)
        edited: list[Image] = []
        begun: deque[Pending] = deque()
        done = 0
        while done < len(crops):
            group = _take_alike(crops[done:], self.card.batch[1])
            *before, last = zip(*vectors[done : done + len(group)], strict=True)
            for passed in before:
                tensors = timed("preprocess", self._inputs, group, passed)
                group = self._end(timed("network", self.begin, tensors), timed)
            tensors = timed("preprocess", self._inputs, group, last)
            begun.append(timed("network", self.begin, tensors))
            done += len(group)
            if len(begun) == _IN_FLIGHT:  # a GPU works on one while the next is made ready here
                edited += self._end(begun.popleft(), timed)
        for pending in begun:
            edited += self._end(pending, timed)
        return edited

    def begin(self, inputs: Mapping[str, NDArray[Any]]) -> Pending:
        """Begins a run of the model on its input tensors."""
        return begin(self._backend, inputs)

    def _end(self, pending: Pending, timed: Stopwatch) -> list[Image]:
        tensor = timed("network", pending.result)[self._output]
        return timed("postprocess", self._pictures, tensor)

    def _inputs(self, crops: Sequence[Image], vectors: Sequence[Sequence[float]]) -> dict[str, NDArray[Any]]:
        pictures = [preprocess(self.card, crop) for crop in crops]
        inputs = {self._image: pictures[0] if len(pictures) == 1 else np.concatenate(pictures)}
        if self._label is not None:
            inputs[self._label.name] = np.array(vectors, dtype=self._label.dtype)
        return inputs

    def _pictures(self, tensor: NDArray[Any]) -> list[Image]:
        return [postprocess(self.card, tensor[i : i + 1]) for i in range(tensor.shape[0])]


def _take_alike(crops: Sequence[Image], most: int) -> list[Image]:
    """The first crops, up to `most`, that have one shape."""
    return list(takewhile(lambda crop: crop.shape == crops[0].shape, crops[:most]))


def name_ports(card: ModelCard) -> tuple[str, TensorSpec | None, str]:
    """The picture that goes in, the label vector where there is one, and the picture that comes out.

    Raises CardError: the model takes something else than a picture and a label.
    """
    image = image_spec(card.inputs, f"input of {card.name}").name
    others = [spec for spec in card.inputs if spec.name != image]
    if len(others) > 1 or bool(others) != bool(card.condition.names):
        raise CardError(
            f"{card.name} takes {', '.join(s.name for s in card.inputs)}",
            "a picture, and one label vector if the card names attributes",
        )
    return image, others[0] if others else None, image_spec(card.outputs, f"output of {card.name}").name


def _size_rule(card: ModelCard, backend: Backend, image: str) -> SizeRule:
    """Which sizes the loaded network takes: the card's rule, but a network with fixed axes has the last word.

    A family's network may take any multiple where its exported file, or an engine built from it, takes one size.
    """
    axes = slice(2, 4) if card.input(image).layout == "NCHW" else slice(1, 3)
    for port in backend.inputs:
        height, width = port.shape[axes] if port.name == image else (None, None)
        if height is not None and width is not None and card.size.kind != "fixed":
            return SizeRule(hw=(height, width))
    return card.size
