"""The losses of the papers, as pure functions. None of them calls backward.

D outputs are raw scores of any shape (N, ...); a map counts as the mean of its places unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def wgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(fake)] - E[D(real)] (WGAN, eq. 2)."""
    return fake.mean() - real.mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(real))] + E[max(0, 1 + D(fake))] (Geometric GAN, eq. 16-17)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def critic_g(fake: Tensor) -> Tensor:
    """-E[D(fake)]: the generator's side of both WGAN and hinge."""
    return -fake.mean()


def lsgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[(D(real) - 1)^2] + E[D(fake)^2] (LSGAN, eq. 9 without its 1/2, which the caller weighs)."""
    return (real - 1).square().mean() + fake.square().mean()


def lsgan_g(fake: Tensor) -> Tensor:
    """E[(D(fake) - 1)^2] (LSGAN, eq. 9 without its 1/2)."""
    return (fake - 1).square().mean()


def vanilla_d(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log s(D(real))] - E[log(1 - s(D(fake)))] with the sigmoid s (GAN, eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def vanilla_g(fake: Tensor) -> Tensor:
    """-E[log s(D(fake))]: the generator's side that does not saturate (GAN, section 3)."""
    return F.softplus(-fake).mean()


def average_heads(loss: Callable[..., Tensor], *scores: Sequence[Tensor]) -> Tensor:
    """The mean of a loss over the score maps of a discriminator with several heads."""
    return torch.stack([loss(*maps) for maps in zip(*scores, strict=True)]).mean()


@dataclass(frozen=True)
class Adversarial:
    """The two sides of a game: d(real scores, fake scores) and g(fake scores)."""

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor], Tensor]


ADVERSARIAL = {
    "hinge": Adversarial(hinge_d, critic_g),
    "lsgan": Adversarial(lsgan_d, lsgan_g),
    "vanilla": Adversarial(vanilla_d, vanilla_g),
    "wgan-gp": Adversarial(wgan_d, critic_g),  # the caller adds the gradient penalty
}


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """E[(|grad D(x^)|_2 - 1)^2] with x^ = alpha real + (1 - alpha) fake (WGAN-GP, eq. 3).

    Args:
        critic: pictures (N, C, H, W) -> scores; a score map is summed, as StarGAN's code does.
        alpha: (N,) in [0, 1], one point per picture.
    """
    mixed = torch.lerp(fake, real, alpha.view(-1, 1, 1, 1).to(real)).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return (norms - 1).square().mean()


def r1(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """E[|grad D(x)|^2] on real pictures (Mescheder et al. 2018, eq. 9); the caller weighs it with gamma / 2."""
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(real).reshape(len(real), -1).mean(1).sum(), real, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()


def attribute_classification(logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """Binary cross-entropy summed over attributes, averaged over pictures (StarGAN, eq. 2-3, binary labels).

    `known` (N, C) weights each label: 0 where it is unknown.
    """
    return F.binary_cross_entropy_with_logits(logits, target, known, reduction="sum") / logits.shape[0]


def class_classification(logits: Tensor, target: Tensor) -> Tensor:
    """Softmax cross-entropy, averaged over pictures (StarGAN, eq. 2-3, labels of which one is on).

    `target` (N, C) is one-hot.
    """
    return F.cross_entropy(logits, target.argmax(1))


def mask_penalty(mask: Tensor, change: Tensor) -> Tensor:
    """The mean of -log of an output mask (N, 1, H, W) in [0, 1], each pixel in proportion to what is to change there.

    Paint learns through the mask: its gradient, and the mask's own, are multiplied by how far that is open. Where an
    edit's mask has closed before the paint was any good, a distance between pictures alone does not open it again; this
    does, since its slope in the mask's logit is 1 where it is closed.

    Args:
        mask: of the generator.
        change: (N, 1, H, W), at least 0; its mean over a picture counts as 1.
    """
    share = change / (change.mean((1, 2, 3), keepdim=True) + 1e-2)
    return -(share * torch.log(mask.float() + 1e-6)).mean()
