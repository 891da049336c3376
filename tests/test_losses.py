"""Losses against identities that the papers state or imply."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edgegan import losses


def test_a_critic_of_slope_one_has_no_gradient_penalty() -> None:
    direction = torch.randn(3 * 4 * 4)
    direction /= direction.norm()

    def critic(x: Tensor) -> Tensor:
        return x.flatten(1) @ direction

    real, fake = torch.randn(5, 3, 4, 4), torch.randn(5, 3, 4, 4)
    assert losses.gradient_penalty(critic, real, fake, torch.rand(5)).item() == pytest.approx(0.0, abs=1e-10)
    steep = losses.gradient_penalty(lambda x: 3 * critic(x), real, fake, torch.rand(5))
    assert steep.item() == pytest.approx(4.0, rel=1e-5)  # (3 - 1)^2


def test_the_penalty_is_taken_between_real_and_fake() -> None:
    """For the critic |x|^2 / 2 the gradient is x itself, so alpha 1 measures the real picture."""
    real, fake = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)

    def critic(x: Tensor) -> Tensor:
        return 0.5 * x.flatten(1).square().sum(1)

    for alpha, where in ((1.0, real), (0.0, fake), (0.25, 0.25 * real + 0.75 * fake)):
        expected = (where.flatten(1).norm(dim=1) - 1).square().mean()
        got = losses.gradient_penalty(critic, real, fake, torch.full((2,), alpha))
        torch.testing.assert_close(got, expected)


def test_the_penalty_reaches_the_critics_weights() -> None:
    layer = torch.nn.Conv2d(3, 1, 3)
    losses.gradient_penalty(layer, torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), torch.rand(2)).backward()
    assert layer.weight.grad is not None and layer.weight.grad.abs().sum() > 0


def test_r1_of_a_linear_score_is_its_squared_slope() -> None:
    weight = torch.randn(1, 3, 4, 4)
    got = losses.r1(lambda x: (x * weight).sum((1, 2, 3)), torch.randn(6, 3, 4, 4))
    torch.testing.assert_close(got, weight.square().sum())


def test_hinge_ignores_scores_beyond_the_margin_and_wgan_does_not() -> None:
    real, fake = torch.full((4, 1), 2.0), torch.full((4, 1), -3.0)
    assert losses.hinge_d(real, fake).item() == 0.0
    assert losses.hinge_d(torch.zeros(4, 1), torch.zeros(4, 1)).item() == 2.0
    assert losses.wgan_d(real, fake).item() == -5.0
    assert losses.critic_g(fake).item() == 3.0


def test_classification_sums_over_attributes_and_averages_over_pictures() -> None:
    logits = torch.zeros(7, 5)
    got = losses.attribute_classification(logits, torch.randint(0, 2, (7, 5)).float())
    assert got.item() == pytest.approx(5 * torch.log(torch.tensor(2.0)).item())
