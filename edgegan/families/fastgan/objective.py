"""FastGAN's losses (Liu et al. 2021, section 3; equation numbers are the paper's).

The generator's phase comes first and leaves its pictures to the discriminator's: both learn from the same ones, as in
the original, at the price of one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step
from edgegan.lpips import Lpips
from edgegan.networks.diff_augment import DRAWS, diff_augment
from edgegan.networks.projected import ProjectedDiscriminator

from .config import Config
from .discriminator import Discriminator, quadrants
from .networks import Generator

Distance = Callable[[Tensor, Tensor], Tensor]  # two batches of pictures -> (N,)

# Numbers of the independent draws of one step.
_REAL, _FAKE_BIG, _FAKE_SMALL, _MARGIN_REAL, _MARGIN_FAKE, _QUADRANT = range(1, 7)
_FAKES = "fakes"


def distance(cfg: Config, device: torch.device) -> Distance:
    """How far reconstructions are from their pictures: LPIPS, or the mean absolute difference, per picture."""
    if cfg.reconstruction == "lpips":
        heads = Path(cfg.lpips_heads) if cfg.lpips_heads else None
        return Lpips(Path(cfg.lpips_weights), heads).to(device)
    return lambda a, b: (a - b).abs().mean((1, 2, 3))


def g_loss(cfg: Config, g: Generator, d: Discriminator, step: Step) -> Loss:
    """-E[D(G(z))] (eq. 6)."""
    real = step.real["image"]
    big, small = g(torch.randn(len(real), cfg.nz, device=real.device))
    big = _augment(cfg, step, big, _FAKE_BIG)
    small = _augment(cfg, step, small, _FAKE_SMALL)
    step.scratch[_FAKES] = big.detach(), small.detach()
    score = losses.critic_g(d(big, small))
    return score, {"adv": score}


def d_loss(cfg: Config, d: Discriminator, far: Distance, step: Step) -> Loss:
    """The hinge with a random margin (eq. 5), plus the reconstruction of real pictures (eq. 4).

    Reconstructed are the augmented picture, its small version, and a random quadrant (the original draws one quadrant
    for the whole batch).
    """
    real = step.real["image"]
    big = _augment(cfg, step, real, _REAL)
    small = resize(big, d.small)
    which = (step.uniform(len(real), draw=_QUADRANT) * 4).long()
    found = d.features(big, small)
    scores = d.score(found)
    whole, from_small, part = d.reconstruct(found, which)
    target = resize(big, d.rec_size)
    fake_scores = d(*step.scratch.pop(_FAKES))
    real_margin, fake_margin = (
        margins(step, tuple(scores.shape), draw).to(scores) for draw in (_MARGIN_REAL, _MARGIN_FAKE)
    )
    parts = {
        "adv": F.relu(real_margin - scores).mean() + F.relu(fake_margin + fake_scores).mean(),
        "rec": (
            far(whole, target) + far(from_small, target) + far(part, resize(quadrants(big, which), d.rec_size))
        ).mean(),
    }
    return parts["adv"] + cfg.lambda_rec * parts["rec"], parts


def projected_g_loss(cfg: Config, g: Generator, d: ProjectedDiscriminator, step: Step) -> Loss:
    """The generator's side of the hinge, the mean over D's heads (Projected GANs, eq. 2)."""
    real = step.real["image"]
    big, _ = g(torch.randn(len(real), cfg.nz, device=real.device))
    big = _augment(cfg, step, big, _FAKE_BIG)
    step.scratch[_FAKES] = big.detach()
    score = losses.average_heads(losses.critic_g, d(big)[0])
    return score, {"adv": score}


def projected_d_loss(cfg: Config, d: ProjectedDiscriminator, step: Step) -> Loss:
    """The hinge, the mean over D's heads, on the pictures that the generator's phase has left."""
    real = d(_augment(cfg, step, step.real["image"], _REAL))[0]
    adv = losses.average_heads(losses.hinge_d, real, d(step.scratch.pop(_FAKES))[0])
    return adv, {"adv": adv}


def margins(step: Step, shape: tuple[int, ...], draw: int) -> Tensor:
    """Random margins of the hinge, in [0.8, 1), one for each score."""
    return 0.8 + 0.2 * step.uniform(*shape, draw=draw)


def resize(image: Tensor, edge: int) -> Tensor:
    """(N, C, H, W) -> (N, C, edge, edge), nearest, as the original."""
    return F.interpolate(image, size=(edge, edge), mode="nearest")


def _augment(cfg: Config, step: Step, image: Tensor, draw: int) -> Tensor:
    return diff_augment(image, step.uniform(len(image), DRAWS, draw=draw), cfg.augment)
