"""The projected discriminator and FiLM: what is frozen stays so, and what labels say reaches every place."""

from __future__ import annotations

import copy

import pytest
import torch
from support.needed import needed
from torch import nn

from edgegan.networks.diff_augment import DRAWS, diff_augment
from edgegan.networks.efficientnet import CHANNELS, Backbone, load_efficientnet_lite0
from edgegan.networks.norm import FilmNorm
from edgegan.networks.projected import ProjectedDiscriminator

needed("efficientnet_lite_pytorch", "train")


@pytest.fixture(scope="module")
def discriminator() -> ProjectedDiscriminator:
    torch.manual_seed(0)
    return ProjectedDiscriminator(labels=3, width=16, class_head=True).eval()


def pictures(count: int = 2, size: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_the_backbone_computes_what_the_package_does() -> None:
    net = load_efficientnet_lite0()
    x = pictures(size=224)
    with torch.no_grad():
        maps, whole = Backbone().eval()(x), net.extract_features(x)
        expected = net._swish(net._bn1(net._conv_head(maps[-1])))
    torch.testing.assert_close(whole, expected)
    assert [m.shape[1] for m in maps] == list(CHANNELS.values())
    assert [m.shape[2] for m in maps] == [56, 28, 14, 7]


def test_four_depths_score_and_the_frozen_network_is_no_part_of_it(discriminator: ProjectedDiscriminator) -> None:
    scores, logits = discriminator(pictures(), torch.eye(3)[:2])
    assert [tuple(s.shape) for s in scores] == [(2, 1, 4, 4), (2, 1, 4, 4), (2, 1, 4, 4), (2, 1, 2, 2)]
    assert logits is not None and logits.shape == (2, 3)
    assert not any("backbone" in name for name in discriminator.state_dict())
    assert sum(p.numel() for p in discriminator.parameters()) < 100_000


def test_training_reaches_pictures_and_heads_and_never_the_frozen_layers() -> None:
    torch.manual_seed(0)
    d = ProjectedDiscriminator(labels=3, width=16)
    frozen = {k: v.clone() for k, v in d.state_dict().items() if k.startswith(("mixed", "blended"))}
    backbone = copy.deepcopy(d._backbone.net.state_dict())
    image = pictures().requires_grad_(True)
    optimiser = torch.optim.Adam(d.parameters(), 1e-2)
    scores, logits = d(image, torch.eye(3)[:2])
    assert logits is None
    torch.autograd.backward(sum(s.mean() for s in scores))
    optimiser.step()
    assert image.grad is not None and float(image.grad.abs().max()) > 0
    assert len(frozen) == 7 and all(torch.equal(d.state_dict()[k], v) for k, v in frozen.items())
    assert all(torch.equal(v, backbone[k]) for k, v in d._backbone.net.state_dict().items())
    assert all(p.grad is not None for p in d.parameters())


def test_a_picture_is_judged_among_those_of_its_labels(discriminator: ProjectedDiscriminator) -> None:
    x = pictures(1)
    with torch.no_grad():
        one, other, none = (
            discriminator(x, label)[0] for label in (torch.tensor([[1.0, 0, 0]]), torch.zeros(1, 3), None)
        )
    assert all(not torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert all(not torch.equal(a, b) for a, b in zip(one, none, strict=True))


def test_the_class_network_alone_reads_what_the_discriminator_reads(discriminator: ProjectedDiscriminator) -> None:
    net = discriminator.class_network()
    assert net is not None
    with torch.no_grad():
        torch.testing.assert_close(net.eval()(pictures()), discriminator(pictures())[1])
    assert ProjectedDiscriminator(labels=3, width=16).class_network() is None


def test_a_saved_discriminator_judges_the_same(discriminator: ProjectedDiscriminator) -> None:
    torch.manual_seed(5)
    other = ProjectedDiscriminator(labels=3, width=16, class_head=True).eval()
    other.load_state_dict(discriminator.state_dict())
    with torch.no_grad():
        for a, b in zip(discriminator(pictures())[0], other(pictures())[0], strict=True):
            torch.testing.assert_close(a, b)


def test_a_label_moves_the_middle_as_much_as_the_border() -> None:
    """As planes before an instance norm it moves the border alone."""
    torch.manual_seed(0)
    conv, norm, film = nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.InstanceNorm2d(32), FilmNorm(32, 2)
    planes = nn.Conv2d(5, 32, 3, padding=1, bias=False)
    x, labels = pictures(1, 32), torch.tensor([[0.0, 1.0], [1.0, 0.0]])

    def effect(outputs: torch.Tensor) -> tuple[float, float]:
        """Of the label at the border and in the middle, relative to the deviation over the picture."""
        change = (outputs[0] - outputs[1]).abs() / outputs.std()
        border = torch.cat([change[:, 0], change[:, -1]], 1)
        return float(border.mean()), float(change[:, 8:24, 8:24].mean())

    with torch.no_grad():
        told = torch.cat([x.expand(2, -1, -1, -1), labels[:, :, None, None].expand(-1, -1, 32, 32)], 1)
        plane_border, plane_middle = effect(norm(planes(told)))
        film_border, film_middle = effect(film(conv(x).expand(2, -1, -1, -1), labels))
    assert plane_middle < 0.3 * plane_border
    assert film_middle > 0.5 * film_border and film_middle > 3 * plane_middle


def test_cutout_blanks_a_square_and_weak_colours_change_little() -> None:
    x = pictures(8, 32)
    draws = torch.rand(8, DRAWS, generator=torch.Generator().manual_seed(2))
    cut = diff_augment(x, draws, ("cutout",))
    blank = (cut == 0).all(1)
    assert all(0 < int(b.sum()) <= 16 * 16 for b in blank)
    assert torch.equal(cut[~blank[:, None].expand_as(cut)], x[~blank[:, None].expand_as(x)])
    weak, strong = (diff_augment(x, draws, ("colour",), s) - x for s in (0.1, 1.0))
    assert float(weak.abs().mean()) < 0.2 * float(strong.abs().mean())
    assert torch.equal(diff_augment(x, draws, ("colour",), 0.0), x)
