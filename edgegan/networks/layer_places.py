"""Layers of a state dict by their names: which there are, and what their places in a residual block tell."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from edgegan.runtime.errors import InputError

from .resnet import Padding

Layer = dict[str, Tensor]  # a layer's own tensors by their last names

PADDINGS: tuple[Padding, ...] = ("reflect", "replicate", "zero")
# Where the two convolutions of a residual block stand among its layers -> its padding and dropout.
PLACES: dict[tuple[int, int], tuple[Padding, bool]] = {
    (1, 5): ("reflect", False),
    (1, 6): ("reflect", True),
    (0, 3): ("zero", False),
    (0, 4): ("zero", True),
}
_KNOWN = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


def refuse_unknown_tensors(name: str, layers: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Raises InputError for tensors that no convolution or norm has: blur filters, spectral norms, attention."""
    for key, layer in layers.items():
        odd = sorted(set(layer) - _KNOWN)
        if odd:
            raise InputError(
                f"{name}: {key or 'it'} holds {odd[0]!r}",
                "convolutions and norms alone",
                "its network has a part that edgegan does not build, and would not be the same without it",
            )


def block_places(layers: Mapping[str, Layer]) -> tuple[int, int] | None:
    """Where the convolutions of the residual blocks stand, if the names number them alike in all; else None."""
    inner = list(layers_of_dim(layers, 4))[3:-3]
    heads = [key.rpartition(".") for key in inner]
    places = set()
    for (first, _, one), (second, _, two) in zip(heads[::2], heads[1::2], strict=True):
        if first != second or not (one.isdecimal() and two.isdecimal()):
            return None
        places.add((int(one), int(two)))
    return places.pop() if len(places) == 1 else None


def group_layers(tensors: Mapping[str, Tensor]) -> dict[str, Layer]:
    """The tensors of a state dict by layer, in its order: {"main.0": {"weight": ..., "bias": ...}}."""
    found: dict[str, Layer] = {}
    for key, tensor in tensors.items():
        layer, _, leaf = key.rpartition(".")
        found.setdefault(layer, {})[leaf] = tensor
    return found


def layers_of_dim(layers: Mapping[str, Layer], dim: int) -> dict[str, Layer]:
    """The layers whose weight has so many dimensions: 4 for convolutions, 1 for norms."""
    return {key: layer for key, layer in layers.items() if "weight" in layer and layer["weight"].dim() == dim}
