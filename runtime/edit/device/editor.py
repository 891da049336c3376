"""The object for programs whose pictures lie on an NVIDIA GPU: edited there, without a copy to the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backends import OnDevice
from ...errors import BackendError, InputError
from ...faces import Face
from ...faces.finder import FaceFinder
from ...faces.options import FaceOptions, Which
from ...metrics.tally import Record
from ...model.artefact import Artefact
from ...model.image import Order
from ..assembly import load_labels
from ..loading import Loading, load_for
from ..session import Session
from .pipeline import DevicePipeline

if TYPE_CHECKING:
    from typing import Self, Unpack

    from ...backends import Backend
    from ..loading import LoadingOptions


class DeviceEditor(Session):
    """Edits frames that lie on a GPU, such as PyTorch's and CuPy's arrays or OpenCV's GpuMat, as `Editor` edits others.

    `edit` cuts faces out, runs the network and blends, all on the GPU, with ONNX Runtime's CUDA provider beside
    whatever backend runs the network. To the host go copies only: of the frame, reduced to a shorter side of 360 to
    719 pixels, in which faces are searched, and of the crops, by which the classifier says what a face already is.
    `translate` is the network alone, on crops or whole frames as it takes them.

    Threads: every method may be called from any thread, which keeps its own current GPU; calls take turns on one lock.
    A video's frames come in order, as in `Editor`. Ownership: all pictures are the caller's; see
    `edgegan.runtime.backends.OnDevice.run_on_device`.
    """

    _name = "DeviceEditor"

    def __init__(self, pipeline: DevicePipeline, backend: Backend, notices: tuple[str, ...] = ()) -> None:
        super().__init__(pipeline.card, backend, notices)
        self._pipeline = pipeline

    @classmethod
    def open(
        cls,
        path: str | Path | Artefact | None = None,
        *,
        work_size: tuple[int, int] | None = None,
        faces: FaceOptions | None = None,
        **options: Unpack[LoadingOptions],
    ) -> Self:
        """Loads a model on a GPU; the arguments, and what it raises, are those of `Editor.open`, on device "cuda".

        Raises BackendError besides, where no backend that is here takes arrays on a GPU.
        """
        model = load_for("translate", path)
        chosen: LoadingOptions = {"device": "cuda", **options}
        loading = Loading(**chosen)
        opened = [loading.network(model)]
        try:
            network = opened[0]
            if not isinstance(network, OnDevice) or not network.device.startswith("cuda"):
                raise BackendError(
                    f"{network.name} on {network.device} takes no arrays on a GPU",
                    "tensorrt or onnxruntime, on cuda",
                    "take Editor, which takes frames in host memory",
                )
            labels, notices = load_labels(model, loading.helper, opened)
            card = (network.selection.artefact or model).card
            finder = FaceFinder() if model.card.faces else None
            pipeline = DevicePipeline(card, network, labels, finder, work_size=work_size, faces=faces)
        except BaseException:
            for each in opened:
                each.close()
            raise
        return cls(pipeline, network, (*network.selection.notices, *notices))

    def edit(
        self,
        picture: Any,
        changes: Mapping[str, float],
        *,
        out: Any,
        timestamp: float | None = None,
        places: Sequence[Face] | None = None,
        colour: Order = "bgr",
        record: Record | None = None,
    ) -> None:
        """Writes the frame with its faces edited (or the whole frame, for models that know no faces) to `out`.

        The first call loads and tries the small graphs that cut and blend. The call returns once the result is there.

        Args:
            picture: the frame on the GPU, (H, W, 3) uint8 of any size; its rows may lie apart.
            changes: as in `Editor.edit`; for no change at all a model with names does not run. Where the model runs
                more than once, what it gave goes on as it is, while `Editor` rounds it to grey levels between.
            out: an array on the GPU like `picture`, which it may be itself. After an error, what it holds is undefined.
            timestamp: of a frame of a video, as in `Editor.edit`.
            places: the faces, where they are known: then none are searched, nothing is copied for that, and labels
                are estimated anew in every frame. `Face.left_eye` and `right_eye` say how a face is cut out, they and
                `points` where its middle is. None searches.
            colour: the order of the channels, "bgr" or "rgb", of both pictures.
            record: called with (stage, seconds) for each of `tally.STAGES`, once a frame.

        Raises:
            InputError: a picture in host memory, an attribute that the model does not know, places for a model of
                whole frames, or a number that is not finite.
            BackendError: arrays of another kind, size or GPU, an ONNX Runtime without CUDA, a graph that gives
                something else here than on the CPU, or the device failed.
        """
        with self._turn():
            self._pipeline.edit(picture, out, changes, places=places, timestamp=timestamp, order=colour, record=record)

    def translate(
        self,
        picture: Any,
        changes: Mapping[str, float],
        *,
        out: Any,
        label: Mapping[str, float] | None = None,
        stream: int | None = None,
    ) -> None:
        """Writes what the network makes of a picture to `out`: no face search, no blending.

        A model exported with `--io uint8` takes (H, W, 3) uint8 frames as they are; of any other, pictures are the
        tensors that its card describes, such as (1, 3, H, W) float32 of -1 to 1.

        Args:
            picture: an array on the GPU as the model takes it, in the card's order of channels; `--io uint8`:
                (H, W, 3) or (1, H, W, 3) uint8.
            changes: what to change, by the card's condition names, as in `Editor.edit`; at least one where the card
                has names: for none, the picture is the answer.
            out: an array on the GPU of the size and type that the model gives; it may be `picture` itself where the
                two are alike.
            label: what the picture already is; None takes the card's default. Where the model runs more than once, as
                `Condition.vectors` says, `out` must be something that it takes as well.
            stream: a CUDA stream by its handle, such as `torch.cuda.current_stream().cuda_stream`: what is queued in
                it afterwards finds the result. None: the call returns once the result is there.

        Raises:
            InputError: an attribute that the model does not know, or no change.
            BackendError: arrays that do not fit the model or lie elsewhere, or the device failed.
        """
        condition = self.card.condition
        known = dict(zip(condition.names, condition.default, strict=True)) if label is None else label
        passes = condition.vectors(known, changes)
        if condition.names and not changes:
            raise InputError("no change was asked for", "at least one", "take the picture as it is")
        with self._turn():
            for vector in passes:
                self._pipeline.run_network(picture, out, [vector], stream)
                picture = out

    def choose(self, which: Which) -> None:
        """See `Editor.choose`; the place is in pixels of the frame."""
        with self._turn():
            self._pipeline.choose(which)

    def reset(self) -> None:
        """Forgets the faces seen so far: call it between two videos."""
        with self._turn():
            self._pipeline.reset()

    def _free(self) -> None:
        self._pipeline.close()
        self._pipeline.labels.close()
        self._backend.close()
