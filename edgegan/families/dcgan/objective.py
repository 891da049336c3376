"""DCGAN's losses: the GAN's own (Goodfellow et al. 2014, eq. 1), the generator's in the form that does not saturate.

The generator's phase comes first, as in the authors' code, and leaves its pictures to the discriminator's. Real and
generated pictures go through the discriminator apart: in one batch, its norms would see a mixture of both. What
Salimans et al. (2016) added changes single terms.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step
from edgegan.networks.diff_augment import DRAWS, diff_augment

from .config import Config
from .discriminator import ImprovedDiscriminator, Judging
from .history import History

FAKES = "fakes"
_REAL, _FAKE, _MATCHED, _LABELLED = range(4)  # numbers of independent draws
Draw = Callable[[Tensor], Tensor]  # latents -> pictures


def g_loss(cfg: Config, g: Draw, d: Judging, step: Step) -> Loss:
    """-E[log s(D(G(z)))], or how far the features' means are apart; the pictures are left in the step's scratch."""
    real = step.real["image"]
    fakes = g(torch.randn(len(real), cfg.nz, device=real.device))
    step.scratch[FAKES] = fakes.detach()
    features = d.features(augment(cfg, step, fakes, _FAKE))
    if cfg.generator_loss == "feature_matching":
        with torch.no_grad():
            wanted = d.features(augment(cfg, step, step.streams["matched"]["image"], _MATCHED))
        matching = feature_matching(wanted, features)
        return matching, {"matching": matching}
    adv = losses.vanilla_g(d.score(features))
    return adv, {"adv": adv}


def d_loss(cfg: Config, d: Judging, step: Step) -> Loss:
    """-E[log s(D(x))] - E[log(1 - s(D(G(z))))], on the pictures that the generator's phase has left.

    With classes, half of it, and the cross-entropy of the labelled pictures (section 5).
    """
    images = ((step.real["image"], _REAL), (step.scratch.pop(FAKES), _FAKE))
    real, fake = (d.score(d.features(augment(cfg, step, image, draw))) for image, draw in images)
    adv = smooth_d(real, fake, cfg.real_target)
    parts = {"adv": adv, **confidence(real, fake)}
    if not cfg.classes:
        return adv, parts
    assert isinstance(d, ImprovedDiscriminator)
    labelled = step.streams["labelled"]
    logits = d.logits(d.features(augment(cfg, step, labelled["image"], _LABELLED)))
    parts["class"] = F.cross_entropy(logits, labelled["label"].argmax(1))
    return 0.5 * adv + parts["class"], parts


def augment(cfg: Config, step: Step, image: Tensor, draw: int) -> Tensor:
    """What the discriminator sees of pictures: DiffAugment, if the configuration wants it."""
    if not cfg.d_augment:
        return image
    return diff_augment(image, step.uniform(len(image), DRAWS, draw=draw), cfg.d_augment)


def smooth_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """The discriminator's loss where real pictures are to be taken for real with probability `target` alone.

    Generated ones keep the target 0: a higher one would reward what the generator does already (section 3.4).
    """
    return losses.vanilla_d(real, fake) + (1 - target) * real.mean()


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """The mean square between the means of the features over both batches (section 3.1)."""
    return (real.flatten(1).mean(0) - fake.flatten(1).mean(0)).square().mean()


def with_history(loss: Loss, weight: float, history: History, weights: Tensor) -> Loss:
    """The loss with historical averaging."""
    penalty = history(weights)
    return loss[0] + weight * penalty, {**loss[1], "history": penalty}


@torch.no_grad()
def confidence(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """How sure the discriminator is: the mean of s(D) on real and on generated pictures; 0.5 is a coin's."""
    return {"real": torch.sigmoid(real).mean(), "fake": torch.sigmoid(fake).mean()}
