"""The road of one frame: frame -> faces -> crops -> labels -> tensors -> network -> crops -> frame.

`Pipeline.edit` is the whole of it; threads, queues, windows and statistics stand outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any, ParamSpec, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from . import align, blending
from .backends import Backend
from .card import ModelCard, SizeRule
from .errors import CardError, InputError
from .faces import FaceFinder
from .image import Image, Order, as_bgr, check_out, given_back, image_spec, mirrored, postprocess, preprocess
from .labels import Label, Labels
from .lookout import Lookout
from .tracking import Sighting, Track, Tracker, Which, choose

STAGES = ("faces", "track", "align", "labels", "preprocess", "network", "postprocess", "blend")
Recorder = Callable[[str, float], None]  # (stage, seconds)
_P = ParamSpec("_P")
_T = TypeVar("_T")
_Cut = tuple[Image, align.Matrix]


class FaceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the faces of a video are found, chosen and put back.

    which: "all", "largest", the N largest, or the one nearest to a place (x, y) in pixels of the frame.
    smooth: filter the landmarks over time; else each detection is taken as it is.
    beside: search in a thread beside the network, on the newest frame, for live streams. What comes out then
        depends on the machine's pace. Else every frame is searched, and the same frames give the same pictures.
    colour_match: give the edit the colours of the frame around it; see `blending.match_colours`.
    guard: drop slight changes, which no edit means; see `blending.guarded`.
    """

    which: Which = "all"
    smooth: bool = True
    beside: bool = False
    colour_match: bool = False
    guard: bool = False


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
        self._margin = card.alignment.margin if card.alignment is not None else 0.0
        self._options = faces or FaceOptions()
        self.tracker = Tracker(self._options.which, smooth=self._options.smooth)
        self._lookout = Lookout(finder) if finder is not None and self._options.beside else None

    def edit(
        self,
        frame_bgr: Image,
        changes: Mapping[str, float],
        *,
        timestamp: float | None = None,
        colour: Order = "bgr",
        out: Image | None = None,
        record: Recorder | None = None,
    ) -> Image:
        """See `Editor.edit`."""
        timed = _Stopwatch(record)
        frame = as_bgr(frame_bgr, colour)
        self.card.condition.apply({}, changes)  # an unknown name is an error in every frame, faces or not
        canvas = _canvas(frame, colour, out)
        sightings = timed("faces", self._search, frame, timestamp, timed)
        tracks = timed("track", self._follow, frame, timestamp, sightings)
        cuts = timed("align", self._cut, frame, tracks)
        labels = timed("labels", self._labels, tracks, cuts)
        edited = self._edited([crop for crop, _ in cuts], labels, changes, timed)
        timed("blend", self._blend, canvas, tracks, cuts, edited)
        timed.report()
        return given_back(canvas, colour, out)

    def edit_batch(
        self,
        frames: Sequence[Image],
        changes: Mapping[str, float],
        *,
        colour: Order = "bgr",
        record: Recorder | None = None,
    ) -> list[Image]:
        """See `Editor.edit_batch`: the road of `edit`, with the crops of all frames in the same calls."""
        timed = _Stopwatch(record)
        given = [as_bgr(frame, colour) for frame in frames]
        self.card.condition.apply({}, changes)
        tracks = [self._follow(f, None, timed("faces", self._search, f, None, timed)) for f in given]
        cuts = [timed("align", self._cut, frame, seen) for frame, seen in zip(given, tracks, strict=True)]
        labels = [timed("labels", self._labels, seen, cut) for seen, cut in zip(tracks, cuts, strict=True)]
        edited = iter(self._edited([c for cut in cuts for c, _ in cut], sum(labels, []), changes, timed))
        outs = [frame.copy() for frame in given]
        for out, seen, cut in zip(outs, tracks, cuts, strict=True):
            timed("blend", self._blend, out, seen, cut, list(islice(edited, len(cut))))
        timed.report()
        return [given_back(out, colour, None) for out in outs]

    def translate(
        self,
        crop: Image,
        label: Mapping[str, float],
        changes: Mapping[str, float],
        *,
        record: Recorder | None = None,
    ) -> Image:
        """One crop, whose own labels are `label`, through the network; see `Editor.translate`."""
        height, width = crop.shape[:2]
        fitting = self.size.fitting((height, width))
        self.size.check(fitting)
        timed = _Stopwatch(record)
        (edited,) = self._edited([mirrored(crop, fitting)], [label], changes, timed)
        timed.report()
        return edited[:height, :width].copy()

    def another(self) -> Pipeline:
        """A pipeline for another video: the same loaded models and options, with faces of its own."""
        finder = FaceFinder() if self._finder is not None else None
        return Pipeline(self.card, self._backend, self.labels, finder, work_size=self._work_size, faces=self._options)

    def reset(self) -> None:
        """Forgets the faces seen so far."""
        self.tracker.reset()
        if self._lookout is not None:
            self._lookout.reset()

    def close(self) -> None:
        """Ends the thread that searches."""
        if self._lookout is not None:
            self._lookout.close()

    def _search(self, frame: Image, timestamp: float | None, timed: _Stopwatch) -> list[Sighting]:
        if self._finder is None:
            return []
        if self._lookout is None or timestamp is None:
            return [Sighting(timestamp or 0.0, self._finder.find(frame))]
        found = self._lookout.look(frame, timestamp)
        for sighting in found:
            timed.add("faces", sighting.seconds)
        return found

    def _follow(self, frame: Image, timestamp: float | None, sightings: Sequence[Sighting]) -> list[Track]:
        if self._finder is None:
            return []
        if timestamp is None:
            tracks = [Track(number, face) for number, face in enumerate(sightings[0].faces, start=1)]
            return choose(tracks, self.tracker.which)
        return self.tracker.follow(frame, timestamp, sightings)

    def _cut(self, frame: Image, tracks: Sequence[Track]) -> list[_Cut]:
        if self._finder is None:
            hw = self._work_size or align.work_size((frame.shape[0], frame.shape[1]), self.size)
            return [align.whole(frame, hw)]
        return [align.crop(frame, track.face, self.card) for track in tracks]

    def _labels(self, tracks: Sequence[Track], cuts: Sequence[_Cut]) -> list[Label]:
        if not self.card.condition.names:
            return [{} for _ in cuts]
        if self._finder is None:
            return [self.labels.current(crop) for crop, _ in cuts]
        return [self.labels.follow(t.memory, crop) for t, (crop, _) in zip(tracks, cuts, strict=True)]

    def _edited(
        self,
        crops: Sequence[Image],
        labels: Sequence[Mapping[str, float]],
        changes: Mapping[str, float],
        timed: _Stopwatch,
    ) -> list[Image]:
        """The crops after the network: as many of one shape at a time as the card allows."""
        vectors = [self.card.condition.vectors(label, changes) for label in labels]
        edited: list[Image] = []
        while len(edited) < len(crops):
            group = _alike(crops[len(edited) :], self.card.batch[1])
            for passed in zip(
                *vectors[len(edited) : len(edited) + len(group)], strict=True
            ):  # one, but for jointly trained models
                tensors = timed("preprocess", self._inputs, group, passed)
                tensor = timed("network", self._run, tensors)
                group = timed("postprocess", self._pictures, tensor)
            edited += group
        return edited

    def _inputs(self, crops: Sequence[Image], vectors: Sequence[Sequence[float]]) -> dict[str, NDArray[Any]]:
        pictures = [preprocess(self.card, crop) for crop in crops]
        inputs = {self._image: pictures[0] if len(pictures) == 1 else np.concatenate(pictures)}
        if self._label is not None:
            inputs[self._label.name] = np.array(vectors, dtype=self._label.dtype)
        return inputs

    def _run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        return self._backend.run(inputs)[self._output]

    def _pictures(self, tensor: NDArray[Any]) -> list[Image]:
        return [postprocess(self.card, tensor[i : i + 1]) for i in range(tensor.shape[0])]

    def _blend(self, out: Image, tracks: Sequence[Track], cuts: Sequence[_Cut], edited: Sequence[Image]) -> None:
        if self._finder is None:
            for (crop, matrix), after in zip(cuts, edited, strict=True):
                blending.blend(out, crop, after, matrix, None)
            return
        for track, (crop, matrix), after in zip(tracks, cuts, edited, strict=True):
            hw = (crop.shape[0], crop.shape[1])
            mask = blending.face_feather(hw, self._margin, track.face, matrix)
            if self._options.colour_match:
                after = blending.match_colours(crop, after, mask)
            if self._options.guard:
                mask = mask * blending.guarded(crop, after)
            blending.blend(out, crop, after, matrix, mask * np.float32(track.strength))


def _alike(crops: Sequence[Image], most: int) -> list[Image]:
    """The first crops, up to `most`, that have one shape."""
    return list(takewhile(lambda crop: crop.shape == crops[0].shape, crops[:most]))


def _canvas(frame: Image, colour: Order, out: Image | None) -> Image:
    """A copy of `frame` to paint on: the caller's own buffer where that can be."""
    if out is not None:
        check_out(out, (frame.shape[0], frame.shape[1]))
        if colour == "bgr":
            np.copyto(out, frame)
            return out
    return frame.copy()


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

    def add(self, stage: str, seconds: float) -> None:
        """Time that another thread spent on a stage."""
        self._seconds[stage] += seconds

    def report(self) -> None:
        if self._record is not None:
            for stage, seconds in self._seconds.items():
                self._record(stage, seconds)
