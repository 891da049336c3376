"""WGAN-GP: the penalty, and critics that judge each picture alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from edgegan import losses
from edgegan.families import Step, wgangp
from edgegan.families.wgangp import Config, objective

TINY = wgangp.FAMILY.tiny()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("cfg", "g_parameters", "d_parameters"),
    [
        (Config(), 8_54, 7_49),
        (Config(ngf=32, ndf=32), 2_40, 1_88),
        (Config(ngf=16, ndf=16), 73, 47),
        (Config(size=32, body="plain", ngf=128, ndf=128), 5_18, 4_11),
    ],
)
def test_the_networks_have_the_published_sizes(cfg: Config, g_parameters: int, d_parameters: int) -> None:
    """In ten thousands; the plain generator lacks what a norm behind it takes back, and a gain for every place."""
    nets, near = wgangp.FAMILY.networks(cfg), 3 if cfg.body == "plain" else 1
    for name, expected in (("generator", g_parameters), ("critic", d_parameters)):
        assert sum(p.numel() for p in nets[name].parameters()) / 1e4 == pytest.approx(expected, abs=near)


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic_is_that_of_its_slope(slope: float) -> None:
    weight = noise(3 * 8 * 8)
    weight *= slope / weight.norm()

    def critic(image: Tensor) -> Tensor:
        return image.flatten(1) @ weight

    penalty = losses.gradient_penalty(critic, noise(4, 3, 8, 8), noise(4, 3, 8, 8, seed=1), torch.rand(4))
    assert penalty.item() == pytest.approx((slope - 1) ** 2, abs=1e-5)


@pytest.mark.parametrize("body", ["plain", "layer", "none"])
def test_every_critic_judges_a_picture_by_itself(body: str) -> None:
    """The score of one picture does not move another's gradient; with batch norms it would, and none is there."""
    cfg = Config(size=16, ngf=4, ndf=4, body="plain" if body == "plain" else "resnet")
    if body != "plain":
        cfg = Config(size=16, ngf=4, ndf=4, critic_norm=body)  # type: ignore[arg-type]
    critic = wgangp.FAMILY.networks(cfg)["critic"]
    assert not any(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in critic.modules())
    assert any(isinstance(layer, nn.GroupNorm) for layer in critic.modules()) == (body == "layer")
    images = noise(3, 3, 16, 16).requires_grad_()
    scores = critic(images)
    (gradient,) = torch.autograd.grad(scores[0], images)
    assert scores.shape == (3,)
    assert gradient[0].abs().max() > 0 and gradient[1:].abs().max() == 0


def test_the_penalty_is_differentiated_and_the_generator_left_alone() -> None:
    nets = wgangp.FAMILY.networks(TINY)
    g, d = nets["generator"], nets["critic"]
    step = Step({"real": {"image": noise(4, 3, 16, 16).clamp(-1, 1)}}, first_image=0, seed=0)
    loss, parts = objective.d_loss(TINY, g, d, step)
    gradients = [torch.autograd.grad(parts["gp"], list(d.parameters()), retain_graph=True, allow_unused=True)]
    assert sum(float(grad.abs().sum()) for grad in gradients[0] if grad is not None) > 0
    loss.backward()
    assert all(p.grad is None for p in g.parameters())
    assert loss.item() == pytest.approx(-parts["estimate"].item() + 10 * parts["gp"].item(), rel=1e-5)


def test_the_generator_steps_after_each_count_of_the_critics() -> None:
    critic, generator = wgangp.FAMILY.phases(TINY, wgangp.FAMILY.networks(TINY))
    assert [(critic.due(r), generator.due(r)) for r in (1, 2, 3, 4)] == [(True, False), (True, True)] * 2
    assert critic.needs_second_order
