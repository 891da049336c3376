"""DiffAugment: differentiable, each picture's own, an eighth at most."""

from __future__ import annotations

import torch
from support.training.chance import chance

from edgegan.networks.diff_augment import DRAWS, diff_augment


def test_diff_augment_is_differentiable_and_each_pictures_own() -> None:
    image = torch.rand(3, 3, 16, 16, generator=chance(7)) * 2 - 1
    draws = torch.rand(3, DRAWS, generator=chance(8))
    image.requires_grad_(True)
    out = diff_augment(image, draws)
    alone = torch.cat([diff_augment(image[i : i + 1], draws[i : i + 1]) for i in range(3)])
    assert torch.allclose(out, alone, atol=1e-6)
    (gradient,) = torch.autograd.grad(out[0].sum(), image)
    assert gradient[0].abs().sum() > 0 and gradient[1:].abs().sum() == 0
    middle = torch.tensor([[0.5, 0.5, 0.5, 0.5, 0.5]]).expand(
        3, -1
    )  # no brightness, saturation 1, contrast 1, no shift
    assert torch.allclose(diff_augment(image, middle), image, atol=1e-6)
    assert torch.equal(diff_augment(image, draws, ()), image)


def test_diff_augment_moves_by_an_eighth_at_most_and_fills_with_zeros() -> None:
    image = torch.ones(2, 1, 16, 16)
    out = diff_augment(image, torch.tensor([[0, 0, 0, 0.0, 0.0], [0, 0, 0, 0.999, 0.5]]), ("translation",))
    assert out[0].sum() == 14 * 14 and (out[0, 0, 2:, 2:] == 1).all()
    assert out[1].sum() == 14 * 16 and (out[1, 0, :14] == 1).all()
    grey = diff_augment(torch.rand(1, 3, 8, 8), torch.tensor([[0.75, 0.0, 0.5, 0.0, 0.0]]), ("colour",))
    assert (grey - grey.mean(1, keepdim=True)).abs().max() < 1e-6, "saturation 0 is grey"
