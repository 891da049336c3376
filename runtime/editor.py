"""The object other programs embed: pictures in, edited pictures out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import artefact as artefacts
from .artefact import Artefact
from .backends import Backend, open_backend
from .faces import FaceFinder
from .image import Image, as_bgr
from .labels import Labels
from .pipeline import Pipeline, Recorder
from .session import Session, load_for, open_companion


class Editor(Session):
    """Edits whole frames or single crops with one model, on one backend.

    Thread-safety: every method may be called from any thread; calls take turns on one lock. Frames of one
    video should come in order, since a face's labels are smoothed over the frames it is seen in. Arrays given
    are never changed and arrays returned belong to the caller.
    """

    def __init__(self, pipeline: Pipeline, backend: Backend, *, notices: tuple[str, ...] = ()) -> None:
        super().__init__(pipeline.card, backend, notices)
        self._pipeline = pipeline

    @classmethod
    def open(
        cls,
        path: str | Path | Artefact | None = None,
        *,
        backend: str = "auto",
        device: str = "auto",
        allow_fallback: bool = False,
        threads: int | None = None,
        work_size: tuple[int, int] | None = None,
    ) -> Editor:
        """Opens a model file, an export folder or a run folder; None means the model that edgegan ships.

        Args:
            path: `model.onnx`, an OpenVINO `.xml`, a TensorRT `.engine`, a folder that holds `model.onnx`, or what
                `artefact.load` made of one.
            backend: "auto", or one of `edgegan.runtime.backends.BACKENDS`.
            device: "auto", "cpu", "cuda", "cuda:1", "gpu" or "npu" (the last two through OpenVINO).
            allow_fallback: take another backend or device, with a notice, when the wanted one is not there.
            threads: CPU threads of the network; None leaves it to the backend.
            work_size: (height, width) at which whole frames go through the network; None chooses one of each frame's
                own shape with about as many pixels as the model was trained on. See `align.work_size`.

        Raises:
            InputError: no such file, not a model, a model that edits no pictures, or a work size it cannot have.
            CardError: the card is missing, or disagrees with the model.
            BackendError: the backend or device is not there, or failed verification.
        """
        model = load_for("translate", artefacts.shipped() if path is None else path)
        opened: list[Backend] = []
        try:
            opened.append(
                open_backend(model, backend=backend, device=device, allow_fallback=allow_fallback, threads=threads)
            )
            labels, notices = _labels(model, backend, threads, opened)
            finder = FaceFinder() if model.card.faces else None
            pipeline = Pipeline(model.card, opened[0], labels, finder, work_size=work_size)
        except BaseException:
            for each in opened:
                each.close()
            raise
        return cls(pipeline, opened[0], notices=(*opened[0].selection.notices, *notices))

    def edit(self, frame_bgr: Image, changes: Mapping[str, float], *, record: Recorder | None = None) -> Image:
        """The frame with every face edited (or the whole frame, for models that know no faces).

        Args:
            frame_bgr: (H, W, 3) uint8, BGR, of any size. A grey or BGRA picture is converted.
            changes: what to change, by the card's condition names: 1 turns on, 0 turns off, between is partial.
                What is not named stays as the classifier finds it on each face. A model trained jointly on
                several label sets (`card.condition.sets`) runs once for each set that a change belongs to.
            record: called with (stage, seconds) for each of `pipeline.STAGES`, once a frame.

        Returns:
            A new (H, W, 3) uint8 array, BGR. A frame in which no face is found comes back unchanged.
        """
        with self._turn():
            return self._pipeline.edit(frame_bgr, changes, record=record)

    def translate(
        self, crop_bgr: Image, changes: Mapping[str, float], label: Mapping[str, float] | None = None
    ) -> Image:
        """One crop through the network: no face search, no blending.

        Args:
            crop_bgr: (H, W, 3) uint8, BGR. A network of a fixed size takes that size alone, InputError otherwise;
                for one whose sides are multiples of n, the crop is mirrored on at the right and below up to the
                next multiple, and what comes back is cut to the crop's own size.
            changes: as in `edit`.
            label: the crop's own labels, where they are known; None estimates them.
        """
        with self._turn():
            crop = as_bgr(crop_bgr)
            known = self._pipeline.labels.current(crop) if label is None else label
            return self._pipeline.translate(crop, known, changes)

    def estimate(self, crop_bgr: Image) -> dict[str, float]:
        """How likely each attribute is on this crop, in [0, 1]; the card's default label without a classifier."""
        with self._turn():
            return self._pipeline.labels.estimate(as_bgr(crop_bgr))

    def reset(self) -> None:
        """Forgets the faces seen so far: call it between two videos."""
        with self._lock:
            self._pipeline.labels.reset()

    def _free(self) -> None:
        self._pipeline.labels.close()
        self._backend.close()


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
    opened.append(open_companion(companion, backend, threads))
    return Labels(condition, companion.card, opened[-1]), ()
