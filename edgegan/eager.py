"""A trained network in PyTorch behind the contract of `Backend`, so that it can stand where an artefact can."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edgegan.runtime.backends import Arrays, Port, Selection, check_inputs

if TYPE_CHECKING:
    from edgegan.families import ExportSpec


def is_trained(path: Path) -> bool:
    """Whether the path names a checkpoint or a run folder, which PyTorch runs, and no artefact."""
    return path.suffix == ".safetensors" or (path / "config.json").is_file()


class Eager:
    """The network of an ExportSpec: float32, on the CPU. `why` tells where its weights come from."""

    name: ClassVar[str] = "PyTorch eager fp32"
    suffixes: ClassVar[tuple[str, ...]] = ()
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    notices: tuple[str, ...] = ()

    def __init__(self, spec: ExportSpec, why: str = "") -> None:
        self.device = "cpu"
        self.inputs, self.outputs = (
            tuple(Port(s.name, s.dtype, tuple(n if isinstance(n, int) else None for n in s.shape)) for s in side)
            for side in (spec.card.inputs, spec.card.outputs)
        )
        self.selection = Selection(backend=self.name, device=self.device, why=why)
        self._module = spec.module

    def run(self, inputs: Mapping[str, Any]) -> Arrays:
        """See `Backend.run`."""
        check_inputs(self.inputs, inputs)
        return self.run_many(inputs)

    def run_many(self, inputs: Mapping[str, Any]) -> Arrays:
        """As `run`, of a batch of any size, which the card may not allow an artefact."""
        import torch

        with torch.inference_mode():
            answer = self._module(*(torch.from_numpy(np.ascontiguousarray(inputs[p.name])) for p in self.inputs))
        answers = answer if isinstance(answer, tuple) else (answer,)
        return {p.name: one.numpy() for p, one in zip(self.outputs, answers, strict=True)}

    def close(self) -> None:
        """Nothing to free."""

    def __enter__(self) -> Eager:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
