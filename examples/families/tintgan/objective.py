"""TintGAN's losses: a hinge game over colour pictures, and an L1 pull to the true colours."""

from __future__ import annotations

import torch

from edgegan import losses
from edgegan.families import Loss, Step

from .config import Config
from .networks import Discriminator, Generator


def d_loss(g: Generator, d: Discriminator, step: Step) -> Loss:
    """The critic's side of the hinge game."""
    image = step.real["image"]
    with torch.no_grad():
        fake = g(image)
    adv = losses.hinge_d(d(image), d(fake))
    return adv, {"adv": adv}


def g_loss(cfg: Config, g: Generator, d: Discriminator, step: Step) -> Loss:
    """The generator's side, plus lambda_rec times the mean distance to the true colours."""
    image = step.real["image"]
    fake = g(image)
    parts = {"adv": losses.critic_g(d(fake)), "rec": (fake - image).abs().mean()}
    return parts["adv"] + cfg.lambda_rec * parts["rec"], parts
