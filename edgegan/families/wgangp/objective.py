"""WGAN-GP's critic loss (Gulrajani et al. 2017, eq. 3); the generator's is WGAN's."""

from __future__ import annotations

import torch
from torch import nn

from edgegan import losses
from edgegan.families import Loss, Step

from .config import Config

_PENALTY = 1  # the number of the draw of the penalty's points


def d_loss(cfg: Config, g: nn.Module, d: nn.Module, step: Step) -> Loss:
    """E[D(G(z))] - E[D(x)] + lambda E[(|grad D(x^)| - 1)^2]."""
    real = step.real["image"]
    with torch.no_grad():
        fake = g(torch.randn(len(real), cfg.nz, device=real.device))
    adv = losses.wgan_d(d(real), d(fake))
    penalty = losses.gradient_penalty(d, real, fake, step.uniform(len(real), draw=_PENALTY))
    return adv + cfg.lambda_gp * penalty, {"estimate": -adv, "gp": penalty}


def g_loss(cfg: Config, g: nn.Module, d: nn.Module, step: Step) -> Loss:
    """-E[D(G(z))]."""
    real = step.real["image"]
    adv = losses.critic_g(d(g(torch.randn(len(real), cfg.nz, device=real.device))))
    return adv, {"adv": adv}
