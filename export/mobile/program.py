"""A network as a torch.export program with the names of its card, for converters that read PyTorch and no ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgegan.runtime.model.card import ModelCard

from ..graph.variants import example
from .converter import Give

if TYPE_CHECKING:
    import torch
    from torch.export import ExportedProgram


def trace_program(module: torch.nn.Module, card: ModelCard) -> ExportedProgram:
    """The network, traced at the sizes of the card: tensors go in as keywords and come out as a dict, by its names."""
    import torch

    class Named(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = module

        def forward(self, **given: torch.Tensor) -> dict[str, torch.Tensor]:
            found = self.network(*(given[spec.name] for spec in card.inputs))
            values = found if isinstance(found, tuple) else (found,)
            return {spec.name: value for spec, value in zip(card.outputs, values, strict=True)}

    examples = {spec.name: torch.zeros(example(spec, card)) for spec in card.inputs}
    return torch.export.export(Named().eval(), (), examples)


def give_program(program: ExportedProgram) -> Give:
    """What hands a program to a converter."""

    def write(folder: Path) -> Path:
        import torch

        path = folder / "given.pt2"
        torch.export.save(program, path)
        return path

    return write
