"""Checkpoints of PyTorch's DCGAN example: `netG_epoch_N.pth`, alone or with its `netD_epoch_N.pth`.

Each is a bare state dict with names `main.N`. Layers are told by their shapes; the same names with biases, other
kernels, another number of channels or widths that do not double are another program's, and refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from torch import Tensor

from edgegan.families import Imported, ImportOptions
from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator
from edgegan.networks.state_dicts import fit_state, natural_order, read_state
from edgegan.runtime.errors import InputError

from .config import SIZES, Config

State = dict[str, Tensor]

LICENCE = (
    "weights in the layout of PyTorch's DCGAN example (BSD-3-Clause); the rights in its pictures are their owners'"
)
_EXPECTED = "the network of PyTorch's DCGAN example"
_TODO = "it comes from a changed version of that program, which edgegan does not know"


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """The generator and, where its file is there, the discriminator; None if no file is a DCGAN's.

    Raises InputError: two generators, pictures that are not RGB, a size other than `options.size`, layers that do not
    fit.
    """
    read = {name: read_state(loaded) for name, loaded in files.items()}
    kinds = {name: _kind(state) for name, state in read.items()}
    generators = [name for name, kind in kinds.items() if kind == "generator"]
    if not generators or not all(kinds.values()):
        return None
    critics = [name for name, kind in kinds.items() if kind == "discriminator"]
    if len(generators) > 1 or len(critics) > 1:
        raise InputError(f"DCGAN: {', '.join(files)}", "one netG file, and at most one netD file with it")
    file = generators[0]
    cfg, notes = _config(file, read[file], options)
    g = DcganGenerator(cfg.size, cfg.nz, cfg.ngf, "4x4")
    networks = {"generator": fit_state(file, read[file], g, notes, expected=_EXPECTED, todo=_TODO)}
    for critic in critics:
        cfg = replace(cfg, ndf=int(_convolutions(read[critic])[0].shape[0]))
        d = DcganDiscriminator(cfg.size, cfg.ndf, "4x4")
        networks["discriminator"] = fit_state(critic, read[critic], d, notes, expected=_EXPECTED, todo=_TODO)
    return Imported(cfg, networks, tuple(notes))


def _convolutions(state: State) -> list[Tensor]:
    return [state[key] for key in sorted(state, key=natural_order) if state[key].dim() == 4]


def _kind(state: State) -> str:
    """generator, discriminator, or nothing: a chain `main.N` of 4x4 kernels from noise, or down to one score."""
    if not state or not all(key.split(".")[0] == "main" and len(key.split(".")) == 3 for key in state):
        return ""
    shapes = [tuple(tensor.shape) for tensor in _convolutions(state)]
    if len(shapes) < 4 or any(shape[2:] != (4, 4) for shape in shapes):
        return ""
    if "main.1.running_mean" in state:  # a generator has a norm behind its first layer, a discriminator has none
        return "generator"
    return "discriminator" if shapes[-1][0] == 1 else ""


def _config(file: str, state: State, options: ImportOptions) -> tuple[Config, list[str]]:
    """Widths and size, from the shapes of the transposed convolutions: (in, out, 4, 4)."""
    layers = _convolutions(state)
    nz, ngf, channels, size = int(layers[0].shape[0]), *map(int, layers[-1].shape[:2]), 2 ** (len(layers) + 1)
    if channels != 3:
        raise InputError(f"{file}: a generator of pictures with {channels} channels", "3 (RGB)")
    if size not in SIZES:
        raise InputError(f"{file}: {len(layers)} layers, so pictures of {size} px", f"{', '.join(map(str, SIZES))} px")
    if options.size not in (None, size):
        raise InputError(f"--size {options.size}: {file} draws {size} px", todo="leave --size out")
    biased = [key for key, tensor in state.items() if key.endswith(".bias") and state[key[:-4] + "weight"].dim() == 4]
    if biased:
        raise InputError(f"{file}: {biased[0]}: a convolution with a bias", _EXPECTED, _TODO)
    if options.bn not in ("keep", "recalibrate"):
        raise InputError(f"--bn {options.bn}", "keep or recalibrate")
    cfg = Config(size=size, body="4x4", latent="normal", nz=nz, ngf=ngf, bn=options.bn, licence=LICENCE)  # type: ignore[arg-type]
    if options.domain:
        cfg = replace(cfg, domain=options.domain)
    notes = [
        f"{file}: a generator of {size} px, ngf {ngf}, nz {nz}; live weights, as that program keeps no average",
        f"{file}: taken as trained on noise of N(0, 1) and pictures in [-1, 1]: the file cannot tell",
    ]
    return cfg, notes
