"""Published generators of CycleGAN and pix2pix, read from their state dicts alone.

Widths, depths and norms come from the shapes. The authors' key names are ours; the same networks under other
names are matched layer by layer, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from edgegan.runtime.errors import InputError

from .norm import NormName
from .resnet import ResnetGenerator
from .unet import UnetGenerator

_Layer = dict[str, Tensor]  # a layer's own tensors by their last names


@dataclass(frozen=True)
class Found:
    """A generator that was recognised, and its state under our names, in float32."""

    kind: Literal["resnet", "unet"]
    ngf: int
    depth: int  # residual blocks, or levels of the U-Net
    norm: NormName  # "batch" for any batch norm
    dropout: bool | None  # None: the file cannot tell
    state: dict[str, Tensor]
    notes: tuple[str, ...]


def read_generator(name: str, loaded: Any) -> Found | None:
    """What the file `name` holds, or None if it is no ResNet or U-Net generator of these families.

    Raises InputError if it is one, but for pictures that are not RGB, or with layers that the others do not fit.
    """
    tensors = _tensors(loaded)
    if tensors is None:
        return None
    layers = _layers(tensors)
    if any("weight" in layer and layer["weight"].dim() not in (1, 4) for layer in layers.values()):
        return None
    shapes = [tuple(layer["weight"].shape) for layer in _of_dim(layers, 4).values()]
    kind = _kind(shapes)
    if kind is None:
        return None
    given, drawn = shapes[0][1], shapes[-1][0 if kind == "resnet" else 1]
    if (given, drawn) != (3, 3):
        raise InputError(f"{name}: a generator that takes {given} channels and gives {drawn}", "3 and 3 (RGB)")
    depth = (len(shapes) - 6) // 2 if kind == "resnet" else len(shapes) // 2
    return _found(name, kind, shapes[0][0], depth, layers)


def _kind(shapes: list[tuple[int, ...]]) -> Literal["resnet", "unet"] | None:
    """Which generator has convolutions of these shapes."""
    kernels = [shape[2:] for shape in shapes]
    if len(shapes) % 2:
        return None
    if len(shapes) >= 8 and set(kernels[1:-1]) == {(3, 3)} and kernels[0] == kernels[-1] == (7, 7):
        return "resnet"
    return "unet" if len(shapes) >= 4 and set(kernels) == {(4, 4)} and _nested(shapes) else None


def _found(name: str, kind: Literal["resnet", "unet"], ngf: int, depth: int, layers: dict[str, _Layer]) -> Found:
    convolutions, norms = _of_dim(layers, 4), _of_dim(layers, 1)
    dropout = None
    if kind == "resnet" and any(".conv_block." in key for key in layers):
        dropout = any(key.endswith(".conv_block.6") for key in convolutions)  # it moves the second convolution
    tracked = [key for key, layer in layers.items() if "running_mean" in layer]
    biased = sum("bias" in layer for layer in convolutions.values()) > 1  # the last one always has a bias
    norm: NormName = "instance" if not norms else "instance-affine" if biased or not tracked else "batch"
    with torch.device("meta"):
        ours: nn.Module = (
            ResnetGenerator(ngf, depth, norm=norm, dropout=bool(dropout))
            if kind == "resnet"
            else UnetGenerator(depth, ngf, norm=norm)
        )
    wanted = ours.state_dict()
    own = _layers(wanted)
    own_convolutions, own_norms = _of_dim(own, 4), _of_dim(own, 1)
    if len(own_norms) != len(norms):
        raise InputError(
            f"{name}: {len(norms)} norms with weights", f"{len(own_norms)}, one behind each inner convolution"
        )
    state: dict[str, Tensor] = {}
    renamed = 0
    pairs = [*zip(own_convolutions, convolutions, strict=True), *zip(own_norms, norms, strict=True)]
    for key, theirs in pairs:
        renamed += key != theirs
        for leaf, like in own[key].items():
            tensor = layers[theirs].get(leaf)
            if tensor is None and leaf in ("bias", "num_batches_tracked"):
                tensor = torch.zeros(like.shape)  # no bias is one of zero, and old files count no batches
            if tensor is None:
                raise InputError(f"{name}: {theirs} has no {leaf}", todo="see that the copy or download finished")
            if tensor.shape != like.shape:
                raise InputError(
                    f"{name}: {theirs}.{leaf} has the shape {tuple(tensor.shape)}",
                    f"{tuple(like.shape)}, as in a {kind} generator of width {ngf} and depth {depth}",
                )
            state[f"{key}.{leaf}"] = tensor.detach().to("cpu", like.dtype)
    state = {key: state[key] for key in wanted}
    unit = "residual blocks" if kind == "resnet" else "levels"
    title = "ResNet" if kind == "resnet" else "U-Net"
    notes = [f"{name}: a {title} generator, ngf {ngf}, {depth} {unit}, {norm} norm"]
    if tracked and norm != "batch":
        notes.append(f"{name}: dropped the running statistics of {len(tracked)} instance norms, which never used them")
    if renamed:
        notes.append(f"{name}: {renamed} layers have other names than the authors'; matched by order and shape")
    return Found(kind, ngf, depth, norm, dropout, state, tuple(notes))


def _tensors(loaded: Any) -> dict[str, Tensor] | None:
    """The state dict, without the prefix that DataParallel leaves; None if it is none."""
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not loaded or not all(isinstance(t, Tensor) for t in loaded.values()):
        return None
    prefix = "module." if all(str(key).startswith("module.") for key in loaded) else ""
    found = {str(key).removeprefix(prefix): tensor for key, tensor in loaded.items()}
    named = {part for key in found for part in key.split(".")[:-1] if not part.isdecimal()}
    if named <= {"model", "conv_block"}:  # the authors' names say the order, whatever that of the file is
        found = dict(sorted(found.items(), key=lambda item: _natural(item[0])))
    return found


def _natural(key: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in key.split(".")]


def _layers(tensors: Mapping[str, Tensor]) -> dict[str, _Layer]:
    found: dict[str, _Layer] = {}
    for key, tensor in tensors.items():
        layer, _, leaf = key.rpartition(".")
        found.setdefault(layer, {})[leaf] = tensor
    return found


def _of_dim(layers: Mapping[str, _Layer], dim: int) -> dict[str, _Layer]:
    """The layers whose weight has so many dimensions: 4 for convolutions, 1 for norms."""
    return {key: layer for key, layer in layers.items() if "weight" in layer and layer["weight"].dim() == dim}


def _nested(shapes: list[tuple[int, ...]]) -> bool:
    """Whether these are the convolutions of a U-Net from the outermost to the innermost level and back."""
    depth, ngf = len(shapes) // 2, shapes[0][0]
    widths = [ngf * min(2**i, 8) for i in range(depth)]
    down = [(widths[i], widths[i - 1]) for i in range(1, depth)]
    up = [(widths[i] * (1 if i == depth - 1 else 2), widths[i - 1]) for i in reversed(range(1, depth))]
    return [s[:2] for s in shapes[1:-1]] == down + up and shapes[-1][0] == 2 * ngf
