"""Residual generators of the mimicry library (kwotsin/mimicry), read from their state dicts.

Files are {model_state_dict, optimizer_state_dict, global_step}, one for each network. The generators of its WGAN-GP,
SNGAN, SSGAN, InfoMax-GAN and (residual) DCGAN are one network; that of its cGAN-PD has norms with a table of gains and
shifts, a row for each class. Shortcuts and second layers are told from keys and shapes; keys that are not known, such
as those of SAGAN's attention, are refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from edgegan.networks.state_dicts import first_of, read_state
from edgegan.runtime.errors import InputError

State = dict[str, Tensor]

LICENCE = "weights in the layout of the mimicry library (MIT); the rights in its pictures are their owners'"
EXPECTED = "a generator of mimicry's WGAN-GP, SNGAN, SSGAN, InfoMax-GAN, DCGAN or cGAN-PD"
TODO = "it comes from another network, or a changed version of that program, which edgegan does not know"
SIZES = (16, 32, 64, 128)


@dataclass(frozen=True)
class Found:
    """A generator: channels of its maps from 4 px up, latents, classes (0: none), and its state under its own names."""

    file: str
    widths: tuple[int, ...]
    nz: int
    classes: int
    state: State
    steps: int | None

    @property
    def size(self) -> int:
        """Edge of its pictures in pixels."""
        return 4 << self.blocks

    @property
    def blocks(self) -> int:
        """Residual blocks, each of which doubles the edge."""
        return len(self.widths) - 1

    def describe(self, bn: str) -> list[str]:
        """What was found and assumed, as notes."""
        widths = ", ".join(map(str, self.widths))
        trained = f", after {self.steps} steps" if self.steps is not None else ""
        classes = f", {self.classes} classes" if self.classes else ""
        return [
            f"{self.file}: a generator of {self.size} px, widths {widths}, nz {self.nz}{classes}{trained}; live "
            "weights, as that program keeps no average",
            f"{self.file}: taken as one that ends in a tanh, of pictures in [-1, 1]: that of its DCGAN for CIFAR-10 "
            "has a sigmoid, and the same layers",
            f"{self.file}: batch statistics "
            + ("are the file's" if bn == "keep" else "will be measured on its weights; --bn keep takes the file's"),
        ]


def read_generator(file: str, loaded: Any, size: int | None, *, conditional: bool) -> Found | None:
    """What the file holds; None if it is no residual generator of mimicry's, or not of this kind.

    Args:
        file: its name, for messages.
        loaded: what torch.load or safetensors gave.
        size: of the pictures, if the user says it.
        conditional: whether one with classes is looked for.

    Raises InputError if it is one with other parts, for pictures that are not RGB, or of a size that is not built.
    """
    state = read_state(loaded)
    known = {"block2.c1.weight", "block2.c1.weight_orig"} & state.keys()
    if not known or is_discriminator(state) or conditional != any(key.endswith(".embed.weight") for key in state):
        return None
    odd = next((key for key in state if key.startswith("attn_block.") or key.endswith("weight_orig")), "")
    if odd:
        raise InputError(f"{file}: {odd}: a generator with spectral norms or attention, as SAGAN's", EXPECTED, TODO)
    blocks = 0
    while f"block{blocks + 2}.c1.weight" in state:
        blocks += 1
    table = "block2.b1.embed.weight"
    dims = {"l1.weight": 2, f"c{blocks + 2}.weight": 4, **({table: 2} if conditional else {})}
    dims |= {f"block{number}.c1.weight": 4 for number in range(2, blocks + 2)}
    wrong = [
        f"{key} is missing or of another form"
        for key, dim in dims.items()
        if key not in state or state[key].dim() != dim
    ]
    if wrong:
        raise InputError(f"{file} does not fit: {first_of(wrong)}", EXPECTED, TODO)
    first, last = state["block2.c1.weight"], state[f"c{blocks + 2}.weight"]
    widths = (first.shape[1], *(state[f"block{number}.c1.weight"].shape[0] for number in range(2, blocks + 2)))
    classes = len(state[table]) if conditional else 0
    _check_keys(file, state, blocks, conditional)
    edge = math.isqrt(len(state["l1.weight"]) // widths[0])
    if edge != 4 or edge << blocks not in SIZES:
        raise InputError(
            f"{file}: a generator that begins with maps of {edge} px, for pictures of {edge << blocks} px",
            f"maps of 4 px, for pictures of {', '.join(map(str, SIZES))} px",
            "edgegan builds no other sizes",
        )
    if len(last) != 3:
        raise InputError(f"{file}: a generator of pictures with {len(last)} channels", "3 (RGB)")
    if size not in (None, edge << blocks):
        raise InputError(f"--size {size}: {file} draws {edge << blocks} px", todo="leave --size out")
    steps = loaded.get("global_step") if isinstance(loaded, Mapping) else None
    return Found(file, widths, state["l1.weight"].shape[1], classes, state, steps if isinstance(steps, int) else None)


def is_discriminator(state: Mapping[str, Tensor]) -> bool:
    """Whether the state is one of mimicry's discriminators: their first block is numbered 1."""
    return "block1.c1.weight" in state or "block1.c1.weight_orig" in state


def check_bn(bn: str) -> None:
    """Raises InputError for what --bn cannot be."""
    if bn not in ("keep", "recalibrate"):
        raise InputError(f"--bn {bn}", "keep or recalibrate")


def _check_keys(file: str, state: State, blocks: int, conditional: bool) -> None:
    """Raises InputError unless the keys are those of such a generator, all of them, and no others."""
    tables = ("bn.running_mean", "bn.running_var", "embed.weight")
    norm = tables if conditional else ("weight", "bias", "running_mean", "running_var")
    wanted = {"l1.weight", "l1.bias", f"c{blocks + 2}.weight", f"c{blocks + 2}.bias"}
    wanted |= {f"b{blocks + 2}.{leaf}" for leaf in ("weight", "bias", "running_mean", "running_var")}
    for number in range(2, blocks + 2):
        wanted |= {f"block{number}.{layer}.{leaf}" for layer in ("c1", "c2", "c_sc") for leaf in ("weight", "bias")}
        wanted |= {f"block{number}.{layer}.{leaf}" for layer in ("b1", "b2") for leaf in norm}
    found = {key for key in state if not key.endswith("num_batches_tracked")}
    wrong = [f"{key} is missing" for key in sorted(wanted - found)]
    wrong += [f"{key} is more than that" for key in sorted(found - wanted)]
    if wrong:
        raise InputError(f"{file} does not fit: {first_of(wrong)}", EXPECTED, TODO)
