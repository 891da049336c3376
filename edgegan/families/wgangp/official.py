"""Checkpoints of the mimicry library's residual generators without classes, whichever of its GANs trained them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from torch import Tensor

from edgegan.families import Imported, ImportOptions
from edgegan.networks.generation import mimicry
from edgegan.networks.state_dicts import fit_state, read_state
from edgegan.runtime.errors import InputError

from .config import Config
from .resnet import ResnetGenerator

_PARTS = {"b1": "norm1", "b2": "norm2", "c1": "conv1", "c2": "conv2", "c_sc": "shortcut"}


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """The generator; None if no file is one of mimicry's, or it knows classes.

    Raises InputError: other files beside it, parts or sizes that are not built.
    """
    read = (mimicry.read_generator(name, loaded, options.size, conditional=False) for name, loaded in files.items())
    generators = [found for found in read if found]
    if not generators:
        return None
    if len(files) > 1:
        critics = [name for name, loaded in files.items() if mimicry.is_discriminator(read_state(loaded))]
        raise InputError(
            f"{', '.join(critics or files)}: more than a generator of mimicry",
            "the one netG file",
            "leave the netD file out: its blocks are others than this family's critic has, and training from the "
            "generator begins with a new critic",
        )
    (found,) = generators
    mimicry.check_bn(options.bn)
    cfg = Config(
        size=found.size,  # type: ignore[arg-type]
        nz=found.nz,
        ngf=found.widths[-1],
        widths=found.widths,
        upsampling="bilinear",
        bn=options.bn,  # type: ignore[arg-type]
        licence=mimicry.LICENCE,
    )
    if options.domain:
        cfg = replace(cfg, domain=options.domain)
    notes = [
        *found.describe(options.bn),
        f"{found.file}: its WGAN-GP, SNGAN, SSGAN, InfoMax-GAN and DCGAN have this one generator; what goes on from it "
        "is trained as a WGAN-GP",
        f"{found.file}: biases before norms are taken off the norms' means: the same pictures",
    ]
    g = ResnetGenerator(cfg.nz, cfg.widths, cfg.upsampling)
    state = fit_state(found.file, _rename(found), g, notes, expected=mimicry.EXPECTED, todo=mimicry.TODO)
    return Imported(cfg, {"generator": state}, tuple(notes))


def _rename(found: mimicry.Found) -> dict[str, Tensor]:
    """The state under our names. A norm takes the mean away, so a bias before it may as well be taken off the mean."""
    ends = {"l1": "stem.0", f"b{found.blocks + 2}": "head.0", f"c{found.blocks + 2}": "head.2"}
    state: dict[str, Tensor] = {}
    for key, tensor in found.state.items():
        layer, _, leaf = key.rpartition(".")
        block, _, part = layer.partition(".")
        if not part:
            state[f"{ends[layer]}.{leaf}"] = tensor
            continue
        if (part, leaf) == ("c1", "bias"):
            continue
        if (part, leaf) == ("b2", "running_mean"):
            bias = found.state[f"{block}.c1.bias"]
            if bias.shape != tensor.shape:
                seen = f"{block}.c1.bias is {tuple(bias.shape)}, not {tuple(tensor.shape)}"
                raise InputError(f"{found.file} does not fit: {seen}", mimicry.EXPECTED, mimicry.TODO)
            tensor = tensor - bias
        state[f"blocks.{int(block.removeprefix('block')) - 2}.{_PARTS[part]}.{leaf}"] = tensor
    return state
