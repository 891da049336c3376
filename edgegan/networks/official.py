"""Published generators of CycleGAN and pix2pix, read from their state dicts alone.

Widths, depths and norms come from the shapes, and the places of layers from the names: under the authors' names every
layer must stand where one of the networks that can be built has it, which also tells padding and dropout. The same
networks under other names are matched layer by layer, in the order of the file; what the names then cannot tell is
assumed, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from edgegan.runtime.errors import InputError

from .layer_places import PADDINGS, PLACES, Layer, block_places, group_layers, layers_of_dim, refuse_unknown_tensors
from .norm import NormName
from .resnet import Padding, ResnetGenerator
from .state_dicts import natural_order, read_state
from .unet import UnetGenerator


@dataclass(frozen=True)
class Found:
    """A generator that was recognised, and its state under our names, in float32."""

    kind: Literal["resnet", "unet"]
    ngf: int
    depth: int  # residual blocks, or levels of the U-Net
    norm: NormName  # "batch" for any batch norm
    dropout: bool | None  # None: the file cannot tell
    padding: Padding  # of residual blocks
    state: dict[str, Tensor]
    notes: tuple[str, ...]


def read_generator(name: str, loaded: Any, padding: str = "", norm: str = "") -> Found | None:
    """What the file `name` holds, or None if it is no ResNet or U-Net generator of these families.

    Args:
        name: the file's, for messages.
        loaded: what torch.load or safetensors gave.
        padding: of residual blocks, if the user says it: reflect, replicate or zero.
        norm: of the whole network, if the user says it: a NormName.

    Raises InputError if it is one, but for pictures that are not RGB, with layers that the others do not fit, with
    a structure that cannot be built, or other than the user says.
    """
    tensors = read_state(loaded)
    names = {part for key in tensors for part in key.split(".")[:-1] if not part.isdecimal()}
    authors = names <= {"model", "conv_block"}
    if authors:  # their names say the order, whatever that of the file is
        tensors = dict(sorted(tensors.items(), key=lambda item: natural_order(item[0])))
    layers = group_layers(tensors)
    if any("weight" in layer and layer["weight"].dim() not in (1, 4) for layer in layers.values()):
        return None
    shapes = [tuple(layer["weight"].shape) for layer in layers_of_dim(layers, 4).values()]
    kind = _kind(shapes)
    if kind is None:
        return None
    given, drawn = shapes[0][1], shapes[-1][0 if kind == "resnet" else 1]
    if (given, drawn) != (3, 3):
        raise InputError(f"{name}: a generator that takes {given} channels and gives {drawn}", "3 and 3 (RGB)")
    depth = (len(shapes) - 6) // 2 if kind == "resnet" else len(shapes) // 2
    refuse_unknown_tensors(name, layers)
    reading = _Reading(name, kind, shapes[0][0], depth, layers, authors)
    return reading.read(padding, norm)


def _kind(shapes: list[tuple[int, ...]]) -> Literal["resnet", "unet"] | None:
    """Which generator has convolutions of these shapes."""
    kernels = [shape[2:] for shape in shapes]
    if len(shapes) % 2:
        return None
    if len(shapes) >= 8 and set(kernels[1:-1]) == {(3, 3)} and kernels[0] == kernels[-1] == (7, 7):
        return "resnet"
    return "unet" if len(shapes) >= 4 and set(kernels) == {(4, 4)} and _is_unet(shapes) else None


@dataclass(frozen=True)
class _Reading:
    """A generator's layers, as they are compared with the networks that can be built."""

    name: str
    kind: Literal["resnet", "unet"]
    ngf: int
    depth: int
    layers: dict[str, Layer]
    authors: bool  # whether the layers have the authors' names

    def read(self, padding: str, norm: str) -> Found:
        """The state under our names, and what was found, dropped and assumed."""
        convolutions, norms = layers_of_dim(self.layers, 4), layers_of_dim(self.layers, 1)
        tracked = [key for key, layer in self.layers.items() if "running_mean" in layer]
        biased = sum("bias" in layer for layer in convolutions.values()) > 1  # the last one always has a bias
        seen: NormName = "instance" if not norms else "instance-affine" if biased or not tracked else "batch"
        if norm and (norm == "instance") != (seen == "instance"):
            raise InputError(f"--norm {norm}: {self.name} has {len(norms)} norms with weights", "leave --norm out")
        chosen: NormName = norm or seen  # type: ignore[assignment]
        pads, dropout, notes = self._structure(chosen, padding)
        ours = self._build(chosen, pads, bool(dropout)).state_dict()
        state, renamed = self._match(ours)
        title, unit = ("ResNet", "residual blocks") if self.kind == "resnet" else ("U-Net", "levels")
        notes.insert(0, f"{self.name}: a {title} generator, ngf {self.ngf}, {self.depth} {unit}, {chosen} norm")
        if tracked and chosen != "batch":
            notes.append(
                f"{self.name}: dropped the running statistics of {len(tracked)} instance norms, which never used them"
            )
        if norms and not norm and not biased and tracked:
            notes.append(f"{self.name}: norms taken as batch norms, as they count statistics (--norm says otherwise)")
        if renamed:
            notes.append(
                f"{self.name}: {renamed} layers have other names than the authors'; matched by order and shape"
            )
        return Found(self.kind, self.ngf, self.depth, chosen, dropout, pads, state, tuple(notes))

    def _build(self, norm: NormName, padding: Padding, dropout: bool) -> nn.Module:
        with torch.device("meta"):
            if self.kind == "resnet":
                return ResnetGenerator(self.ngf, self.depth, norm=norm, dropout=dropout, padding=padding)
            return UnetGenerator(self.depth, self.ngf, norm=norm)

    def _structure(self, norm: NormName, padding: str) -> tuple[Padding, bool | None, list[str]]:
        """Padding and dropout of the residual blocks, by the places of their layers, and what was assumed."""
        file = self.name
        if padding not in ("", *PADDINGS):
            raise InputError(f"--padding {padding}", f"one of: {', '.join(PADDINGS)}")
        if self.kind == "unet":
            if padding not in ("", "zero"):
                raise InputError(f"--padding {padding}: a U-Net pads with zeros", todo="leave --padding out")
            if self.authors:
                self._refuse_other_places([self._build(norm, "reflect", False)])
            return "reflect", None, []
        if self.authors:
            variants = list(PLACES.values())
            pads, dropout = variants[self._refuse_other_places([self._build(norm, *one) for one in variants])]
        else:
            gaps = block_places(self.layers)
            if gaps is None:
                pads, dropout = (padding or "reflect"), None  # type: ignore[assignment]
                told = f"{file}: taken as reflection-padded, without dropout: these names cannot tell (--padding zero)"
                return pads, dropout, [] if padding else [told]
            if gaps not in PLACES:
                raise InputError(
                    f"{file}: the convolutions of its residual blocks stand at {gaps[0]} and {gaps[1]}",
                    "1 and 5, with padding layers, or 0 and 3, without; one more with dropout",
                    "it has layers that edgegan does not build",
                )
            pads, dropout = PLACES[gaps]
        if pads == "zero":
            if padding not in ("", "zero"):
                raise InputError(f"--padding {padding}: {file} has no padding layers", "zero", "leave --padding out")
            return "zero", dropout, [f"{file}: zero-padded residual blocks, as they hold no padding layers"]
        if padding == "zero":
            raise InputError(f"--padding zero: {file} has padding layers", "reflect or replicate")
        told = f"{file}: padding layers taken to be reflection, as the authors' (--padding replicate says otherwise)"
        return (padding or "reflect"), dropout, [] if padding else [told]  # type: ignore[return-value]

    def _refuse_other_places(self, built: list[nn.Module]) -> int:
        """Which of the networks has its layers where the file has them; raises InputError if none has."""
        theirs = {key for key, layer in self.layers.items() if "weight" in layer}
        wanted = [{key.rpartition(".")[0] for key in net.state_dict()} for net in built]
        if theirs in wanted:
            return wanted.index(theirs)
        nearest = min(wanted, key=lambda own: len(own ^ theirs))
        extra, missing = (sorted(some, key=natural_order) for some in (theirs - nearest, nearest - theirs))
        seen = f"a layer at {extra[0]}" if extra else f"no layer at {missing[0]}"
        raise InputError(
            f"{self.name}: {seen}, where the networks that edgegan builds have {'none' if extra else 'one'}",
            "the authors' generators: reflection- or zero-padded blocks, with dropout or without",
            "it has a structure of its own (other resampling, attention, more layers), which edgegan does not know",
        )

    def _match(self, wanted: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], int]:
        """The file's tensors under our names, in our order, and how many layers were renamed."""
        name, norms = self.name, layers_of_dim(self.layers, 1)
        own = group_layers(wanted)
        own_norms = layers_of_dim(own, 1)
        if len(own_norms) != len(norms):
            raise InputError(
                f"{name}: {len(norms)} norms with weights", f"{len(own_norms)}, one behind each inner convolution"
            )
        state: dict[str, Tensor] = {}
        convolutions = zip(layers_of_dim(own, 4), layers_of_dim(self.layers, 4), strict=True)
        pairs = [*convolutions, *zip(own_norms, norms, strict=True)]
        for key, theirs in pairs:
            for leaf, like in own[key].items():
                tensor = self.layers[theirs].get(leaf)
                if tensor is None and leaf in ("bias", "num_batches_tracked"):
                    tensor = torch.zeros(like.shape)  # no bias is one of zero, and old files count no batches
                if tensor is None:
                    raise InputError(f"{name}: {theirs} has no {leaf}", todo="see that the copy or download finished")
                if tensor.shape != like.shape:
                    wanted_shape = f"{tuple(like.shape)}, as in a {self.kind} generator"
                    raise InputError(
                        f"{name}: {theirs}.{leaf} has the shape {tuple(tensor.shape)}",
                        f"{wanted_shape} of width {self.ngf} and depth {self.depth}",
                    )
                state[f"{key}.{leaf}"] = tensor.detach().to("cpu", like.dtype)
        return {key: state[key] for key in wanted}, sum(key != theirs for key, theirs in pairs)


def _is_unet(shapes: list[tuple[int, ...]]) -> bool:
    """Whether these are the convolutions of a U-Net from the outermost to the innermost level and back."""
    depth, ngf = len(shapes) // 2, shapes[0][0]
    widths = [ngf * min(2**i, 8) for i in range(depth)]
    down = [(widths[i], widths[i - 1]) for i in range(1, depth)]
    up = [(widths[i] * (1 if i == depth - 1 else 2), widths[i - 1]) for i in reversed(range(1, depth))]
    return [s[:2] for s in shapes[1:-1]] == down + up and shapes[-1][0] == 2 * ngf
