"""The parts of a distillation's loss are zero for equals, and what the field means by their names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgegan.distil.losses import Weights, distance, emphasise, ssim, total_variation
from edgegan.runtime.model import ssim as reference


def pictures(seed: int) -> torch.Tensor:
    noise = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.avg_pool2d(noise, 5, 1, 2)


def test_equal_pictures_and_maps_cost_nothing() -> None:
    image, maps = pictures(1), {8: torch.randn(2, 4, 8, 8)}
    wanted = {8: maps[8] / maps[8].std()}
    total, parts = distance(Weights(), image, image, wanted, maps)
    assert float(total) == pytest.approx(0.0, abs=1e-6) and set(parts) == {"l1", "ssim", "features", "variation"}


def test_a_part_of_weight_zero_is_left_out() -> None:
    weights = Weights(ssim=0.0, features=0.0, variation=0.0)
    total, parts = distance(weights, pictures(1), pictures(2), {8: pictures(3)}, {8: pictures(4)})
    assert set(parts) == {"l1"} and float(total) == pytest.approx(float((pictures(1) - pictures(2)).abs().mean()))


def test_ssim_is_close_to_the_one_that_figures_are_told_by() -> None:
    a = pictures(1)
    for share in (0.0, 0.1, 0.5, 1.0):
        b = torch.lerp(a, pictures(2), share)
        pairs = zip(a, b, strict=True)
        told = [reference.ssim(*(x.permute(1, 2, 0).numpy() for x in pair), (-1.0, 1.0)) for pair in pairs]
        assert float(ssim(a, b)) == pytest.approx(np.mean(told), abs=0.05)


def test_what_the_teacher_changes_counts_as_much_as_all_the_rest() -> None:
    """A small change weighs as a large one does; where nothing changes, all pixels count alike."""
    given = torch.zeros(2, 3, 16, 16)
    wanted = given.clone()
    wanted[0, :, :2, :2] = 1.0  # one pixel of 64
    weight = emphasise(given, wanted)
    assert weight.shape == (2, 1, 16, 16) and torch.equal(weight[1], torch.ones(1, 16, 16))
    changed = weight[0, 0, :2, :2].sum() / weight[0].sum()
    assert 0.3 < float(changed) < 0.5
    giving_back, blind = given, torch.full_like(given, 0.1)
    errors = [float(distance(Weights(), each, wanted, {}, {}, given)[1]["l1"]) for each in (giving_back, blind)]
    assert errors[0] > 10 * float((giving_back - wanted).abs().mean()) and errors[1] < 2 * errors[0]


def test_a_mask_that_closed_too_early_is_opened_again() -> None:
    """L1's slope in the mask's logit all but vanishes where it is closed; and paint behind it hardly learns."""
    given = torch.zeros(1, 3, 16, 16)
    wanted = given.clone()
    wanted[0, :, :2, :2] = 1.0
    logit = torch.full((1, 1, 16, 16), -9.0, requires_grad=True)
    mask = torch.sigmoid(logit)
    _, parts = distance(Weights(), given + mask * 0.1, wanted, {}, {}, given, mask)
    slopes = {name: torch.autograd.grad(parts[name], logit, retain_graph=True)[0][0, 0] for name in ("l1", "mask")}
    assert -slopes["mask"][:2, :2].mean() > 1000 * slopes["l1"][:2, :2].abs().mean()
    assert not slopes["mask"][2:].any()  # where the teacher changes nothing it asks for nothing
    logit.data.fill_(9.0)
    opened = torch.sigmoid(logit.detach())
    assert float(distance(Weights(), wanted, wanted, {}, {}, given, opened)[1]["mask"]) < 1e-3
    assert "mask" not in distance(Weights(mask=0.0), wanted, wanted, {}, {}, given, opened)[1]
    assert "mask" not in distance(Weights(), wanted, wanted, {}, {}, given)[1]


def test_total_variation_is_that_of_a_step() -> None:
    step = torch.zeros(1, 1, 4, 4)
    step[..., 2:] = 1.0
    assert float(total_variation(step)) == pytest.approx(1 / 3)  # one of the three steps in a row, none in a column


def test_variation_is_of_the_difference_and_leaves_the_teachers_detail() -> None:
    """A student that is off by a constant is not asked to blur."""
    image = pictures(1)
    _, parts = distance(Weights(), image + 0.25, image, {}, {})
    assert float(parts["variation"]) == pytest.approx(0.0, abs=1e-6)
