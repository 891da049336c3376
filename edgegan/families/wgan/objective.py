"""WGAN's losses (Arjovsky et al. 2017, eq. 2 and algorithm 1), and the bound on the critic's weights."""

from __future__ import annotations

import torch
from torch import nn

from edgegan import losses
from edgegan.families import Loss, Step


def d_loss(nz: int, g: nn.Module, d: nn.Module, step: Step) -> Loss:
    """E[D(G(z))] - E[D(x)]. Its negative is the estimate of the distance, in units of the critic's slope."""
    real = step.real["image"]
    with torch.no_grad():
        fake = g(torch.randn(len(real), nz, device=real.device))
    adv = losses.wgan_d(d(real), d(fake))
    return adv, {"estimate": -adv}


def g_loss(nz: int, g: nn.Module, d: nn.Module, step: Step) -> Loss:
    """-E[D(G(z))]."""
    real = step.real["image"]
    adv = losses.critic_g(d(g(torch.randn(len(real), nz, device=real.device))))
    return adv, {"adv": adv}


@torch.no_grad()
def clip_weights(critic: nn.Module, bound: float) -> None:
    """Brings every parameter into [-bound, bound], the gains of norms included, as the authors' code does."""
    for parameter in critic.parameters():
        parameter.clamp_(-bound, bound)
