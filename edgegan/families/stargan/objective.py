"""StarGAN's losses and target labels (Choi et al. 2018, section 3; equation numbers are the paper's)."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan import losses
from edgegan.families import Loss, Step

from .config import Config
from .networks import Discriminator, Generator
from .sets import Slot


def target_labels(cfg: Config, step: Step, slot: Slot) -> Tensor:
    """(N, C) labels to translate to: the batch's own, permuted; or with one decision of its set changed.

    A decision is an attribute of its own or an exclusive group; each is as likely to change as any other,
    but for those in `focus`.
    """
    own = slot.batch(step)["label"]
    if cfg.targets == "permute":
        return step.permuted(own)
    known = slot.set.attributes
    decisions = [g for g in cfg.groups if g[0] in known]
    decisions += [(n,) for n in known if not any(n in g for g in cfg.groups)]
    decisions += 2 * [d for d in decisions if set(d) & set(cfg.focus)]
    target = own.clone()
    for row, draw in zip(target, (step.uniform(len(own), draw=slot.number) * len(decisions)).tolist(), strict=True):
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


def edit_targets(cfg: Config, label: Tensor) -> list[tuple[str, Tensor]]:
    """The paper's test mode: for each attribute, its name and what the generator takes to edit a (C,) label.

    A member of a group is set, any other attribute is flipped.
    """
    found = []
    for name in cfg.attributes:
        target = label.clone()
        set_attribute(cfg, target, name, on=None)
        found.append((name, cfg.slot_of(name).condition(target)))
    return found


def visible(cfg: Config, label: Tensor) -> Tensor:
    """(N, C) 1 where a label can be seen on the picture, 0 where another hides it (hair under a hat)."""
    seen = torch.ones_like(label)
    for name, hidden in cfg.hides.items():
        covered = label[:, cfg.attributes.index(name)] > 0.5
        for other in hidden:
            seen[covered, cfg.attributes.index(other)] = 0.0
    return seen


def classification(cfg: Config, slot: Slot, logits: Tensor, label: Tensor) -> Tensor:
    """L_cls (eq. 2-3) of (N, C) logits on the labels that the set knows; the others' logits get no gradient."""
    own, wanted = logits[:, slot.here], label[:, slot.here]
    if slot.set.kind == "one_hot":
        return losses.class_classification(own, wanted)
    return losses.attribute_classification(own, wanted, visible(cfg, label)[:, slot.here])


def d_loss(cfg: Config, g: Generator, d: Discriminator, step: Step, slot: Slot) -> Loss:
    """-L_adv + lambda_cls L_cls^r (eq. 5), with WGAN-GP (eq. 8) or the hinge in place of L_adv."""
    real = slot.batch(step)
    image, label = real["image"], real["label"]
    with torch.no_grad():
        fake = g(image, slot.condition(target_labels(cfg, step, slot)))
    real_score, logits = d(image)
    fake_score, _ = d(fake)
    parts = {"cls": classification(cfg, slot, logits, label)}
    if cfg.adversarial == "wgan-gp":
        parts["adv"] = losses.wgan_d(real_score, fake_score)
        parts["gp"] = losses.gradient_penalty(d.score, image, fake, step.uniform(len(image), draw=slot.number))
        return parts["adv"] + cfg.lambda_gp * parts["gp"] + cfg.lambda_cls * parts["cls"], parts
    parts["adv"] = losses.hinge_d(real_score, fake_score)
    return parts["adv"] + cfg.lambda_cls * parts["cls"], parts


def r1_loss(cfg: Config, d: Discriminator, step: Step, slot: Slot) -> Loss:
    """gamma / 2 R1, times the interval since it runs only every so often (StyleGAN2, section 3.1)."""
    penalty = losses.r1(d.score, slot.batch(step)["image"])
    return 0.5 * cfg.r1_gamma * cfg.r1_interval * penalty, {"r1": penalty}


def g_loss(cfg: Config, g: Generator, d: Discriminator, step: Step, slot: Slot) -> Loss:
    """L_adv + lambda_cls L_cls^f + lambda_rec L_rec (eq. 6); plus lambda_mask times the mask's mean."""
    real = slot.batch(step)
    image, label = real["image"], real["label"]
    target = target_labels(cfg, step, slot)
    fake, mask = g.parts(image, slot.condition(target))
    score, logits = d(fake)
    back, back_mask = g.parts(fake, slot.condition(label))
    parts = {
        "adv": losses.critic_g(score),
        "cls": classification(cfg, slot, logits, target),
        "rec": (image - back).abs().mean(),
    }
    total = parts["adv"] + cfg.lambda_cls * parts["cls"] + cfg.lambda_rec * parts["rec"]
    if mask is not None and back_mask is not None and cfg.lambda_mask:
        parts["mask"] = 0.5 * (mask.mean() + back_mask.mean())
        total = total + cfg.lambda_mask * parts["mask"]
    return total, parts
