"""Checkpoints of PyTorch-GAN-zoo's PGAN (facebookresearch/pytorch_GAN_zoo).

One file holds {config, netG, netD, avgG}. Layers of that program compute `weight * x + bias` first and multiply both by
sqrt(2 / fan-in); here biases are not scaled, and RGB layers, the first layer and the last have another gain. So what a
layer computes with is carried over, not what was stored. Keys that are not known are refused: the network has a part
that would be missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from msgspec.structs import replace
from torch import Tensor

from edgegan.families import Imported, ImportOptions
from edgegan.networks.state_dicts import first_of, read_state, strip_prefixes
from edgegan.runtime.errors import InputError

from .config import Config
from .layers import Equalised, Stem
from .networks import Critic, Generator
from .settings import Settings

State = dict[str, Tensor]

LICENCE = "weights in the layout of PyTorch-GAN-zoo (BSD-3-Clause); the rights in its pictures are their owners'"
_EXPECTED = "the PGAN of PyTorch-GAN-zoo"
_TODO = "it comes from a changed version of that program, which edgegan does not know"
_FIRST, _SECOND = "formatLayer.module.weight", "groupScale0.0.module.weight"
# That program divides a group's squared differences by 3, this one by 4: its deviations are larger by this.
_UNBIASED = math.sqrt(4 / 3)


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """The averaged generator, and the critic where it is in the file; None if a file is no such checkpoint.

    Raises InputError: several files, pictures that are not RGB, labels beside the noise, another size than
    `options.size`, layers that are missing, more or of another shape, settings that cannot be built.
    """
    states = {name: read_state(loaded) for name, loaded in files.items()}
    if not all(map(_is_ours, states.values())):
        return None
    if len(files) > 1:
        raise InputError(f"ProGAN: {', '.join(files)}", "one file, which holds all networks")
    ((file, loaded),) = files.items()
    state, settings = states[file], Settings.read(file, loaded)
    cfg = _config(file, state, settings, options)
    notes = [f"{file}: {_name_source(loaded)} of {cfg.size} px, widths {_list(cfg)}, nz {cfg.nz}", *settings.notes]
    g = Generator(cfg)
    _fill(file, state, dict(_generator_layers(g)), settings)
    g.grow(cfg.levels - settings.alpha)
    if settings.alpha:
        notes.append(f"{file}: {cfg.size} px had not faded in yet: it counts {1 - settings.alpha:.3g}")
    networks: dict[str, Mapping[str, Tensor]] = {"generator": g.state_dict()}
    critic = loaded.get("netD")
    if isinstance(critic, Mapping) and all(isinstance(tensor, Tensor) for tensor in critic.values()):
        networks["critic"] = _read_critic(file, strip_prefixes(critic), cfg, settings, notes)
    return Imported(cfg, networks, tuple(notes))


def _is_ours(state: State) -> bool:
    """Whether both layers of the 4 px map are there, dense and a convolution."""
    shapes = [state[key].dim() for key in (_FIRST, _SECOND) if key in state]
    return shapes == [2, 4] and all(tensor.dim() for tensor in state.values())


def _config(file: str, state: State, settings: Settings, options: ImportOptions) -> Config:
    """Widths and size, from the shapes."""
    levels = 0
    widths = [len(state[_SECOND])]
    while (key := f"scaleLayers.{levels}.0.module.weight") in state:
        widths.append(len(state[key]))
        levels += 1
    size, nz = 4 << levels, state[_FIRST].shape[-1]
    last = state.get(f"toRGBLayers.{levels}.module.weight")
    if last is not None and len(last) != 3:
        raise InputError(f"{file}: a generator of pictures with {len(last)} channels", "3 (RGB)")
    if not 8 <= size <= 1024:
        raise InputError(f"{file}: {levels} doublings, so pictures of {size} px", "8 to 1024 px")
    if options.size not in (None, size):
        raise InputError(f"--size {options.size}: {file} draws {size} px", todo="leave --size out")
    cfg = Config(
        size=size,  # type: ignore[arg-type]
        nz=nz,
        widths=tuple(widths),
        stem_bias="place",
        norm_epsilon=1e-8,
        first_size=size,  # type: ignore[arg-type]
        licence=LICENCE,
    )
    return replace(cfg, domain=options.domain) if options.domain else cfg


def _read_critic(file: str, state: State, cfg: Config, settings: Settings, notes: list[str]) -> Mapping[str, Tensor]:
    """The critic's state; that the minibatch's deviations are others is made up for, as far as it can be."""
    decision = state.get("decisionLayer.module.weight")
    if decision is not None and len(decision) != 1:
        raise InputError(
            f"{file}: netD gives {len(decision)} numbers, so the generator was told labels beside its noise",
            "a model without labels",
        )
    key, width = "groupScaleZero.0.module", cfg.width(0)
    if (weight := state.get(f"{key}.weight")) is not None and weight.dim() == 4:
        bias = state.get(f"{key}.bias", torch.zeros(0))
        if weight.shape[1] == width:
            more = math.sqrt((width + 1) / width) if settings.equalised else 1.0  # He's constant has one input more
            weight, bias = more * torch.cat([weight, torch.zeros_like(weight[:, :1])], 1), more * bias
            notes.append(f"{file}: netD compares no pictures within a batch; what does begins with no weight")
        else:
            weight = torch.cat([weight[:, :-1], _UNBIASED * weight[:, -1:]], 1)
        state = {**state, f"{key}.weight": weight, f"{key}.bias": bias}
    d = Critic(cfg)
    _fill(f"{file}: netD", state, dict(_critic_layers(d)), settings)
    d.grow(cfg.levels - settings.alpha)
    notes.append(f"{file}: netD, whose scores are the same for batches of {cfg.group}; larger ones it groups otherwise")
    return d.state_dict()


def _fill(what: str, state: State, layers: Mapping[str, Equalised], settings: Settings) -> None:
    """Gives each layer the weights and biases that the published one computes with."""
    wanted = {f"{name}.module.{leaf}" for name in layers for leaf in ("weight", "bias")}
    wrong = [f"{key} is missing" for key in sorted(wanted - state.keys())]
    wrong += [f"{key} is more than that" for key in sorted(state.keys() - wanted)]
    if wrong:
        raise InputError(f"{what} does not fit: {first_of(wrong)}", _EXPECTED, _TODO)
    for name, layer in layers.items():
        weight, bias = state[f"{name}.module.weight"], state[f"{name}.module.bias"]
        shape: tuple[int, ...] = tuple(layer.weight.shape)
        if isinstance(layer, Stem):
            shape = (layer.bias.numel(), shape[0])
        if tuple(weight.shape) != shape or bias.shape != (shape[0],):
            seen = f"{name} is {tuple(weight.shape)} with a bias of {tuple(bias.shape)}, not {shape} and {shape[:1]}"
            raise InputError(f"{what} does not fit: {seen}", _EXPECTED, _TODO)
        factor = math.sqrt(2 / weight[0].numel()) if settings.equalised else 1.0
        weight = weight.double() * (factor / layer.scale)
        with torch.no_grad():
            layer.weight.copy_((weight.T if isinstance(layer, Stem) else weight).reshape(layer.weight.shape))
            layer.bias.copy_((bias.double() * factor).reshape(layer.bias.shape))


def _generator_layers(g: Generator) -> Iterator[tuple[str, Equalised]]:
    """(their name, our layer)."""
    for level, (block, to_rgb) in enumerate(zip(g.blocks, g.to_rgb, strict=True)):
        first, second = _find_layers(block)
        if level:
            yield f"scaleLayers.{level - 1}.0", first
            yield f"scaleLayers.{level - 1}.1", second
        else:
            yield "formatLayer", first
            yield "groupScale0.0", second
        yield from _single(f"toRGBLayers.{level}", to_rgb)


def _critic_layers(d: Critic) -> Iterator[tuple[str, Equalised]]:
    for level, (block, from_rgb) in enumerate(zip(d.blocks, d.from_rgb, strict=True)):
        names = [f"scaleLayers.{level - 1}.0", f"scaleLayers.{level - 1}.1"]
        if not level:
            names = ["groupScaleZero.0", "groupScaleZero.1", "decisionLayer"]
        yield from zip(names, _find_layers(block), strict=True)
        yield from _single(f"fromRGBLayers.{level}", from_rgb)


def _single(name: str, module: torch.nn.Module) -> Iterator[tuple[str, Equalised]]:
    (layer,) = _find_layers(module)
    yield name, layer


def _find_layers(module: torch.nn.Module) -> list[Equalised]:
    return [layer for layer in module.modules() if isinstance(layer, Equalised)]


def _name_source(loaded: Any) -> str:
    if not isinstance(loaded, Mapping):
        return "a generator"
    return "avgG, the average" if "avgG" in loaded else "netG, live weights" if "netG" in loaded else "a generator"


def _list(cfg: Config) -> str:
    return ", ".join(map(str, cfg.widths))
