"""Checkpoints of the mimicry library's cGAN-PD: the generator, and at 32 px the discriminator too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from msgspec.structs import replace
from torch import Tensor

from edgegan.families import Imported, ImportOptions
from edgegan.networks.generation import mimicry
from edgegan.networks.state_dicts import first_of, fit_state, read_state
from edgegan.runtime.errors import InputError

from .config import Config
from .networks import Generator, discriminator

State = dict[str, Tensor]

_GENERATOR = {"b1": "norm1", "b2": "norm2", "c1": "conv1", "c2": "conv2", "c_sc": "shortcut"}
# What spectral norms keep, under the names of PyTorch's older ones and of its parametrisations.
_SPECTRAL = {"weight_orig": "original", "weight_u": "0._u", "weight_v": "0._v"}
# That of the classes is of their table, which is the transpose of our dense layer.
_TRANSPOSED = {"weight_orig": "original", "weight_u": "0._v", "weight_v": "0._u"}


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """The generator and, where its file is there, the discriminator; None if no file is such a generator.

    Raises InputError: two generators, other files beside it, parts or sizes that are not built, other numbers of names.
    """
    read = (mimicry.read_generator(name, loaded, options.size, conditional=True) for name, loaded in files.items())
    generators = [found for found in read if found]
    if not generators:
        return None
    others = {name: read_state(loaded) for name, loaded in files.items() if name != generators[0].file}
    critics = [name for name, state in others.items() if mimicry.is_discriminator(state) and "l_y.weight_orig" in state]
    if len(generators) > 1 or len(critics) > 1 or len(critics) < len(others):
        raise InputError(f"cGAN-PD: {', '.join(files)}", "one netG file, and at most one netD file with it")
    (found,) = generators
    cfg = _config(found, options)
    notes = [*found.describe(options.bn), *_explain_names(found, options)]
    networks = {"generator": _read_generator(found, cfg, notes)}
    for critic in critics:
        cfg, networks["discriminator"] = _read_discriminator(critic, others[critic], cfg, notes)
    return Imported(cfg, networks, tuple(notes))


def _config(found: mimicry.Found, options: ImportOptions) -> Config:
    mimicry.check_bn(options.bn)
    names = options.attributes or tuple(f"class_{number}" for number in range(found.classes))
    if len(names) != found.classes:
        raise InputError(
            f"{found.file}: {found.classes} classes; --attributes names {len(names)}", "a name for each, in their order"
        )
    cfg = Config(
        size=found.size,  # type: ignore[arg-type]
        nz=found.nz,
        ngf=found.widths[-1],
        attributes=names,
        groups=(names,),
        conditioning="projection",
        upsampling="bilinear",
        beta1=0.0,
        beta2=0.9,
        n_critic=5,
        bn=options.bn,  # type: ignore[arg-type]
        licence=mimicry.LICENCE,
    )
    return replace(cfg, domain=options.domain) if options.domain else cfg


def _explain_names(found: mimicry.Found, options: ImportOptions) -> list[str]:
    named = [] if options.attributes else [f"{found.file}: what the classes are is not in it; --attributes names them"]
    return [*named, f"{found.file}: taken as trained on labels drawn alike from all {found.classes} classes"]


def _read_generator(found: mimicry.Found, cfg: Config, notes: list[str]) -> State:
    """A table's row is [gains | shifts]; our gains are 1 and what the label adds."""
    ends = {"l1": "first", f"b{found.blocks + 2}": "norm", f"c{found.blocks + 2}": "last"}
    g = Generator(cfg)
    state: State = {key: tensor for key, tensor in g.state_dict().items() if not key.startswith("draw.")}
    for key, tensor in found.state.items():
        layer, *inner, leaf = key.split(".")
        if not inner:
            state[f"draw.{ends[layer]}.{leaf}"] = tensor
            continue
        place = f"draw.blocks.{int(layer.removeprefix('block')) - 2}.{_GENERATOR[inner[0]]}"
        if inner[1:] == ["embed"]:
            gains, shifts = tensor.T.chunk(2) if tensor.dim() == 2 else (tensor, tensor)
            state[f"{place}.gain.weight"], state[f"{place}.shift.weight"] = gains - 1, shifts
        else:
            state[f"{place}.{'norm.' if inner[1:] == ['bn'] else ''}{leaf}"] = tensor
    return fit_state(found.file, state, g, notes, expected=mimicry.EXPECTED, todo=mimicry.TODO)


def _read_discriminator(file: str, state: State, cfg: Config, notes: list[str]) -> tuple[Config, State]:
    """Raises InputError where its blocks are not ours: beyond 32 px their first layers have other widths."""
    if cfg.size != 32:
        raise InputError(
            f"{file}: a cGAN-PD's discriminator of {cfg.size} px, whose blocks have other widths inside than edgegan's",
            "one of 32 px, or the netG file alone",
            "leave it out: training from the generator begins with a new discriminator",
        )
    first = state["block1.c1.weight_orig"] if "block1.c1.weight_orig" in state else torch.zeros(cfg.ndf)
    cfg = replace(cfg, ndf=len(first))
    d, renamed, expected = discriminator(cfg), _rename(state), "that of mimicry's cGAN-PD of 32 px"
    more = sorted(renamed.keys() - d.state_dict().keys())
    if more:
        raise InputError(f"{file}: {first_of(more)}: more than that", expected, mimicry.TODO)
    return cfg, fit_state(file, renamed, d, notes, expected=expected, todo=mimicry.TODO)


def _rename(state: State) -> State:
    renamed: State = {}
    for key, tensor in state.items():
        layer, *inner, leaf = key.split(".")
        if layer == "l_y":
            tensor = tensor.T if leaf == "weight_orig" and tensor.dim() == 2 else tensor
            renamed[f"embedding.parametrizations.weight.{_TRANSPOSED.get(leaf, leaf)}"] = tensor
            continue
        number, place = layer.removeprefix("block"), "score" if layer == "l5" else layer
        if inner and number.isdecimal():
            place = f"blocks.{int(number) - 1}.{_GENERATOR.get(inner[0], inner[0])}"
        renamed[f"{place}.{f'parametrizations.weight.{_SPECTRAL[leaf]}' if leaf in _SPECTRAL else leaf}"] = tensor
    return renamed
