"""The mimicry library's checkpoints: what is imported equals the published networks, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support.official import mimicry as published
from torch import nn

from edgegan import official
from edgegan.families import ImportOptions, cgan, wgangp
from edgegan.networks.generation.enlarging import double
from edgegan.runtime.errors import InputError

FLAT, HALVING = (8, 8, 8, 8), (32, 16, 8, 4, 2)  # as at 32 px, and at 64
CONDITIONAL = {32: FLAT, 64: HALVING, 128: (32, 32, 16, 8, 4, 2)}


def wrap(state: Any) -> Any:
    return {"model_state_dict": state, "optimizer_state_dict": {"state": {}, "param_groups": []}, "global_step": 1000}


def recognise(*states: Any, **options: Any) -> tuple[str, Any]:
    files = {f"net{number}.pth": wrap(state) for number, state in enumerate(states)}
    return official.recognise(files, ImportOptions(bn="keep", **options))


def build(family: Any, found: Any) -> dict[str, nn.Module]:
    nets: dict[str, nn.Module] = family.networks(found.cfg)
    for name, state in found.networks.items():
        nets[name].load_state_dict(dict(state))
        nets[name].eval()
    return nets


@pytest.mark.parametrize("widths", [FLAT, HALVING, (32, *HALVING)])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_an_imported_generator_computes_what_the_published_layout_says(widths: tuple[int, ...], prefix: str) -> None:
    torch.manual_seed(0)
    state, z = published.generator_state(widths, 10), torch.randn(3, 10)
    name, found = recognise({prefix + key: tensor for key, tensor in state.items()}, domain="bedrooms")
    assert name == "wgangp" and found.cfg.widths == widths and found.cfg.size == 2 << len(widths)
    assert found.cfg.upsampling == "bilinear" and found.cfg.domain == "bedrooms" and "MIT" in found.cfg.licence
    assert any("are the file's" in note for note in found.notes)
    assert "after 1000 steps" in found.notes[0] and any("one generator" in note for note in found.notes)
    with torch.no_grad():
        pictures, expected = build(wgangp.FAMILY, found)["generator"](z), published.generate(state, z)
    assert expected.std() > 0.1 and (pictures - expected).abs().max() < 1e-5


def test_a_bias_before_a_norm_changes_no_picture_in_training_either() -> None:
    torch.manual_seed(1)
    state = published.generator_state(FLAT, 10)
    shifted = {key: tensor + 3 if key.endswith("c1.bias") else tensor for key, tensor in state.items()}
    z, pictures = torch.randn(4, 10), []
    for one in (state, shifted):
        g = build(wgangp.FAMILY, recognise(one)[1])["generator"].train()
        with torch.no_grad():
            pictures.append(g(z))
    torch.testing.assert_close(pictures[0], pictures[1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_an_imported_conditional_generator_computes_what_the_published_layout_says(size: int) -> None:
    torch.manual_seed(2)
    state, z, classes = published.generator_state(CONDITIONAL[size], 10, 5), torch.randn(5, 10), torch.arange(5)
    name, found = recognise(state)
    cfg = found.cfg
    assert name == "cgan" and cfg.size == size and cfg.conditioning == "projection"
    assert cfg.attributes == ("class_0", "class_1", "class_2", "class_3", "class_4") and cfg.groups == (cfg.attributes,)
    g = build(cgan.FAMILY, found)["generator"]
    with torch.no_grad():
        pictures, expected = g(z, torch.eye(5)), published.generate(state, z, classes)
        other = g(z, torch.eye(5).flip(0))
    assert (pictures - expected).abs().max() < 1e-5 and (pictures - other).abs().max() > 0.1
    (spec,) = cgan.exportable(cfg, {"generator": g}, "")
    assert spec.card.condition.kind == "one_hot" and spec.card.condition.default == (0.2,) * 5


def test_an_imported_discriminator_gives_the_published_scores() -> None:
    torch.manual_seed(3)
    state, judge = published.generator_state(FLAT, 10, 4), published.discriminator_state(6, 4)
    _, found = recognise(judge, state, attributes=("cat", "dog", "deer", "frog"))
    assert found.cfg.ndf == 6 and found.cfg.attributes == ("cat", "dog", "deer", "frog")
    image, classes = torch.rand(4, 3, 32, 32) * 2 - 1, torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        scores = build(cgan.FAMILY, found)["discriminator"](image, torch.eye(4)[classes])
        expected = published.judge(judge, image, classes)
    assert expected.std() > 1e-3 and (scores - expected).abs().max() < 1e-5 * expected.abs().max()


def test_what_would_be_read_wrongly_is_refused() -> None:
    torch.manual_seed(4)
    g, conditional = published.generator_state(FLAT, 10), published.generator_state(FLAT, 10, 4)
    d, plain = published.discriminator_state(6, 4), published.discriminator_state(6)
    spectral = {
        (
            f"{key[:-7]}.weight_orig" if key.endswith(".weight") and "embed" not in key and tensor.dim() > 1 else key
        ): tensor
        for key, tensor in conditional.items()
    }
    wide = published.generator_state(CONDITIONAL[128], 10, 4)
    for states, options, words in (
        ([published.generator_state((16, 8, 4, 2), 10, edge=6)], {}, "maps of 6 px, for pictures of 48 px"),
        ([published.generator_state(FLAT, 10, channels=1)], {}, "1 channels"),
        ([g], {"size": 64}, "--size 64: net0.pth draws 32"),
        ([{**g, "attn_block.gamma": torch.zeros(())}], {}, "attn_block.gamma"),
        ([spectral], {}, "spectral norms or attention"),
        ([{**g, "extra.weight": torch.zeros(2)}], {}, "extra.weight is more than that"),
        ([{key: t for key, t in g.items() if key != "block3.c_sc.bias"}], {}, "block3.c_sc.bias is missing"),
        ([{**g, "block3.c1.weight": torch.zeros(8)}], {}, "block3.c1.weight is missing or of another form"),
        ([{**g, "block3.c2.weight": torch.zeros(8, 7, 3, 3)}], {}, r"blocks.1.conv2.weight is \(8, 7"),
        ([{**g, "block3.c1.bias": torch.zeros(7)}], {}, "block3.c1.bias"),
        ([g, plain], {}, "net1.pth: more than a generator.*netD"),
        ([g, g], {}, "more than a generator"),
        ([conditional, g], {}, "fits|more than|one netG"),
        ([conditional, plain], {}, "one netG file, and at most one netD"),
        ([conditional, {**d, "attn_block.gamma": torch.zeros(())}], {}, "attn_block"),
        ([conditional, {**d, "blockfive.c1.bias": torch.zeros(6)}], {}, "blockfive"),
        ([conditional, published.discriminator_state(6, 3)], {}, "embedding"),
        ([wide, d], {}, "of 128 px, whose blocks have other widths"),
        ([conditional], {"attributes": ("cat",)}, "4 classes; --attributes names 1"),
        ([published.generator_state((16, 16, 8, 4, 2), 10, 4)], {}, "net0.pth does not fit"),
        ([d], {}, "no family knows this layout"),
    ):
        with pytest.raises(InputError, match=f"(?s){words}"):
            recognise(*states, **options)


def test_bilinear_doubling_keeps_what_a_convolution_of_one_pixel_does() -> None:
    """So a shortcut may come before it or after it."""
    torch.manual_seed(5)
    x, layer = torch.randn(2, 3, 5, 5), nn.Conv2d(3, 4, 1)
    with torch.no_grad():
        torch.testing.assert_close(layer(double(x, "bilinear")), double(layer(x), "bilinear"), atol=1e-6, rtol=0)
    assert not torch.allclose(double(x, "bilinear"), double(x), atol=0.1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: wgangp.Config(body="plain", upsampling="bilinear"),
        lambda: wgangp.Config(size=32, widths=(8, 8)),
        lambda: cgan.Config(attributes=("a", "b"), upsampling="bilinear"),
    ],
)
def test_settings_that_mean_nothing_together_are_refused(make: Any) -> None:
    with pytest.raises(InputError, match="widths|upsampling"):
        make()
