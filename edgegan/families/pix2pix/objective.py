"""pix2pix's losses (Isola et al. 2017, section 3.1; equation numbers are the paper's)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegan import losses
from edgegan.families import Loss, Step

from .config import Config


def sides(cfg: Config, step: Step) -> tuple[Tensor, Tensor]:
    """What is given and what is wanted, each (N, 3, H, W) in [-1, 1]."""
    a, b = step.real["a"], step.real["b"]
    return (a, b) if cfg.direction == "AtoB" else (b, a)


def d_loss(cfg: Config, g: nn.Module, d: nn.Module, step: Step) -> Loss:
    """Half of -L_cGAN (eq. 1; section 3.3), on given ++ wanted and given ++ drawn; WGAN-GP is not halved."""
    game = losses.ADVERSARIAL[cfg.adversarial]
    given, wanted = sides(cfg, step)
    with torch.no_grad():
        drawn = g(given)
    real, fake = torch.cat([given, wanted], 1), torch.cat([given, drawn.to(given.dtype)], 1)
    parts = {"adv": game.d(d(real), d(fake))}
    if cfg.adversarial == "wgan-gp":
        parts["gp"] = losses.gradient_penalty(d, real, fake, step.uniform(len(real)))
        return parts["adv"] + cfg.lambda_gp * parts["gp"], parts
    return 0.5 * parts["adv"], parts


def g_loss(cfg: Config, g: nn.Module, d: nn.Module, step: Step) -> Loss:
    """L_cGAN + lambda L_L1 (eq. 4), with the generator's side that does not saturate."""
    given, wanted = sides(cfg, step)
    drawn = g(given)
    parts = {
        "adv": losses.ADVERSARIAL[cfg.adversarial].g(d(torch.cat([given, drawn.to(given.dtype)], 1))),
        "l1": (drawn - wanted).abs().mean(),
    }
    return parts["adv"] + cfg.lambda_l1 * parts["l1"], parts
