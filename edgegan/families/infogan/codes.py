"""The codes: how they are laid out and drawn, and what of them can be read off a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from edgegan.runtime.model.condition import Condition

from .config import Config

UNIFORM_ENTROPY = math.log(2)  # of a continuous code, in nats


def code_names(cfg: Config) -> tuple[tuple[str, ...], ...]:
    """The names of each categorical code's values: c1_0, c1_1, ...; and of each continuous code, alone: c2, c3."""
    count = len(cfg.categorical)
    values = [tuple(f"c{number + 1}_{k}" for k in range(size)) for number, size in enumerate(cfg.categorical)]
    return (*values, *((f"c{count + number + 1}",) for number in range(cfg.continuous)))


def condition(cfg: Config) -> Condition:
    """What the card says of the codes: every value of a categorical code as likely, the others in -1..1."""
    blocks = code_names(cfg)
    categorical, continuous = blocks[: len(cfg.categorical)], blocks[len(cfg.categorical) :]
    odds = [1 / len(block) for block in categorical for _ in block] + [0.0] * cfg.continuous
    return Condition(
        kind="latent",
        names=tuple(name for block in blocks for name in block),
        groups=categorical,
        default=tuple(odds),
        ranges={name: (-1.0, 1.0) for (name,) in continuous},
    )


def draw_codes(cfg: Config, count: int, device: torch.device) -> Tensor:
    """(count, code_width), from torch's generator."""
    parts = [torch.eye(size)[torch.randint(size, (count,))] for size in cfg.categorical]
    parts.append(2 * torch.rand(count, cfg.continuous) - 1)
    return torch.cat(parts, dim=1).to(device)


def blocks_of(cfg: Config, codes: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Each code's name and its columns: (N, values) of a categorical one, (N, 1) of a continuous one."""
    widths = [*cfg.categorical, *[1] * cfg.continuous]
    for number, part in enumerate(torch.split(codes, widths, dim=1)):
        yield f"c{number + 1}", part


def information(cfg: Config, codes: Tensor, estimates: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """What the generator and Q minimise, and the lower bound of each code's mutual information (eq. 4), in nats.

    Q's estimates are logits of a categorical code and the mean of a continuous one, whose deviation is fixed to 1 in
    the loss, as in the authors' code. The bound that is logged takes the best single deviation instead:
    H(c) - ln(2 pi e E[(c - mean)^2]) / 2.
    """
    loss, bounds = codes.new_zeros(()), {}
    for (name, wanted), (_, found) in zip(blocks_of(cfg, codes), blocks_of(cfg, estimates), strict=True):
        if wanted.shape[1] > 1:
            cross = F.cross_entropy(found, wanted)
            loss = loss + cfg.lambda_categorical * cross
            bounds[name] = math.log(wanted.shape[1]) - cross
        else:
            square = (wanted - found).square().mean()
            loss = loss + cfg.lambda_continuous * (0.5 * square + 0.5 * math.log(2 * math.pi))
            bounds[name] = UNIFORM_ENTROPY - 0.5 * torch.log(2 * math.pi * math.e * square)
    return loss, {f"mi_{name}": bound.detach() for name, bound in bounds.items()}


def read_codes(cfg: Config, estimates: Tensor) -> Tensor:
    """Q's estimates as codes: probabilities of a categorical code's values, a continuous one's mean in -1..1."""
    parts = [part.softmax(1) if part.shape[1] > 1 else part.clamp(-1, 1) for _, part in blocks_of(cfg, estimates)]
    return torch.cat(parts, dim=1)
