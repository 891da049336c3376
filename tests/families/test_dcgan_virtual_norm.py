"""DCGAN with virtual batch normalisation."""

from __future__ import annotations

import torch
from msgspec.structs import replace
from support.training.improved import OPTIONS
from torch import nn

from edgegan.config import with_settings
from edgegan.families import dcgan
from edgegan.networks.generation.virtual_norm import VirtualBatchNorm, VirtualGenerator


def test_a_virtual_norm_makes_a_picture_independent_of_its_batch_in_training_too() -> None:
    cfg = with_settings(replace(dcgan.tiny(), ngf=16), OPTIONS["virtual batch norm"])
    torch.manual_seed(0)
    g = dcgan.networks(cfg)["generator"]
    z = torch.randn(5, cfg.nz)
    with torch.no_grad():
        together, alone = g(z), torch.cat([g(one[None]) for one in z])
        plain = dcgan.networks(replace(cfg, norm="batch"))["generator"]
        dependent = (plain(z) - torch.cat([plain(one[None]) for one in z])).abs().max()
    assert together.std(0).mean() > 1e-3 and (together - alone).abs().max() < 1e-5 < 1e-3 < dependent


def test_a_virtual_norm_of_the_reference_is_its_batch_norm() -> None:
    torch.manual_seed(0)
    layer, batch = VirtualBatchNorm(6, 4), nn.BatchNorm2d(6)
    batch.weight.data.copy_(layer.weight.data)
    x = 3 * torch.randn(6, 6, 5, 5) + 2
    assert torch.allclose(layer(x)[:4], batch(x[:4]), atol=1e-5)
    counted = torch.cat([x[:4], x[4:5]])
    mean, square = counted.mean((2, 3)).mean(0), counted.square().mean((2, 3)).mean(0)
    expected = (x[4] - mean[:, None, None]) / (square - mean.square() + 1e-5).sqrt()[:, None, None]
    assert torch.allclose(layer(x)[4], expected * layer.weight[:, None, None], atol=1e-4), "one of R + 1"


def test_a_frozen_reference_draws_the_same_pictures_without_it() -> None:
    cfg = with_settings(dcgan.tiny(), OPTIONS["virtual batch norm"])
    torch.manual_seed(0)
    g = dcgan.networks(cfg)["generator"].eval()
    assert isinstance(g, VirtualGenerator) and g.reference.shape == (4, cfg.nz)
    z = torch.randn(3, cfg.nz)
    with torch.no_grad():
        before = g(z)
        g.freeze()
        assert torch.allclose(g(z), before, atol=1e-6)
    assert not any("mean" in key for key in g.state_dict()), "constants follow from the weights"
