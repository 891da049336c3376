"""pix2pix: its losses, its one answer per picture, and the authors' checkpoints."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from support.official.networks import resnet_state, unet_forward, unet_state
from torch import nn

from edgegan import config
from edgegan.data import normalise, open_pairs
from edgegan.export.graph import trace, variants
from edgegan.families import ImportOptions, Step, pix2pix
from edgegan.families.pix2pix import objective
from edgegan.families.pix2pix.config import Config
from edgegan.runtime.errors import InputError


def step(count: int = 2) -> Step:
    a, b = (torch.rand(count, 3, 16, 16) * 2 - 1 for _ in range(2))
    return Step({"real": {"a": a, "b": b}}, first_image=0, seed=0)


class Sees(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x)
        return torch.zeros(len(x), 1, 2, 2)


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_discriminator_sees_what_was_given_beside_what_is_wanted_or_drawn(direction: str) -> None:
    cfg = Config(direction=direction)  # type: ignore[arg-type]
    d, now = Sees(), step()
    a, b = now.real["a"], now.real["b"]
    given, wanted = (a, b) if direction == "AtoB" else (b, a)
    total, _ = objective.d_loss(cfg, nn.Identity(), d, now)
    assert torch.equal(d.seen[0], torch.cat([given, wanted], 1))
    assert torch.equal(d.seen[1], torch.cat([given, given], 1))
    assert total.item() == pytest.approx(np.log(2))  # half of two coin tosses
    total, parts = objective.g_loss(cfg, nn.Identity(), d, now)
    torch.testing.assert_close(parts["l1"], (given - wanted).abs().mean())
    assert total.item() == pytest.approx(np.log(2) + 100 * parts["l1"].item(), rel=1e-5)


def test_each_phase_reaches_only_its_own_network() -> None:
    cfg = pix2pix.tiny()
    nets = pix2pix.networks(cfg)
    d, g = pix2pix.phases(cfg, nets)
    assert (d.name, g.name) == ("D", "G")
    d.loss_fn(step())[0].backward()
    assert all(p.grad is None for p in nets["generator"].parameters())
    assert all(p.grad is not None for p in nets["discriminator"].parameters())


def test_dropout_makes_training_random_and_nothing_else() -> None:
    cfg = Config(size=64, load_size=64, ngf=4, ndf=4)
    nets = pix2pix.networks(cfg)
    g = nets["generator"]
    (image,) = pix2pix.example_inputs(cfg, "generator")
    image = image.expand(2, -1, -1, -1)
    assert not torch.equal(g(image)[0], g(image)[1])
    (spec,) = pix2pix.exportable(cfg, nets, "")
    assert torch.equal(spec.module(image), spec.module(image))
    assert spec.dynamic_multiple == 64 and g.training, "an export leaves the network as it was"


def test_looking_at_a_network_in_training_changes_nothing() -> None:
    cfg = pix2pix.tiny()
    nets = pix2pix.networks(cfg)
    before = {k: v.clone() for k, v in nets["generator"].state_dict().items()}
    pix2pix.preview(cfg, nets, cfg.train.data)
    figures = pix2pix.validate(cfg, nets, cfg.train.data)
    assert all(torch.equal(v, before[k]) for k, v in nets["generator"].state_dict().items())
    assert nets["generator"].training and figures["l1"] > 0


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_pairs_stay_pairs_in_stream_and_preview(direction: str) -> None:
    cfg = msgspec.structs.replace(pix2pix.tiny(), direction=direction, flip=False, load_size=16)
    pairs = open_pairs(cfg.train.data, size=16, split="train")
    item = pix2pix.streams(cfg, cfg.train.data)["real"].item(5, np.random.default_rng(0))
    assert np.array_equal(item["a"], normalise(pairs.a.picture(5)))
    assert np.array_equal(item["b"], normalise(pairs.b.picture(5)))
    sheet = pix2pix.preview(cfg, pix2pix.networks(cfg), cfg.train.data)
    heldout = open_pairs(cfg.train.data, size=16, split="heldout")
    names, sides = ("summer", "winter"), (heldout.a, heldout.b)
    if direction == "BtoA":
        names, sides = names[::-1], sides[::-1]
    assert list(sheet.columns) == [names[0], f"to {names[1]}", f"true {names[1]}"]
    for i, (given, _, truth) in enumerate(sheet.rows):
        assert np.array_equal(given, sides[0].picture(i)) and np.array_equal(truth, sides[1].picture(i))


@pytest.mark.parametrize("name", config.presets("pix2pix"))
def test_every_preset_makes_networks(name: str) -> None:
    cfg = config.load(Config, "pix2pix", name)
    with torch.device("meta"):
        nets = pix2pix.networks(cfg)
        for network, net in nets.items():
            out = net(*(t.to("meta") for t in pix2pix.example_inputs(cfg, network)))
            assert out.shape[2:] == (cfg.size, cfg.size) or network == "discriminator"


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"size": 20, "load_size": 20}, "multiple of 8"),
        ({"adversarial": "wgan-gp"}, "norm=instance"),
        ({"load_size": 8}, "less than size"),
        ({"d_layers": 3}, "3 or more"),
    ],
)
def test_bad_configurations_are_refused_in_words(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        msgspec.structs.replace(pix2pix.tiny(), **changes)


# --- official checkpoints ---


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_an_official_unet_comes_alive_and_survives_export(norm: str) -> None:
    published = unet_state(5, 2, norm=norm, scale=0.3)
    imported = pix2pix.import_official({"latest_net_G.pth": published}, ImportOptions())
    assert imported and isinstance(imported.cfg, Config)
    cfg = imported.cfg
    assert (cfg.size, cfg.levels, cfg.ngf) == (32, 5, 2), "a U-Net's depth tells its size"
    nets = pix2pix.networks(cfg)
    nets["generator"].load_state_dict(imported.networks["generator"])
    (spec,) = pix2pix.exportable(cfg, nets, "")
    spec = variants.with_size(spec, (32, 96))
    image = torch.rand(1, 3, 32, 96) * 2 - 1
    expected = unet_forward(published, image, 5).numpy()
    assert expected.std() > 0.1
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(trace.to_onnx(spec).SerializeToString(), providers=["CPUExecutionProvider"])
    (out,) = session.run(["edited"], {"image": image.numpy()})
    assert np.abs(out - expected).max() < 1e-4


def test_batch_norms_keep_the_files_statistics_on_request() -> None:
    published = unet_state(5, 2)
    for bn, norm in (("recalibrate", "batch-picture"), ("keep", "batch")):
        imported = pix2pix.import_official({"g.pth": published}, ImportOptions(bn=bn))
        assert imported and isinstance(imported.cfg, Config) and imported.cfg.norm == norm
        state = imported.networks["generator"]
        key = "model.model.1.model.2.running_mean"
        assert torch.equal(state[key], published[key])


def test_resnets_with_dropout_are_ours_and_cyclegans_are_not() -> None:
    options = ImportOptions(size=64)
    imported = pix2pix.import_official({"g.pth": resnet_state(4, 2, dropout=True)}, options)
    assert imported and isinstance(imported.cfg, Config)
    assert (imported.cfg.generator, imported.cfg.blocks, imported.cfg.dropout, imported.cfg.size) == (
        "resnet",
        2,
        True,
        64,
    )
    nets = pix2pix.networks(imported.cfg)
    nets["generator"].load_state_dict(imported.networks["generator"])
    assert pix2pix.import_official({"g.pth": resnet_state(4, 2)}, options) is None
    with pytest.raises(InputError, match="multiple of 32"):
        pix2pix.import_official({"g.pth": unet_state(5, 2)}, ImportOptions(size=48))
    with pytest.raises(InputError, match="2 generators"):
        pix2pix.import_official({"a.pth": unet_state(5, 2), "b.pth": unet_state(5, 2)}, options)
