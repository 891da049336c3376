"""InfoGAN's losses: the GAN's own, and a lower bound of what pictures tell of their codes (Chen et al. 2016, eq. 6)."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step

from .codes import draw_codes, information
from .config import Config
from .networks import Discriminator, Generator


def d_loss(cfg: Config, g: Generator, d: Discriminator, step: Step) -> Loss:
    """The discriminator's side; the trunk and Q learn to read the codes of generated pictures."""
    real = step.real["image"]
    with torch.no_grad():
        fakes, codes = _fakes(cfg, g, real)
    scores, estimates = d(fakes)
    adv = losses.vanilla_d(d.score(real), scores)
    hidden, bounds = information(cfg, codes, estimates)
    return adv + hidden, {"adv": adv, **bounds}


def g_loss(cfg: Config, g: Generator, d: Discriminator, step: Step) -> Loss:
    """The generator's side: pictures that are taken for real, and whose codes can be read."""
    fakes, codes = _fakes(cfg, g, step.real["image"])
    scores, estimates = d(fakes)
    adv = losses.vanilla_g(scores)
    hidden, bounds = information(cfg, codes, estimates)
    return adv + hidden, {"adv": adv, **bounds}


def _fakes(cfg: Config, g: Generator, real: Tensor) -> tuple[Tensor, Tensor]:
    codes = draw_codes(cfg, len(real), real.device)
    return g(torch.randn(len(real), cfg.nz, device=real.device), codes), codes
