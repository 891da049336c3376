"""What the figures of the plane say of points and critics that are known."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "claims"))
import eight_gaussians as toy


def figures(points: Tensor, critic: nn.Module, way: str = "penalty") -> toy.Figures:
    return toy.measure(way, 1, critic, points, torch.Generator().manual_seed(0), 0.0)


def test_the_mixture_itself_covers_all_modes_and_one_point_covers_one() -> None:
    real = toy.draw_real(1024, torch.Generator().manual_seed(1)).flatten(1)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(2, 1))
    found = figures(real, critic)
    assert found.covered == 8 and found.on_a_mode > 0.98  # of a normal in the plane, 98.9 % lie within 3 deviations
    assert figures(toy.centres()[:1].expand(1024, 2), critic).covered == 1
    nowhere = figures(torch.zeros(1024, 2), critic)
    assert nowhere.covered == 0 and nowhere.on_a_mode == 0


def test_the_slope_of_a_linear_critic_is_its_weights_length() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(2, 1))
    with torch.no_grad():
        critic[1].weight.copy_(torch.tensor([[0.6, 0.8]]))
        critic[1].bias.zero_()
    assert figures(torch.zeros(64, 2), critic).slope == pytest.approx(1.0, abs=1e-3)
    assert figures(torch.zeros(64, 2), critic, "clipping").at_a_bound == pytest.approx(2 / 3, abs=1e-3)


@pytest.mark.parametrize("way", ["clipping", "penalty"])
def test_a_few_steps_run_and_clipping_keeps_its_bound(way: str) -> None:
    critic, points, found = toy.train(way, 3, 16, seed=0)
    assert points.shape == (toy.SHOWN, 2) and found.steps == 3 and math.isfinite(found.slope)
    largest = max(float(p.detach().abs().max()) for p in critic.parameters())
    assert (largest <= toy.CLIP + 1e-6) == (way == "clipping")
