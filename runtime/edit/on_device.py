"""The object for programs whose pictures lie on an NVIDIA GPU: edited there, without a copy to the host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import Backend, OnDevice
from ..errors import BackendError, InputError
from ..model.artefact import Artefact
from ..model.card import ModelCard
from .loading import Loading, load_for
from .network import name_ports
from .session import Session

if TYPE_CHECKING:
    from typing import Self, Unpack

    from .loading import LoadingOptions


class DeviceEditor(Session):
    """Runs a model of pictures on arrays of a GPU, such as PyTorch's and CuPy's or OpenCV's GpuMat.

    It is the network alone: whole frames at a size that the network takes, or crops; faces are neither searched nor
    put back. A model exported with `--io uint8` takes (H, W, 3) uint8 frames as they are; of any other, pictures are
    the tensors that its card describes, such as (1, 3, H, W) float32 of -1 to 1.

    Threads: every method may be called from any thread, which keeps its own current GPU; calls take turns on one lock.
    Ownership: all memory is the caller's; see `edgegan.runtime.backends.OnDevice.run_on_device`.
    """

    _name = "DeviceEditor"

    def __init__(self, card: ModelCard, backend: Backend, notices: tuple[str, ...] = ()) -> None:
        super().__init__(card, backend, notices)
        self._image, self._label, self._output = name_ports(card)

    @classmethod
    def open(cls, path: str | Path | Artefact | None = None, **options: Unpack[LoadingOptions]) -> Self:
        """Loads a model on a GPU; the arguments, and what it raises, are those of `Editor.open`, on device "cuda".

        Raises BackendError besides, where no backend that is here takes arrays on a GPU.
        """
        model = load_for("translate", path)
        chosen: LoadingOptions = {"device": "cuda", **options}
        opened = Loading(**chosen).network(model)
        try:
            if not isinstance(opened, OnDevice) or not opened.device.startswith("cuda"):
                raise BackendError(
                    f"{opened.name} on {opened.device} takes no arrays on a GPU",
                    "tensorrt or onnxruntime, on cuda",
                    "take Editor, which takes frames in host memory",
                )
            return cls((opened.selection.artefact or model).card, opened, opened.selection.notices)
        except BaseException:
            opened.close()
            raise

    def edit(
        self,
        picture: Any,
        changes: Mapping[str, float],
        *,
        out: Any,
        label: Mapping[str, float] | None = None,
        stream: int | None = None,
    ) -> None:
        """Writes the edited picture to `out`.

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
            assert isinstance(self._backend, OnDevice)
            for vector in passes:
                given = {self._image: picture}
                if self._label is not None:
                    given[self._label.name] = np.array([vector], dtype=self._label.dtype)
                self._backend.run_on_device(given, {self._output: out}, stream=stream)
                picture = out
