"""CycleGAN's losses (Zhu et al. 2017, section 3; equation numbers are the paper's)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegan import losses
from edgegan.families import Loss, Networks, Step

from .config import Config
from .networks import draw_from_pool


def g_loss(cfg: Config, nets: Networks, step: Step) -> Loss:
    """L_GAN (eq. 1) of both generators, lambda L_cyc (eq. 2), lambda_identity lambda L_identity (section 5.2).

    Leaves the generated pictures, detached, in `step.scratch` for the discriminators.
    """
    game = losses.ADVERSARIAL[cfg.adversarial]
    a_to_b, b_to_a = nets["AtoB"], nets["BtoA"]
    a, b = step.streams["a"]["image"], step.streams["b"]["image"]
    identity = cfg.lambda_identity > 0
    fake_b, idt_b = _with_identity(a_to_b, a, b, identity)
    fake_a, idt_a = _with_identity(b_to_a, b, a, identity)
    step.scratch.update(fake_a=fake_a.detach(), fake_b=fake_b.detach())
    parts = {
        "adv_AtoB": game.g(nets["D_A"](fake_b)),
        "adv_BtoA": game.g(nets["D_B"](fake_a)),
        "cycle_A": (b_to_a(fake_b) - a).abs().mean(),
        "cycle_B": (a_to_b(fake_a) - b).abs().mean(),
    }
    total = parts["adv_AtoB"] + parts["adv_BtoA"] + cfg.lambda_a * parts["cycle_A"] + cfg.lambda_b * parts["cycle_B"]
    if idt_a is not None and idt_b is not None:
        parts["idt_A"], parts["idt_B"] = (idt_a - a).abs().mean(), (idt_b - b).abs().mean()
        weighed = cfg.lambda_a * parts["idt_A"] + cfg.lambda_b * parts["idt_B"]
        total = total + cfg.lambda_identity * weighed
    return total, parts


def d_loss(cfg: Config, nets: Networks, step: Step) -> Loss:
    """Half of each discriminator's loss (section 7.1), on real pictures and on those of the pool.

    WGAN-GP is not halved, so that lambda_gp means what it means in its paper.
    """
    game = losses.ADVERSARIAL[cfg.adversarial]
    parts: dict[str, Tensor] = {}
    totals: list[Tensor] = []
    for name, direction, domain in (("D_A", "AtoB", "b"), ("D_B", "BtoA", "a")):
        critic, real = nets[name], step.streams[domain]["image"]
        fake = draw_from_pool(nets, direction, step.scratch[f"fake_{domain}"], step)
        parts[name] = game.d(critic(real), critic(fake.to(real.dtype)))
        if cfg.adversarial == "wgan-gp":
            parts[f"gp_{name}"] = losses.gradient_penalty(critic, real, fake, step.uniform(len(real)))
            totals.append(parts[name] + cfg.lambda_gp * parts[f"gp_{name}"])
        else:
            totals.append(0.5 * parts[name])
    return sum(totals[1:], totals[0]), parts


def _with_identity(
    generator: nn.Module, source: Tensor, target: Tensor, identity: bool
) -> tuple[Tensor, Tensor | None]:
    """The translation of `source` and, if wanted, what the generator makes of `target`, in one pass."""
    if not identity:
        return generator(source), None
    out: Tensor = generator(torch.cat([source, target]))  # instance norms: no picture sees another
    return out[: len(source)], out[len(source) :]
