"""StarGAN's losses and target labels (Choi et al. 2018, section 3; equation numbers are the paper's)."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step

from .config import Config
from .networks import Discriminator, Generator


def target_labels(cfg: Config, step: Step) -> Tensor:
    """(N, C) labels to translate to: the batch's own, permuted; or with one decision changed.

    A decision is an attribute of its own or an exclusive group; each is as likely to change as any other,
    but for those in `focus`.
    """
    own = step.real["label"]
    if cfg.targets == "permute":
        return own[torch.from_numpy(step.rng.permutation(len(own))).to(own.device)]
    decisions = [*cfg.groups, *((n,) for n in cfg.attributes if not any(n in g for g in cfg.groups))]
    decisions += 2 * [d for d in decisions if set(d) & set(cfg.focus)]
    target = own.clone()
    for row, draw in zip(target, (step.uniform(len(own)) * len(decisions)).tolist(), strict=True):
        names = decisions[int(draw)]
        set_attribute(cfg, row, names[int(draw % 1 * len(names))], on=None)
    return target


def set_attribute(cfg: Config, label: Tensor, name: str, *, on: bool | None) -> None:
    """Changes one label (C,) in place: `on`, off, or None to flip. A member of a group turns the others off."""
    index = cfg.attributes.index(name)
    for group in cfg.groups:
        if name in group:
            label[[cfg.attributes.index(n) for n in group]] = 0.0
            label[index] = 1.0
            return
    label[index] = 1.0 - label[index] if on is None else float(on)


def visible(cfg: Config, label: Tensor) -> Tensor:
    """(N, C) 1 where a label can be seen on the picture, 0 where another hides it (hair under a hat)."""
    seen = torch.ones_like(label)
    for name, hidden in cfg.hides.items():
        covered = label[:, cfg.attributes.index(name)] > 0.5
        for other in hidden:
            seen[covered, cfg.attributes.index(other)] = 0.0
    return seen


def d_loss(cfg: Config, g: Generator, d: Discriminator, step: Step) -> Loss:
    """-L_adv + lambda_cls L_cls^r (eq. 5), with WGAN-GP (eq. 7) or the hinge in place of L_adv."""
    image, label = step.real["image"], step.real["label"]
    with torch.no_grad():
        fake = g(image, target_labels(cfg, step))
    real_score, logits = d(image)
    fake_score, _ = d(fake)
    parts = {"cls": losses.attribute_classification(logits, label, visible(cfg, label))}
    if cfg.adversarial == "wgan-gp":
        parts["adv"] = losses.wgan_d(real_score, fake_score)
        parts["gp"] = losses.gradient_penalty(d.score, image, fake, step.uniform(len(image)))
        return parts["adv"] + cfg.lambda_gp * parts["gp"] + cfg.lambda_cls * parts["cls"], parts
    parts["adv"] = losses.hinge_d(real_score, fake_score)
    return parts["adv"] + cfg.lambda_cls * parts["cls"], parts


def r1_loss(cfg: Config, d: Discriminator, step: Step) -> Loss:
    """gamma / 2 R1, times the interval since it runs only every so often (StyleGAN2, section 3.1)."""
    penalty = losses.r1(d.score, step.real["image"])
    return 0.5 * cfg.r1_gamma * cfg.r1_interval * penalty, {"r1": penalty}


def g_loss(cfg: Config, g: Generator, d: Discriminator, step: Step) -> Loss:
    """L_adv + lambda_cls L_cls^f + lambda_rec L_rec (eq. 6); plus lambda_mask times the mask's mean."""
    image, label = step.real["image"], step.real["label"]
    target = target_labels(cfg, step)
    fake, mask = g.parts(image, target)
    score, logits = d(fake)
    back, back_mask = g.parts(fake, label)
    parts = {
        "adv": losses.critic_g(score),
        "cls": losses.attribute_classification(logits, target, visible(cfg, target)),
        "rec": (image - back).abs().mean(),
    }
    total = parts["adv"] + cfg.lambda_cls * parts["cls"] + cfg.lambda_rec * parts["rec"]
    if mask is not None and back_mask is not None and cfg.lambda_mask:
        parts["mask"] = 0.5 * (mask.mean() + back_mask.mean())
        total = total + cfg.lambda_mask * parts["mask"]
    return total, parts
