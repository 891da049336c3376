"""The object other programs embed: pictures in, edited pictures out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from . import artefact as artefacts
from .artefact import Artefact
from .backends import Backend, Selection, open_backend, takes
from .card import ModelCard
from .errors import InputError
from .faces import FaceFinder
from .image import Image, as_bgr
from .labels import Labels
from .pipeline import Pipeline, Recorder


class Editor:
    """Edits whole frames or single crops with one model, on one backend.

    Thread-safety: every method may be called from any thread; calls take turns on one lock. Frames of one
    video should come in order, since a face's labels are smoothed over the frames it is seen in. Arrays given
    are never changed and arrays returned belong to the caller.
    """

    def __init__(self, pipeline: Pipeline, backend: Backend, *, notices: tuple[str, ...] = ()) -> None:
        self._pipeline, self._backend = pipeline, backend
        self._lock = threading.Lock()
        self._closed = False
        self.notices = notices

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        backend: str = "auto",
        device: str = "auto",
        allow_fallback: bool = False,
        threads: int | None = None,
    ) -> Editor:
        """Opens a model file, an export folder or a run folder; None means the model that edgegan ships.

        Args:
            path: `model.onnx`, an OpenVINO `.xml`, a TensorRT `.engine`, or a folder that holds `model.onnx`.
            backend: "auto", or one of `edgegan.runtime.backends.BACKENDS`.
            device: "auto", "cpu", "cuda", "cuda:1", "gpu" or "npu" (the last two through OpenVINO).
            allow_fallback: take another backend or device, with a notice, when the wanted one is not there.
            threads: CPU threads of the network; None leaves it to the backend.

        Raises:
            InputError: no such file, not a model, or a model that edits no pictures.
            CardError: the card is missing, or disagrees with the model.
            BackendError: the backend or device is not there, or failed verification.
        """
        model = artefacts.load(artefacts.shipped() if path is None else path)
        if model.card.task != "translate":
            raise InputError(
                f"{model.path} is a '{model.card.task}' model",
                "an editor needs a model that turns pictures into pictures",
            )
        opened: list[Backend] = []
        try:
            opened.append(
                open_backend(model, backend=backend, device=device, allow_fallback=allow_fallback, threads=threads)
            )
            labels, notices = _labels(model, backend, threads, opened)
            pipeline = Pipeline(model.card, opened[0], labels, FaceFinder() if model.card.faces else None)
        except BaseException:
            for each in opened:
                each.close()
            raise
        return cls(pipeline, opened[0], notices=(*opened[0].selection.notices, *notices))

    @property
    def card(self) -> ModelCard:
        """The card of the model in use."""
        return self._pipeline.card

    @property
    def selection(self) -> Selection:
        """Which backend and device run the model, why, and why not the others."""
        return self._backend.selection

    def edit(self, frame_bgr: Image, changes: Mapping[str, float], *, record: Recorder | None = None) -> Image:
        """The frame with every face edited (or the whole frame, for models that know no faces).

        Args:
            frame_bgr: (H, W, 3) uint8, BGR, of any size. A grey or BGRA picture is converted.
            changes: what to change, by the card's condition names: 1 turns on, 0 turns off, between is partial.
                What is not named stays as the classifier finds it on each face.
            record: called with (stage, seconds) for each of `pipeline.STAGES`, once a frame.

        Returns:
            A new (H, W, 3) uint8 array, BGR. A frame in which no face is found comes back unchanged.
        """
        with self._lock:
            self._check_open()
            return self._pipeline.edit(frame_bgr, changes, record=record)

    def translate(
        self, crop_bgr: Image, changes: Mapping[str, float], label: Mapping[str, float] | None = None
    ) -> Image:
        """One crop through the network: no face search, no blending.

        Args:
            crop_bgr: (H, W, 3) uint8, BGR, of a size that `card.size` allows; InputError otherwise.
            changes: as in `edit`.
            label: the crop's own labels, where they are known; None estimates them.
        """
        with self._lock:
            self._check_open()
            crop = as_bgr(crop_bgr)
            known = self._pipeline.labels.current(crop) if label is None else label
            return self._pipeline.translate(crop, self.card.condition.apply(known, changes))

    def estimate(self, crop_bgr: Image) -> dict[str, float]:
        """How likely each attribute is on this crop, in [0, 1]; the card's default label without a classifier."""
        with self._lock:
            self._check_open()
            return self._pipeline.labels.estimate(as_bgr(crop_bgr))

    def reset(self) -> None:
        """Forgets the faces seen so far: call it between two videos."""
        with self._lock:
            self._pipeline.labels.reset()

    def close(self) -> None:
        """Frees the models; a second call does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._pipeline.labels.close()
                self._backend.close()

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise InputError("this editor is closed", todo="open a new one with Editor.open")


def _labels(
    model: Artefact, backend: str, threads: int | None, opened: list[Backend]
) -> tuple[Labels, tuple[str, ...]]:
    """The label estimator of `model`; its backend is added to `opened`, so that the caller can free it."""
    condition = model.card.condition
    if not condition.names:
        return Labels(condition), ()
    companion = model.companion("classifier")
    if companion is None:
        on = [n for n, value in zip(condition.names, condition.default, strict=True) if value > 0.5]
        notice = (
            "no classifier lies beside the model: every face is taken for "
            f"{', '.join(on) or 'one with no attribute on'}, and what you do not set may change too"
        )
        return Labels(condition), (notice,)
    wanted = backend if backend != "auto" and takes(backend, companion.path) else "auto"
    opened.append(open_backend(companion, backend=wanted, device="auto", allow_fallback=True, threads=threads))
    return Labels(condition, companion.card, opened[-1]), ()
