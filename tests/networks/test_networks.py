"""The networks that CycleGAN and pix2pix share, against the published sizes and independent forward passes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from support.official.networks import resnet_forward, resnet_state, unet_forward, unet_state
from torch import nn

from edgegan.networks import (
    ImagePool,
    NLayerDiscriminator,
    PixelDiscriminator,
    ResnetGenerator,
    UnetGenerator,
    halvings,
    without_idle_biases,
)
from edgegan.networks.official import read_generator
from edgegan.runtime.errors import InputError


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_parameter_counts_are_the_published_networks() -> None:
    with torch.device("meta"):
        assert count(ResnetGenerator(64, 9)) == 11_378_179
        assert count(ResnetGenerator(64, 6)) == 7_837_699
        assert count(UnetGenerator(8, 64)) == 54_413_955
        assert count(UnetGenerator(7, 64)) == 41_828_995
        assert count(NLayerDiscriminator()) == 2_764_737


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("dropout", [False, True])
def test_resnet_key_names_are_the_published_files(blocks: int, dropout: bool) -> None:
    ours = ResnetGenerator(4, blocks, dropout=dropout).state_dict()
    published = resnet_state(4, blocks, dropout=dropout)
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in published.items()}


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_unet_key_names_are_the_published_files(norm: str) -> None:
    ours = UnetGenerator(5, 2, norm=norm).state_dict()
    published = unet_state(5, 2, norm=norm)
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in published.items()}


def test_discriminator_key_names_are_the_published_files() -> None:
    keys = [f"model.{i}.{leaf}" for i in (0, 2, 5, 8, 11) for leaf in ("weight", "bias")]
    assert list(NLayerDiscriminator(ndf=4).state_dict()) == keys
    pixel = [f"net.{i}.{leaf}" for i in (0, 2, 5) for leaf in ("weight", "bias")]
    assert list(PixelDiscriminator(ndf=4).state_dict()) == pixel


@torch.no_grad()
@pytest.mark.parametrize("layers, patch", [(1, 16), (2, 34), (3, 70)])
def test_a_score_sees_a_patch_of_the_papers_size(layers: int, patch: int) -> None:
    net = NLayerDiscriminator(ndf=2, layers=layers)
    for i, layer in enumerate(net.model):  # instance norms see everything
        if isinstance(layer, nn.InstanceNorm2d):
            net.model[i] = nn.Identity()
        if isinstance(layer, nn.Conv2d):
            layer.weight.fill_(0.1)
    image = torch.zeros(1, 3, 128, 128)
    image[0, 0] = torch.rand(128, 128)
    image.requires_grad_(True)
    with torch.enable_grad():
        scores = net(image)
        assert scores.shape[2] == 128 // 2**layers - 2
        middle = scores.shape[2] // 2
        (gradient,) = torch.autograd.grad(scores[0, 0, middle, middle], image)
    rows = gradient[0, 0].abs().sum(1).nonzero().flatten()
    assert int(rows[-1] - rows[0]) + 1 == patch


@torch.no_grad()
@pytest.mark.parametrize("hw", [(27, 41), (36, 52)])
@pytest.mark.parametrize("affine", [False, True])
def test_a_resnet_file_gives_what_the_authors_network_gives(hw: tuple[int, int], affine: bool) -> None:
    published = resnet_state(5, 2, affine=affine, scale=0.3)
    found = read_generator("latest_net_G.pth", published)
    assert found and (found.kind, found.ngf, found.depth) == ("resnet", 5, 2)
    net = ResnetGenerator(found.ngf, found.depth, norm=found.norm)
    net.load_state_dict(found.state)
    image = torch.rand(2, 3, *hw) * 2 - 1
    expected = resnet_forward(published, image, 2)
    assert expected.std() > 0.1
    torch.testing.assert_close(net.eval()(image), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(without_idle_biases(net)(image), expected, rtol=0, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_unet_file_gives_what_the_authors_network_gives(norm: str) -> None:
    published = unet_state(5, 2, norm=norm, scale=0.3)
    found = read_generator("latest_net_G.pth", published)
    assert found and (found.kind, found.ngf, found.depth, found.norm) == ("unet", 2, 5, norm)
    net = UnetGenerator(found.depth, found.ngf, norm="batch-picture" if norm == "batch" else "instance")
    net.load_state_dict(found.state)
    image = torch.rand(1, 3, 32, 96) * 2 - 1
    expected = unet_forward(published, image, 5)
    assert expected.std() > 0.1
    torch.testing.assert_close(net.eval()(image), expected, rtol=0, atol=1e-4)
    other = torch.rand(1, 3, 32, 96)
    torch.testing.assert_close(net(torch.cat([image, other]))[:1], expected, rtol=0, atol=1e-4)


def test_stale_buffers_and_a_parallel_prefix_are_dropped() -> None:
    published = resnet_state(4, 2)
    old = dict(published)
    for key in [k for k in published if k.endswith(".bias")][:-1]:
        layer, width = key.removesuffix(".bias"), len(published[key])
        *start, number = layer.split(".")
        norm = ".".join([*start, str(int(number) + 1)])
        old[f"{norm}.running_mean"], old[f"{norm}.running_var"] = torch.randn(width), torch.rand(width)
    old = {f"module.{key}": tensor.half() for key, tensor in sorted(old.items())}  # and in no order
    found = read_generator("old.pth", old)
    assert found and found.norm == "instance" and found.dropout is False
    assert "dropped the running statistics of 9 instance norms" in " ".join(found.notes)
    assert found.state.keys() == published.keys()
    for key, tensor in found.state.items():
        torch.testing.assert_close(tensor, published[key].half().float())


@torch.no_grad()
def test_the_same_network_under_other_names_is_matched_in_order() -> None:
    published = resnet_state(4, 2)
    names = {key.rpartition(".")[0] for key in published}
    order = [key.rpartition(".")[0] for key in published]
    other = {name: f"{'zyxwvutsrq'[order.index(name) // 2]}.conv{order.index(name)}" for name in names}
    renamed = {f"{other[k.rpartition('.')[0]]}.{k.rpartition('.')[2]}": v for k, v in published.items()}
    found = read_generator("g.pt", {"epoch": torch.tensor(3), "state_dict": renamed})
    assert found and "matched by order" in " ".join(found.notes)
    assert all(torch.equal(found.state[k], v) for k, v in published.items())


def test_dropout_and_batch_norm_are_read_from_the_keys() -> None:
    found = read_generator("g.pth", resnet_state(4, 2, dropout=True))
    assert found and found.dropout
    net = ResnetGenerator(4, 3, norm="batch")
    found = read_generator("g.pth", net.state_dict())
    assert found and (found.norm, found.depth) == ("batch", 3)
    without_counters = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    again = read_generator("g.pth", without_counters)
    assert again and again.state.keys() == found.state.keys()


def test_what_is_no_generator_is_none_and_what_cannot_be_used_is_refused() -> None:
    assert read_generator("d.pth", NLayerDiscriminator(ndf=4).state_dict()) is None
    assert read_generator("d.pth", NLayerDiscriminator(ndf=4, layers=2).state_dict()) is None
    assert read_generator("x.pth", {"weight": torch.zeros(3, 4)}) is None
    assert read_generator("x.pth", [torch.zeros(3)]) is None
    grey = resnet_state(4, 2)
    grey["model.1.weight"] = grey["model.1.weight"][:, :1]
    with pytest.raises(InputError, match="takes 1 channels"):
        read_generator("grey.pth", grey)
    pruned = resnet_state(4, 2)
    pruned["model.10.conv_block.1.weight"] = torch.zeros(9, 16, 3, 3)
    with pytest.raises(InputError, match=r"model.10.conv_block.1.weight has the shape \(9, 16, 3, 3\)"):
        read_generator("pruned.pth", pruned)
    cut = ResnetGenerator(4, 1, norm="batch").state_dict()
    del cut["model.2.running_var"]
    with pytest.raises(InputError, match="model.2 has no running_var"):
        read_generator("cut.pth", cut)


@torch.no_grad()
def test_a_strided_stem_keeps_the_size_and_starts_without_a_checkerboard() -> None:
    torch.manual_seed(0)
    net = ResnetGenerator(8, 2, stem_stride=2)
    assert net(torch.rand(1, 3, 24, 40)).shape == (1, 3, 24, 40)
    head = net.model[-2]
    assert isinstance(head, nn.ConvTranspose2d)
    out = F.conv_transpose2d(torch.ones(1, 8, 12, 12), head.weight, stride=2, padding=3)[..., 6:-6, 6:-6]
    phases = torch.stack([out[..., i::2, j::2].mean((2, 3)) for i in (0, 1) for j in (0, 1)])
    assert phases.std(0).max() < 0.1 * head.weight.std() * 16


def test_batch_norm_keeps_a_pictures_own_statistics_only_at_rest() -> None:
    net = UnetGenerator(3, 4, norm="batch-picture", dropout=False)
    batch = torch.randn(4, 3, 16, 16)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    together = net(batch)
    assert any(not torch.equal(v, before[k]) for k, v in net.state_dict().items() if "running" in k)
    net.eval()
    alone = torch.cat([net(one[None]) for one in batch])
    torch.testing.assert_close(net(batch), alone, rtol=0, atol=1e-5)
    assert not torch.allclose(together, alone, atol=1e-3)
    for name, buffer in net.named_buffers():
        if "running" in name:
            buffer.add_(1.0)
    torch.testing.assert_close(net(batch), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size, times", [(64, 6), (96, 5), (256, 8), (1024, 8), (50, 1)])
def test_halvings(size: int, times: int) -> None:
    assert halvings(size) == times


def test_a_pool_fills_first_and_then_swaps_half_of_the_pictures() -> None:
    pool = ImagePool(5, 2)
    pictures = torch.arange(405.0).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    draws = torch.rand(405, 2, generator=torch.Generator().manual_seed(0))
    first = pool(pictures[:5], draws[:5])
    assert torch.equal(first, pictures[:5]) and torch.equal(pool.images, pictures[:5])
    given = torch.cat([pool(pictures[i : i + 2], draws[i : i + 2]) for i in range(5, 405, 2)])[:, 0, 0, 0]
    fresh = given == torch.arange(5.0, 405.0)
    assert 0.43 < fresh.float().mean() < 0.57
    old = given[~fresh]
    assert (old < torch.arange(5.0, 405.0)[~fresh]).all()
    assert len(set(old.tolist())) == len(old), "a swapped picture leaves the pool, so none comes twice"
    places = {int(w * 5) for s, w in draws[5:].tolist() if s >= 0.5}
    assert places == set(range(5))


def test_a_pools_state_decides_what_it_shows_and_gradients_stop_there() -> None:
    draws = torch.tensor([[0.9, 0.0], [0.9, 0.5]])
    one, two = ImagePool(2, 4), ImagePool(2, 4)
    one(torch.rand(2, 3, 4, 4), draws)
    two.load_state_dict(one.state_dict())
    fakes = torch.rand(2, 3, 4, 4, requires_grad=True)
    shown = one(fakes, draws)
    assert not shown.requires_grad
    assert torch.equal(shown, two(fakes, draws)) and not torch.equal(shown, fakes)
    assert list(one.parameters()) == []
