"""The road of one frame: frame -> faces -> labels -> crop -> tensor -> network -> crop -> frame.

`Pipeline.edit` is the whole of it; threads, queues, windows and statistics stand outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import align
from .backends import Backend
from .card import ModelCard, SizeRule
from .errors import CardError, InputError
from .faces import Face, FaceFinder
from .image import Image, as_bgr, image_spec, mirrored, postprocess, preprocess
from .labels import Label, Labels

STAGES = ("faces", "align", "labels", "preprocess", "network", "postprocess", "blend")
Recorder = Callable[[str, float], None]  # (stage, seconds)
_P = ParamSpec("_P")
_T = TypeVar("_T")
_Cut = tuple[Image, align.Matrix]


class Pipeline:
    """Edits frames with one loaded model. Not thread-safe; `Editor` adds the lock.

    Args:
        card: of the model.
        backend: the loaded model; the caller closes it.
        labels: tells what each face already is.
        finder: finds faces; None for models that take the whole frame.
        work_size: (height, width) of whole frames in the network; None follows each frame's shape.

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
    ) -> None:
        self.card, self.labels = card, labels
        self._backend, self._finder = backend, finder
        self._image = image_spec(card.inputs, f"input of {card.name}").name
        others = [spec for spec in card.inputs if spec.name != self._image]
        if len(others) > 1 or bool(others) != bool(card.condition.names):
            raise CardError(
                f"{card.name} takes {', '.join(s.name for s in card.inputs)}",
                "a picture, and one label vector if the card names attributes",
            )
        self._label = others[0] if others else None
        self._output = image_spec(card.outputs, f"output of {card.name}").name
        self.size = _size_rule(card, backend, self._image)
        self._work_size = work_size
        if work_size is not None:
            _check_work_size(work_size, self.size, faces=finder is not None)
        self._margin = card.alignment.margin if card.alignment is not None and finder is not None else 0.0

    def edit(self, frame_bgr: Image, changes: Mapping[str, float], *, record: Recorder | None = None) -> Image:
        """See `Editor.edit`."""
        timed = _Stopwatch(record)
        frame = as_bgr(frame_bgr)
        self.card.condition.apply({}, changes)  # an unknown name is an error in every frame, faces or not
        out = frame.copy()
        faces = timed("faces", self._faces, frame)
        cuts = timed("align", self._cut, frame, faces)
        labels = timed("labels", self._labels, faces, cuts)
        for (crop, matrix), label in zip(cuts, labels, strict=True):
            edited = crop
            for vector in self.card.condition.vectors(label, changes):  # one, but for jointly trained models
                tensors = timed("preprocess", self._inputs, edited, vector)
                tensor = timed("network", self._run, tensors)
                edited = timed("postprocess", postprocess, self.card, tensor)
            timed("blend", align.blend, out, crop, edited, matrix, self._margin)
        timed.report()
        return out

    def translate(self, crop: Image, label: Mapping[str, float], changes: Mapping[str, float]) -> Image:
        """One crop, whose own labels are `label`, through the network; see `Editor.translate`."""
        height, width = crop.shape[:2]
        fitting = self.size.fitting((height, width))
        self.size.check(fitting)
        edited = mirrored(crop, fitting)
        for vector in self.card.condition.vectors(label, changes):
            edited = postprocess(self.card, self._run(self._inputs(edited, vector)))
        return edited[:height, :width].copy()

    def _faces(self, frame: Image) -> list[Face]:
        return self._finder.find(frame) if self._finder is not None else []

    def _cut(self, frame: Image, faces: Sequence[Face]) -> list[_Cut]:
        if self._finder is None:
            hw = self._work_size or align.work_size((frame.shape[0], frame.shape[1]), self.size)
            return [align.whole(frame, hw)]
        return [align.crop(frame, face, self.card) for face in faces]

    def _labels(self, faces: Sequence[Face], cuts: Sequence[_Cut]) -> list[Label]:
        if not self.card.condition.names:
            return [{} for _ in cuts]
        if self._finder is None:
            return [self.labels.current(crop) for crop, _ in cuts]
        return self.labels.follow(faces, [crop for crop, _ in cuts])

    def _inputs(self, crop: Image, vector: Sequence[float]) -> dict[str, NDArray[Any]]:
        inputs = {self._image: preprocess(self.card, crop)}
        if self._label is not None:
            inputs[self._label.name] = np.array([vector], dtype=self._label.dtype)
        return inputs

    def _run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        return self._backend.run(inputs)[self._output]


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


def _check_work_size(hw: tuple[int, int], rule: SizeRule, *, faces: bool) -> None:
    asked = f"a work size of {hw[0]}x{hw[1]} (height x width) was asked for"
    if faces:
        raise InputError(asked, "a work size is for models of whole frames; this one edits faces")
    try:
        rule.check(hw)
    except InputError as error:
        todo = f"export it at that size: edgegan export RUN --size {hw[0]}x{hw[1]}" if rule.kind == "fixed" else ""
        raise InputError(asked, error.expected, todo) from None


class _Stopwatch:
    """Calls a function and adds its time to a stage; tells `record` at the end of the frame."""

    def __init__(self, record: Recorder | None) -> None:
        self._record = record
        self._seconds = dict.fromkeys(STAGES, 0.0)

    def __call__(self, stage: str, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            self._seconds[stage] += time.perf_counter() - start

    def report(self) -> None:
        if self._record is not None:
            for stage, seconds in self._seconds.items():
                self._record(stage, seconds)
