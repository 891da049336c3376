"""Published generators: what their keys prove is built or refused, and what they cannot tell is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from support.official import stargan as published_stargan
from support.official.networks import State, pad_with_zero, resnet_forward, resnet_state, unet_state

from edgegan import official
from edgegan.families import ImportOptions, cyclegan, fastgan, pix2pix, stargan
from edgegan.networks.official import read_generator
from edgegan.networks.resnet import ResnetGenerator
from edgegan.networks.state_dicts import read_state
from edgegan.runtime.errors import InputError

Wrapping = Callable[[State], object]


def draw(state: State, **options: str) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    """What our network draws of a picture with the imported weights, the picture, and the notes."""
    found = read_generator("G.pth", state, **options)
    assert found is not None
    net = ResnetGenerator(found.ngf, found.depth, norm=found.norm, padding=found.padding).eval()
    net.load_state_dict(found.state)
    image = torch.rand(1, 3, 20, 24) * 2 - 1
    with torch.no_grad():
        return net(image), image, found.notes


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("padding", ["reflect", "zero", "replicate"])
def test_a_generator_is_built_with_the_padding_that_its_keys_or_the_user_say(padding: str, affine: bool) -> None:
    state = resnet_state(4, 2, affine=affine, scale=0.3)
    if padding == "zero":
        state = pad_with_zero(state)
    mode = {"zero": "constant"}.get(padding, padding)
    ours, image, notes = draw(state, padding="replicate" if padding == "replicate" else "")
    assert (ours - resnet_forward(state, image, 2, mode)).abs().max() < 1e-4
    assert (ours - resnet_forward(resnet_state(4, 2), image, 2)).abs().max() > 0.1
    assert any("padd" in note for note in notes) == (padding != "replicate")


def test_an_imported_zero_padded_cyclegan_is_exact_through_its_config() -> None:
    state = pad_with_zero(resnet_state(4, 2, scale=0.3))
    imported = cyclegan.import_official({"G.pth": state}, ImportOptions(size=32))
    assert imported
    net = cyclegan.networks(imported.cfg)["AtoB"].eval()
    net.load_state_dict(imported.networks["AtoB"])
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        assert (net(image) - resnet_forward(state, image, 2, "constant")).abs().max() < 1e-4


def move(state: State, old: str, new: str) -> State:
    return {key.replace(old, new): tensor for key, tensor in state.items()}


@pytest.mark.parametrize(
    "state,options,words",
    [
        (resnet_state(4, 2) | {"model.7.filt": torch.ones(8, 1, 3, 3)}, {}, "model.7 holds 'filt'"),
        (resnet_state(4, 2) | {"model.10.gamma": torch.ones(1)}, {}, "model.10 holds 'gamma'"),
        (move(resnet_state(4, 2), "model.19.", "model.20."), {}, r"a layer at model.20, .* have none"),
        (move(resnet_state(4, 2), "conv_block.5.", "conv_block.7."), {}, "a layer at model.10.conv_block.7"),
        (move(resnet_state(4, 2), "conv_block.1.", "conv_block.0."), {}, "a layer at model.10.conv_block"),
        (move(unet_state(4, 2), "model.model.3.", "model.model.4."), {}, "a layer at model.model.4"),
        (resnet_state(4, 2), {"padding": "zero"}, "has padding layers"),
        (pad_with_zero(resnet_state(4, 2)), {"padding": "reflect"}, "has no padding layers"),
        (unet_state(4, 2), {"padding": "reflect"}, "a U-Net pads with zeros"),
        (resnet_state(4, 2), {"norm": "batch"}, "0 norms with weights"),
    ],
)
def test_a_structure_that_cannot_be_built_is_refused_by_name(state: State, options: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_generator("G.pth", state, **options)


def test_other_names_tell_what_their_numbers_tell_and_the_rest_is_said() -> None:
    zero = pad_with_zero(resnet_state(4, 2, scale=0.3))
    numbered = {key.replace("model.", "net.").replace("conv_block", "body"): t for key, t in zero.items()}
    ours, image, notes = draw(numbered)
    assert (ours - resnet_forward(zero, image, 2, "constant")).abs().max() < 1e-4
    assert any("matched by order and shape" in note for note in notes)
    plain = {f"{chr(97 + i // 2)}.{key.rpartition('.')[2]}": t for i, (key, t) in enumerate(zero.items())}
    ours, image, notes = draw(plain)
    assert any("cannot tell" in note and "--padding zero" in note for note in notes)
    ours, image, notes = draw(plain, padding="zero")
    assert (ours - resnet_forward(zero, image, 2, "constant")).abs().max() < 1e-4
    odd = move(numbered, "body.3.", "body.5.")
    with pytest.raises(InputError, match="stand at 0 and 5"):
        read_generator("G.pth", odd)


WRAPPINGS: dict[str, Wrapping] = {
    "bare": lambda s: s,
    "DataParallel": lambda s: {f"module.{k}": t for k, t in s.items()},
    "compiled": lambda s: {f"_orig_mod.{k}": t for k, t in s.items()},
    "compiled, then DataParallel": lambda s: {f"module._orig_mod.{k}": t for k, t in s.items()},
    "DataParallel, then compiled": lambda s: {f"_orig_mod.module.{k}": t for k, t in s.items()},
    "model": lambda s: {"model": s, "epoch": 3},
    "params_ema": lambda s: {"params": {k: t + 1 for k, t in s.items()}, "params_ema": s},
    "state_dict in model": lambda s: {"model": {"state_dict": {f"module.{k}": t for k, t in s.items()}}},
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_every_family_reads_through_wrappings_and_prefixes(name: str) -> None:
    wrap = WRAPPINGS[name]
    options = ImportOptions(size=32)
    found = [
        cyclegan.import_official({"G.pth": wrap(resnet_state(4, 2))}, options),
        pix2pix.import_official({"G.pth": wrap(unet_state(5, 2))}, options),
        stargan.import_official({"G.ckpt": wrap(published_stargan.generator_state())}, options),
        fastgan.import_official({"1.pth": {"g": wrap(_fastgan_state())}}, ImportOptions()),
    ]
    for imported, bare in zip(found, (resnet_state(4, 2), unet_state(5, 2)), strict=False):
        assert imported and set(next(iter(imported.networks.values()))) == set(bare)
    assert all(found)
    state = _fastgan_state()
    direct = fastgan.import_official({"1.pth": wrap(state)}, ImportOptions())
    assert direct and torch.equal(direct.networks["generator"]["to_big.weight_orig"], state["to_big.weight_orig"])


def _fastgan_state() -> State:
    torch.manual_seed(0)
    return dict(fastgan.networks(fastgan.tiny())["generator"].state_dict())


def test_compiled_parts_lose_their_prefix_amid_the_name() -> None:
    assert set(read_state({"main._orig_mod.0.weight": torch.ones(1)})) == {"main.0.weight"}
    assert read_state({"a": {"b": 3}}) == {} and read_state([1]) == {}


@pytest.mark.parametrize("prefix", ["model.", "net."])
def test_the_order_of_a_safetensors_file_does_not_matter(prefix: str, tmp_path: Path) -> None:
    state = resnet_state(4, 9, scale=0.3)  # with blocks beyond number 10, which plain sorting puts before 2
    save_file({key.replace("model.", prefix, 1): t for key, t in state.items()}, tmp_path / "G.safetensors")
    found = read_generator("G", official.read(tmp_path / "G.safetensors"))
    assert found and all(torch.equal(found.state[key], t) for key, t in state.items())
