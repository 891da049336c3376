"""StarGAN's losses and target labels (Choi et al. 2018, section 3; equation numbers are the paper's)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from edgegan import losses
from edgegan.families import Batch, Loss, Step
from edgegan.networks.diff_augment import DRAWS, diff_augment

from .config import Config
from .networks import Discriminator
from .players import Players
from .sets import Slot

_REAL, _FAKE, _SECOND = 201, 202, 301  # numbers of independent draws, apart from those of the label sets
_FAKES = "fakes"
MOST_EMPHASIS = 20.0
ALTERED_SHARE = 0.25
VISIBLE = 0.04  # of a change, over [-1, 1]: less is the codec's
GUIDE_SCALES = (4, 16)


def target_labels(cfg: Config, step: Step, slot: Slot) -> Tensor:
    """(N, C) labels to translate to: the batch's own, permuted; or with one or two decisions of its set changed.

    A decision is an attribute of its own or an exclusive group; each is as likely to change as any other, and each
    name of a group as likely to be the answer, but for those in `focus`. What the data put on a picture (drawn
    glasses) is taken off again. With `targets = "one_or_two"` another decision, if there is one, changes as well in
    every second picture.
    """
    real = slot.batch(step)
    own = source_label(real)
    if cfg.targets == "permute":
        return step.permute(own)
    known = slot.set.attributes
    decisions = [g for g in cfg.groups if g[0] in known]
    decisions += [(n,) for n in known if not any(n in g for g in cfg.groups)]
    decisions += 2 * [d for d in decisions if set(d) & set(cfg.focus)]
    target = own.clone()
    for row, draw in zip(target, (step.uniform(len(own), draw=slot.number) * len(decisions)).tolist(), strict=True):
        _change(cfg, row, decisions, draw)
    alone = own.new_tensor([not any(name in g for g in cfg.groups) for name in cfg.attributes]) > 0.5
    without = torch.where(alone, real["label"], own)
    put_on = (own != without).any(1)
    target = torch.where(put_on[:, None], without, target)  # an index by truths would wait for the GPU
    if cfg.targets == "one_or_two":
        draws = step.uniform(len(own), 2, draw=_SECOND + slot.number).tolist()
        for before, row, (whether, which) in zip(own, target, draws, strict=True):
            left = [d for d in decisions if all(before[i] == row[i] for i in map(cfg.attributes.index, d))]
            if left and whether < 0.5:
                _change(cfg, row, left, which * len(left))
    return target


def _change(cfg: Config, label: Tensor, decisions: Sequence[Sequence[str]], draw: float) -> None:
    """Changes the decision that `draw`, in [0, len(decisions)), falls on, in place; its fraction chooses the answer."""
    names = decisions[int(draw)]
    names = [*names, *(2 * [name for name in names if name in cfg.focus])]
    set_attribute(cfg, label, names[int(draw % 1 * len(names))], on=None)


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


def d_loss(cfg: Config, nets: Players, step: Step, slot: Slot) -> Loss:
    """-L_adv + lambda_cls L_cls^r (eq. 5), with WGAN-GP (eq. 8) or the hinge in place of L_adv.

    A classifier of its own learns elsewhere; then this is -L_adv alone.
    """
    real = slot.batch(step)
    image, label = real["image"], real["label"]
    target = target_labels(cfg, step, slot)
    fake = step.scratch.pop(_FAKES, None)  # where the generator's phase came first
    if fake is None:
        with torch.no_grad():
            fake = nets.g(source(real), slot.condition(target))
    real_scores, logits = nets.judge(augment(cfg, step, image, _REAL), label)
    fake_scores, _ = nets.judge(augment(cfg, step, fake, _FAKE), target)
    parts: dict[str, Tensor] = {}
    if cfg.adversarial == "wgan-gp":
        assert isinstance(nets.d, Discriminator)
        parts["adv"] = losses.wgan_d(real_scores[0], fake_scores[0])
        parts["gp"] = losses.gradient_penalty(nets.d.score, image, fake, step.uniform(len(image), draw=slot.number))
        total = parts["adv"] + cfg.lambda_gp * parts["gp"]
    else:
        total = parts["adv"] = losses.average_heads(losses.hinge_d, real_scores, fake_scores)
    if nets.c is None and logits is not None:
        parts["cls"] = classification(cfg, slot, logits, label)
        total = total + cfg.lambda_cls * parts["cls"]
    return total, parts


def r1_loss(cfg: Config, d: Discriminator, step: Step, slot: Slot) -> Loss:
    """gamma / 2 R1, times the interval since it runs only every so often (StyleGAN2, section 3.1)."""
    penalty = losses.r1(d.score, slot.batch(step)["image"])
    return 0.5 * cfg.r1_gamma * cfg.r1_interval * penalty, {"r1": penalty}


def g_loss(cfg: Config, nets: Players, step: Step, slot: Slot) -> Loss:
    """lambda_adv L_adv + lambda_cls L_cls^f + lambda_rec L_rec (eq. 6, where lambda_adv is 1); plus, by their weights,
    the mean of the mask, the distance to the guide, and how closed the mask is where that changes the picture. A term
    of weight zero is not computed, but for L_adv."""
    real = slot.batch(step)
    image, label = source(real), source_label(real)
    target = target_labels(cfg, step, slot)
    fake, mask = nets.g.parts(image, slot.condition(target))
    if cfg.generator_first:
        step.scratch[_FAKES] = fake.detach()
    shown = augment(cfg, step, fake, _FAKE)
    scores, logits = nets.judge(shown, target)
    parts = {"adv": losses.average_heads(losses.critic_g, scores)}
    total = cfg.lambda_adv * parts["adv"]
    if cfg.lambda_cls:
        logits = nets.classify(shown) if logits is None else logits
        parts["cls"] = classification(cfg, slot, logits, target)
        total = total + cfg.lambda_cls * parts["cls"]
    masks = [mask]
    if cfg.lambda_rec:
        back, back_mask = nets.g.parts(fake, slot.condition(label))
        parts["rec"] = (image - back).abs().mean()
        total = total + cfg.lambda_rec * parts["rec"]
        masks.append(back_mask)
    seen = [m.mean() for m in masks if m is not None]
    if seen and cfg.lambda_mask:
        parts["mask"] = torch.stack(seen).mean()
        total = total + cfg.lambda_mask * parts["mask"]
    if cfg.lambda_guide and "guide" in real:
        parts["guide"] = guide_distance(cfg, real, fake, target)
        total = total + cfg.lambda_guide * parts["guide"]
    if cfg.lambda_open and "guide" in real and mask is not None:
        change = (compose_guide(cfg, real, target)[0] - image).abs().mean(1, keepdim=True)
        parts["open"] = losses.mask_penalty(mask, functional.threshold(change, VISIBLE, 0.0))
        total = total + cfg.lambda_open * parts["open"]
    return total, parts


def source(real: Batch) -> Tensor:
    """(N, 3, H, W): the pictures to edit, which may be others than those that are shown as real."""
    return real.get("source", real["image"])


def source_label(real: Batch) -> Tensor:
    """(N, C): the labels of the pictures to edit."""
    return real.get("source_label", real["label"])


def guide_distance(cfg: Config, real: Batch, fake: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference to what the data say that the edit looks like, where they say it.

    Pixels that a decision shall change count together a quarter as much as all others, thin frames as much as long
    hair, each at most MOST_EMPHASIS times; with more, what merely looks like hair beside the head is changed too.
    The difference counts again averaged over squares of GUIDE_SCALES pixels: absolute error of single pixels alone is
    content with the median of what a strand might be, and the whole of the hair came out too dark and too dull.
    """
    guide, weight = compose_guide(cfg, real, target)
    difference = (fake - guide) * weight
    distance = difference.abs().mean()
    for edge in GUIDE_SCALES:
        if not fake.shape[-1] % edge:
            distance = distance + functional.avg_pool2d(difference, edge).abs().mean()
    return distance


def compose_guide(cfg: Config, real: Batch, target: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 3, H, W) what the edit to `target` (N, C) looks like, and (N, 1, H, W) how much each of its pixels counts.

    The data bring a guide for each decision alone. Where several change, what each changes is added up: exact but for
    the few pixels that two change, such as hair behind glasses. Where none does, the picture guides itself.
    """
    together = torch.zeros(len(cfg.attributes), len(cfg.attributes), device=target.device)
    for group in cfg.groups:
        places = torch.tensor([cfg.attributes.index(name) for name in group])
        together[places[:, None], places] = 1.0
    changed = (target - source_label(real)).abs() > 0.5
    turned_on = changed & (target > 0.5)
    # Of a group two labels change, and the one that is now on names the edit.
    edits = (turned_on | (changed & (turned_on.float() @ together == 0)))[:, :, None, None, None]
    shift = torch.where(edits, real["guide"] - source(real)[:, None], torch.zeros_like(real["guide"]))
    altered = (shift.abs().amax(2, keepdim=True) > VISIBLE).to(shift)
    share = altered.mean((2, 3, 4), keepdim=True)
    emphasis = (altered * (ALTERED_SHARE / share.clamp(min=1e-6)).clamp(max=MOST_EMPHASIS)).amax(1)
    guided = torch.where(edits, real["guided"], torch.ones_like(real["guided"])).amin(1)
    return (source(real) + shift.sum(1)).clamp(-1.0, 1.0), guided * (1.0 + emphasis)


def augment(cfg: Config, step: Step, image: Tensor, draw: int) -> Tensor:
    """What a discriminator sees of pictures: DiffAugment, if the configuration wants it."""
    if not cfg.d_augment:
        return image
    return diff_augment(image, step.uniform(len(image), DRAWS, draw=draw), cfg.d_augment, cfg.d_augment_strength)
