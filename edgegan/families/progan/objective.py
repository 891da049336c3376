"""ProGAN's losses: those of WGAN-GP, and a term that keeps scores near 0 (Karras et al. 2018, appendix A.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step

from .config import Config
from .growth import fade
from .networks import Critic, Generator

_PENALTY = 1  # the number of the draw of the penalty's points


def d_loss(cfg: Config, g: Generator, d: Critic, step: Step) -> Loss:
    """E[D(G(z))] - E[D(x)] + lambda E[(|grad D| - 1)^2] + drift E[D(x)^2].

    The penalty counts differences between pictures of the size that is trained; the authors' code enlarges them to
    the final size first, where the same critic is less steep.
    """
    level = d.host_level

    def score(image: Tensor) -> Tensor:
        return d.score(image, level)

    real = fade(step.real["image"], level)
    with torch.no_grad():
        fake = _draw(cfg, g, real)
    scores, fake_scores = score(real), score(fake)
    estimate = losses.wgan_d(scores, fake_scores)
    penalty = losses.gradient_penalty(score, real, fake, step.uniform(len(real), draw=_PENALTY))
    drift = scores.square().mean()
    return estimate + cfg.lambda_gp * penalty + cfg.drift * drift, {"adv": estimate, "gp": penalty, "drift": drift}


def g_loss(cfg: Config, g: Generator, d: Critic, step: Step) -> Loss:
    """-E[D(G(z))]."""
    score = losses.critic_g(d.score(_draw(cfg, g, step.real["image"]), d.host_level))
    return score, {"adv": score}


def _draw(cfg: Config, g: Generator, like: Tensor) -> Tensor:
    fake: Tensor = g(torch.randn(len(like), cfg.nz, device=like.device))
    return fake
