"""The authors' checkpoints: `N.pth`, whose generator is the average already, and `all_N.pth`, which holds both.

Later versions of their code, and users' own, left other names and other networks; what does not fit is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from torch import Tensor, nn

from edgegan import config
from edgegan.families import Imported, ImportOptions
from edgegan.networks.state_dicts import fit_state, read_state
from edgegan.runtime.errors import InputError

from .config import SIZES, Config
from .discriminator import Discriminator
from .networks import WIDTHS, Generator

State = dict[str, Tensor]

LICENCE = "weights of the FastGAN authors' code (GPL-3.0); the rights in the training pictures are their owners'"
BATCH = 8  # pictures in each of the authors' iterations, which number their files
_FIRST = "init.init.0.weight_orig"
# The newer spectral norm of PyTorch has other names for the same three tensors.
_RENAMED = {
    ".parametrizations.weight.original": ".weight_orig",
    ".parametrizations.weight.0._u": ".weight_u",
    ".parametrizations.weight.0._v": ".weight_v",
}


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """The averaged generator and, where it fits, the discriminator; None if no file is FastGAN's.

    Widths and size come from the shapes. All else is what the preset of that size says; `options.bn` is kept in the
    config, for previews and export.

    Raises InputError: several files, a size other than `options.size`, a network or an average that does not fit.
    """
    states = {name: _generator_of(loaded) for name, loaded in files.items()}
    ours = [name for name, state in states.items() if state]
    if not ours:
        return None
    if len(files) != 1:
        raise InputError(f"FastGAN: {', '.join(files)}", "one file (N.pth or all_N.pth), which holds both networks")
    file, loaded, state = ours[0], files[ours[0]], states[ours[0]]
    cfg = _config(file, state, options)
    notes = [f"{file}: a generator of {cfg.size} px, ngf {cfg.ngf}, nz {cfg.nz}"]
    g = Generator(cfg.size, cfg.nz, cfg.ngf, cfg.small)
    _merge_average(file, loaded, state, g, notes)
    networks = {"generator": _fit(f"{file}: the generator", state, g, notes)}

    critic = _bare(loaded.get("d"))
    head = critic.get("rf_big.0.weight_orig")
    if head is not None:
        cfg = replace(cfg, ndf=int(head.shape[0]) // 16)
        try:
            d = Discriminator(cfg.size, cfg.ndf, cfg.small)
            networks["discriminator"] = _fit(f"{file}: the discriminator", critic, d, notes)
        except InputError as error:
            notes.append(f"{error.seen}; left out: only training needs it")
            cfg = replace(cfg, ndf=64)
    return Imported(cfg, networks, tuple(notes), _images(file, notes))


def _bare(loaded: Any) -> State:
    """A state dict without the prefix of training on several GPUs, under our names; empty if it is not one."""
    found = {}
    for name, tensor in read_state(loaded).items():
        for theirs, ours in _RENAMED.items():
            if name.endswith(theirs):
                name = name.removesuffix(theirs) + ours
        found[name] = tensor
    return found


def _generator_of(loaded: Any) -> State:
    """The generator's state in what a file holds: under "g", or the file itself; empty if it is not FastGAN's."""
    found = _bare(loaded.get("g", loaded)) if isinstance(loaded, Mapping) else {}
    ours = {_FIRST, "to_big.weight_orig", "feat_8.1.weight_orig"} <= found.keys()
    return found if ours and found[_FIRST].dim() == 4 else {}


def _config(file: str, state: State, options: ImportOptions) -> Config:
    """Widths and size from the shapes."""
    nz, ngf = int(state[_FIRST].shape[0]), int(state[_FIRST].shape[1]) // 32
    channels = int(state["to_big.weight_orig"].shape[1])
    size = next(
        (s for s in SIZES if f"feat_{2 * s}.1.weight_orig" not in state and WIDTHS[s] * ngf // 64 == channels), 0
    )
    if not size:
        raise InputError(
            f"{file}: its last convolution takes {channels} channels, at a width of {ngf}",
            f"that of a FastGAN of {', '.join(map(str, SIZES))} px",
            "it comes from a changed version of the authors' code, which edgegan does not know",
        )
    if options.size not in (None, size):
        raise InputError(f"--size {options.size}: {file} was trained at {size}", todo="leave --size out")
    cfg = config.load(Config, "fastgan", f"few-shot-{size}") if size >= 256 else Config(size=size)  # type: ignore[arg-type]
    if options.bn not in ("keep", "recalibrate"):
        raise InputError(f"--bn {options.bn}", "keep or recalibrate")
    domain = options.domain or cfg.domain
    return replace(cfg, nz=nz, ngf=ngf, bn=options.bn, domain=domain, licence=LICENCE)


def _merge_average(file: str, loaded: Mapping[str, Any], state: State, g: nn.Module, notes: list[str]) -> None:
    """Puts the average of `all_N.pth` in the place of the live weights; buffers stay those of the live network."""
    average = loaded.get("g_ema")
    if average is None:
        kind = "live weights, not their average" if "opt_g" in loaded else "its generator is the average already"
        notes.append(f"{file}: no g_ema: {kind}")
        return
    if isinstance(average, Mapping):
        named = _bare(average)
        how = "by name"
    else:
        names = [name for name, _ in g.named_parameters()]
        if not isinstance(average, list | tuple) or len(average) != len(names):
            size = len(average) if isinstance(average, list | tuple) else type(average).__name__
            raise InputError(
                f"{file}: g_ema is a list of {size} tensors",
                f"{len(names)}, one for each parameter of this generator, in order",
                "it comes from a changed version of the authors' code",
            )
        named = dict(zip(names, average, strict=True))
        how = "a list, in the order of the parameters"
    wrong = [name for name, tensor in named.items() if name in state and tensor.shape != state[name].shape]
    if wrong or not named.keys() & state.keys():
        what = f"{wrong[0]} is {tuple(named[wrong[0]].shape)}" if wrong else "none of its names is the generator's"
        raise InputError(f"{file}: g_ema does not fit the generator: {what}", "the average of the same network")
    state.update({name: tensor for name, tensor in named.items() if name in state})
    notes.append(f"{file}: took the average g_ema ({how}) instead of the live weights")


def _fit(what: str, state: State, network: nn.Module, notes: list[str]) -> State:
    return fit_state(
        what,
        state,
        network,
        notes,
        expected="the network of the authors' current code",
        todo="each of their released models came with code of its own: edgegan knows the current one",
    )


def _images(file: str, notes: list[str]) -> int:
    """The real pictures that training had shown, by the number in the file's name."""
    found = re.fullmatch(r"(?:all_)?(\d+)\.pth", file)
    if found is None:
        return 0
    notes.append(f"{int(found[1])} iterations of {BATCH} pictures, by the file's name")
    return BATCH * int(found[1])
