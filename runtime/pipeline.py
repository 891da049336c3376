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
from .card import ModelCard
from .errors import CardError
from .faces import Face, FaceFinder
from .image import Image, as_bgr, image_spec, postprocess, preprocess
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
    """

    def __init__(self, card: ModelCard, backend: Backend, labels: Labels, finder: FaceFinder | None) -> None:
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
            target = self.card.condition.apply(label, changes)
            tensors = timed("preprocess", self._inputs, crop, target)
            tensor = timed("network", self._run, tensors)
            edited = timed("postprocess", postprocess, self.card, tensor)
            timed("blend", align.blend, out, crop, edited, matrix, self._margin)
        timed.report()
        return out

    def translate(self, crop: Image, target: Mapping[str, float]) -> Image:
        """One crop through the network, with the whole target label."""
        return postprocess(self.card, self._run(self._inputs(crop, target)))

    def _faces(self, frame: Image) -> list[Face]:
        return self._finder.find(frame) if self._finder is not None else []

    def _cut(self, frame: Image, faces: Sequence[Face]) -> list[_Cut]:
        if self._finder is None:
            return [align.whole(frame, self.card)]
        return [align.crop(frame, face, self.card) for face in faces]

    def _labels(self, faces: Sequence[Face], cuts: Sequence[_Cut]) -> list[Label]:
        if not self.card.condition.names:
            return [{} for _ in cuts]
        if self._finder is None:
            return [self.labels.current(crop) for crop, _ in cuts]
        return self.labels.follow(faces, [crop for crop, _ in cuts])

    def _inputs(self, crop: Image, target: Mapping[str, float]) -> dict[str, NDArray[Any]]:
        inputs = {self._image: preprocess(self.card, crop)}
        if self._label is not None:
            inputs[self._label.name] = np.array([self.card.condition.vector(target)], dtype=self._label.dtype)
        return inputs

    def _run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        return self._backend.run(inputs)[self._output]


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
