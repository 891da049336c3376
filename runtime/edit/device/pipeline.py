"""One frame's way through an edit on a GPU: what `edit/pipeline.py` does, with pixels that stay where they are.

To the host go a reduced copy, in which faces are searched, and the crops, by which labels are estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from ...backends import Backend, OnDevice
from ...backends.device import gpu_number
from ...checks import check_finite
from ...errors import BackendError, InputError
from ...faces import Face
from ...faces.finder import FaceFinder
from ...faces.options import FaceOptions, Which
from ...faces.tracking import Track
from ...metrics.tally import Record, Stopwatch
from ...model.card import ModelCard, TensorSpec
from ...model.image import Order
from .. import align
from ..labels import Label, Labels
from ..network import Network, name_ports
from ..regions import check_work_size
from .filters import filters_for
from .geometry import window_of_change, window_of_crop
from .graphs import Graphs
from .memory import Block, Frame, Memory
from .search import Search, as_host_bgr, window_of_search
from .steps import Cut, Look, tell_cut, tell_paste


class _Part(NamedTuple):
    """A part of a frame that is edited. `track` is its face where it is followed."""

    cut: Cut
    strength: float = 1.0
    track: Track | None = None


class DevicePipeline:
    """Edits frames on the GPU that the network runs on. Not thread-safe; `DeviceEditor` adds the lock.

    The arguments, and what it raises, are those of `Pipeline`.
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
        image, self._label_spec, edited = name_ports(card)
        self._image, self._edited = card.input(image), card.output(edited)
        options = faces or FaceOptions()
        margin = card.alignment.margin if card.alignment is not None else 0.0
        self.card, self.labels = card, labels
        self._look = Look(margin, options.guard, options.colour_match) if finder is not None else Look()
        self._backend, self._size, self._work_size = backend, Network(card, backend).size, work_size
        if work_size is not None:
            check_work_size(work_size, self._size, faces=finder is not None)
        self._search = Search(labels, finder, options) if finder is not None else None
        self._memory: Memory | None = None
        self._graphs: Graphs | None = None

    def edit(
        self,
        picture: Any,
        out: Any,
        changes: Mapping[str, float],
        *,
        places: Sequence[Face] | None,
        timestamp: float | None,
        order: Order,
        record: Record | None,
    ) -> None:
        """See `DeviceEditor.edit`."""
        timed = Stopwatch(record)
        if order not in ("bgr", "rgb"):
            raise InputError(f"the colour order is '{order}'", "'bgr' as in OpenCV, or 'rgb' as in Pillow")
        if timestamp is not None:
            timestamp = check_finite(timestamp, "the timestamp", "seconds from any beginning, or None")
        self.card.condition.apply({}, changes)  # an unknown name is an error in every frame, faces or not
        memory, graphs = self._start()
        frame, to = memory.read_frames(picture, out)
        parts = self._find(frame, places, timestamp, order, timed)
        made: list[tuple[Block, Block]] = []  # of each part the crop, and what the network made of it
        if changes or not self.card.condition.names:
            crops, pictures = timed("align", self._cut, frame, parts, order)
            labels = timed("labels", self._label, parts, crops, order)
            answers = timed("network", self._run, pictures, labels, changes)
            made = [] if answers is None else [(crop, answers.part(i, 1)) for i, crop in enumerate(crops)]
        memory.copy(frame, to)
        timed("blend", self._paste, to, parts, made, order)
        timed.report()

    def choose(self, which: Which) -> None:
        """See `Editor.choose`; a model of whole frames has nothing to choose."""
        if self._search is not None:
            self._search.choose(which)

    def reset(self) -> None:
        """Forgets the faces seen so far."""
        if self._search is not None:
            self._search.reset()

    def close(self) -> None:
        """Frees what is on the GPU but for the network, and ends the thread that searches."""
        if self._search is not None:
            self._search.close()
        if self._graphs is not None:
            self._graphs.close()
        if self._memory is not None:
            self._memory.close()
        self._graphs = self._memory = None

    def _start(self) -> tuple[Memory, Graphs]:
        """Memory and graphs are there from the first frame on: the network alone needs neither."""
        device = self._backend.device
        if self._memory is None:
            self._memory = Memory(gpu_number(device))
        if self._graphs is None:
            self._graphs = Graphs(device, self._image, self._edited, self._look)
        return self._memory, self._graphs

    def _find(
        self, frame: Frame, places: Sequence[Face] | None, timestamp: float | None, order: Order, timed: Stopwatch
    ) -> list[_Part]:
        if self._search is None:
            if places is not None:
                raise InputError(
                    "places of faces were given", "a model of faces", f"{self.card.name} edits whole frames"
                )
            hw = self._work_size or align.work_size(frame.hw, self._size)
            return [_Part(Cut(align.whole_matrix(frame.hw, hw), hw, None))]
        if places is not None:
            return [_Part(self._cut_of(face)) for face in places]
        small, factor = timed("faces", self._reduce, frame)
        found = self._search.find(as_host_bgr(small, order), factor, timestamp, timed)
        return [_Part(self._cut_of(face), track.strength, track) for track, face in found]

    def _cut_of(self, face: Face) -> Cut:
        return Cut(align.crop_matrix(face, self.card), self.card.size.hw, face)

    def _reduce(self, frame: Frame) -> tuple[Any, int]:
        """The reduced copy, on the host, and by how much it is smaller."""
        memory, graphs = self._start()
        window = window_of_search(frame.hw)
        small = memory.block("small", (window.rows, window.columns, 3), "uint8", host=True)
        graphs.run("reduce", {"part": frame.blocks(window)}, {"small": small})
        return memory.to_host([small])[0], window.side

    def _cut(self, frame: Frame, parts: Sequence[_Part], order: Order) -> tuple[list[Block], Block | None]:
        """The crop of each part, and all of them as the network takes them."""
        memory, graphs = self._start()
        if not parts:
            return [], None
        hw = parts[0].cut.hw
        pictures = memory.block("pictures", _batch(self._image, len(parts), hw), self._image.dtype)
        crops = []
        for index, part in enumerate(parts):
            crop = memory.block(f"crop {index}", (*hw, 3), "uint8", host=True)
            window = window_of_crop(part.cut.matrix, hw, frame.hw)
            told = tell_cut(part.cut, window, self._image, order)
            answers = {"crop": crop, "picture": pictures.part(index, 1)}
            graphs.run("cut", {"part": frame.blocks(window), **told}, answers)
            crops.append(crop)
        return crops, pictures

    def _label(self, parts: Sequence[_Part], crops: Sequence[Block], order: Order) -> list[Label]:
        """What each part already shows; a face that was given with its place is estimated anew."""
        memory, _ = self._start()
        if not self.labels.looks:
            return [self.labels.default for _ in parts]
        pictures = [as_host_bgr(crop, order) for crop in memory.to_host(crops)]
        tracks = [part.track for part in parts if part.track is not None]
        if self._search is not None and len(tracks) == len(parts):
            return self._search.label(tracks, pictures)
        return [self.labels.current(picture) for picture in pictures]

    def _run(self, pictures: Block | None, labels: Sequence[Label], changes: Mapping[str, float]) -> Block | None:
        """What the network makes of all pictures, as many at a time as it takes; None where it does not run."""
        vectors = [self.card.condition.vectors(label, changes) for label in labels]
        if pictures is None or not any(vectors):
            return None
        memory, _ = self._start()
        shape = _batch(self._edited, len(labels), _size(self._image, pictures.shape))
        answers = memory.block("answers", shape, self._edited.dtype)
        waiting, done = iter(vectors), 0
        while group := list(islice(waiting, self.card.batch[1])):
            given, found = pictures.part(done, len(group)), answers.part(done, len(group))
            for passed in zip(*group, strict=True):
                self.run_network(given, found, passed, None)
                given = found
            done += len(group)
        return answers

    def run_network(self, picture: Any, out: Any, vectors: Sequence[Sequence[float]], stream: int | None) -> None:
        """One pass of the network over a batch, with a condition vector for each picture."""
        assert isinstance(self._backend, OnDevice)
        given = {self._image.name: picture}
        if self._label_spec is not None:
            given[self._label_spec.name] = np.array(vectors, dtype=self._label_spec.dtype)
        self._backend.run_on_device(given, {self._edited.name: out}, stream=stream)

    def _paste(self, to: Frame, parts: Sequence[_Part], made: Sequence[tuple[Block, Block]], order: Order) -> None:
        """Raises BackendError where the network gave values that are no numbers; what `to` holds is then undefined."""
        memory, graphs = self._start()
        totals = []
        for index, (part, (crop, answer)) in enumerate(zip(parts, made, strict=False)):
            window = window_of_change(part.cut.matrix, part.cut.hw, to.hw)
            if window is None:
                continue
            told = tell_paste(part.cut, window, self._edited, order, self._look, part.strength)
            filters = {name: memory.constant(name, each) for name, each in filters_for(part.cut.hw).items()}
            total = memory.block(f"total {index}", (1, 1, 1, 1), "float32", host=True)
            pixels = {"part": to.part(window), "crop": crop, "picture": answer}
            graphs.run("paste", {**pixels, **told, **filters}, {"blended": to.part(window), "total": total})
            totals.append(total)
        if not all(np.isfinite(total).all() for total in memory.to_host(totals)):
            raise BackendError(
                f"{self.card.name} gave values that are not numbers (NaN or infinite)",
                todo="try another backend, or the fp32 model",
            )


def _batch(spec: TensorSpec, count: int, hw: tuple[int, int]) -> tuple[int, ...]:
    channels = 1 if spec.colour == "GRAY" else 3
    return (count, channels, *hw) if spec.layout == "NCHW" else (count, *hw, channels)


def _size(spec: TensorSpec, shape: tuple[int, ...]) -> tuple[int, int]:
    height, width = shape[2:] if spec.layout == "NCHW" else shape[1:3]
    return height, width
