"""ONNX Runtime's CUDA provider: its options for a model, and what it does without."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...errors import BackendError
from ...model.artefact import Artefact
from ...model.card import ModelCard
from .gpu import CUDA, check_gpu, check_provider, open_session

OPEN_AXES = "its sizes are open, so no CUDA graph is used: each call launches every kernel anew"


@dataclass(frozen=True)
class CudaOptions:
    """How the provider runs a network.

    `graph`: one launch replays the whole network; only where every shape is fixed. `nhwc`: convolutions take
    channels last. `max_workspace`: cuDNN may take all the memory that its fastest algorithm wants. `tf32`: products of
    float32 are rounded to 10 bits, which is fast and no longer what was verified.
    """

    graph: bool = True
    nhwc: bool = False
    max_workspace: bool = True
    tf32: bool = False

    @classmethod
    def fitting(cls, card: ModelCard) -> CudaOptions:
        """What suits `card`: a graph for fixed shapes.

        Channels first in every precision: the provider has no InstanceNormalization for channels last, and would turn
        every tensor around before and after each. `benchmarks/gpu/cuda_options.py` measures both.
        """
        return cls(graph=not has_open_axes(card))

    def entries(self, number: int) -> dict[str, str]:
        """The provider's own option names, which ONNX Runtime 1.19 to 1.31 share."""
        return {
            "device_id": str(number),
            "cudnn_conv_algo_search": "EXHAUSTIVE",
            "cudnn_conv_use_max_workspace": str(int(self.max_workspace)),
            "arena_extend_strategy": "kSameAsRequested",  # doubling takes up to twice what the network needs
            "enable_cuda_graph": str(int(self.graph)),
            "prefer_nhwc": str(int(self.nhwc)),
            "use_tf32": str(int(self.tf32)),
        }


def has_open_axes(card: ModelCard) -> bool:
    """Whether any input may have several shapes."""
    return any(isinstance(axis, str) for spec in card.inputs for axis in spec.shape)


def open_cuda(ort: Any, artefact: Artefact, number: int, options: CudaOptions | None) -> tuple[Any, tuple[str, ...]]:
    """A session on GPU `number`, and notices of what it does without.

    Raises BackendError or InputError as `open_session` does, and BackendError for a graph that was asked for where
    axes are open.
    """
    check_provider(ort, CUDA)
    check_gpu(number)
    card, notices = artefact.card, []
    if options is not None and options.graph and has_open_axes(card):
        raise BackendError(
            f"a CUDA graph was asked for, and the sizes of {artefact.path.name} are open",
            "a graph replays fixed shapes",
            "export with a fixed size and batch, or leave the graph out",
        )
    chosen = options or CudaOptions.fitting(card)
    if has_open_axes(card):
        notices.append(OPEN_AXES)
    while True:
        try:
            session = open_session(ort, artefact, CUDA, chosen.entries(number), open_axes=has_open_axes(card))
        except BackendError as error:
            if chosen.nhwc and "NHWC" in error.seen:  # builds for Jetson may leave it out
                chosen = replace(chosen, nhwc=False)
                notices.append("this ONNX Runtime was built without NHWC kernels: channels first are used")
                continue
            raise
        # The network may leave open what its card fixes; a graph would then answer another shape with old pictures.
        if chosen.graph and any(not isinstance(axis, int) for node in session.get_inputs() for axis in node.shape):
            chosen = replace(chosen, graph=False)
            notices.append(OPEN_AXES)
            continue
        return session, tuple(notices)
