"""DCGAN: the published bodies, what makes them ready to run, how they train, and the published checkpoints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from support.official.dcgan import (
    discriminator_state,
    generator_state,
    reference_discriminator,
    reference_generator,
)
from support.training.resuming import resumes_exactly
from torch import nn

from edgegan.config import with_settings
from edgegan.families import ImportOptions, Step, dcgan
from edgegan.families._generation import statistics_latents
from edgegan.networks.generation.batch_statistics import measure_statistics
from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator
from edgegan.networks.generation.latents import follow_law
from edgegan.runtime.errors import EdgeganError, InputError


@pytest.mark.parametrize(("size", "g", "d"), [(32, 1.07, 0.66), (64, 3.58, 2.77), (128, 12.8, 11.2)])
def test_the_networks_have_the_published_sizes(size: int, g: float, d: float) -> None:
    with torch.device("meta"):
        nets = DcganGenerator(size, 100, 64), DcganDiscriminator(size, 64)
    for net, millions in zip(nets, (g, d), strict=True):
        assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, rel=0.01)


def test_the_authors_form_has_18_9_million_parameters_and_every_body_maps_between_its_sizes() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in DcganGenerator(64, 100, 128, "5x5").parameters()) == pytest.approx(
            18.9e6, rel=0.01
        )
    for body in ("4x4", "5x5", "mlp"):
        for size in (16, 32, 64, 128) if body != "mlp" else (16, 32):
            pictures = DcganGenerator(size, 8, 2, body)(torch.randn(2, 8))  # type: ignore[arg-type]
            assert pictures.shape == (2, 3, size, size) and pictures.abs().max() <= 1
            assert DcganDiscriminator(size, 2, body)(pictures).shape == (2,)  # type: ignore[arg-type]


def test_neither_end_of_the_body_has_a_norm() -> None:
    for body in ("4x4", "5x5"):
        g, d = DcganGenerator(32, 8, 4, body), DcganDiscriminator(32, 4, body)  # type: ignore[arg-type]
        assert [type(layer) for layer in g.main[-2:]] == [nn.ConvTranspose2d, nn.Tanh]
        assert [type(layer) for layer in d.main[:2]] == [nn.Conv2d, nn.LeakyReLU]
        assert sum(isinstance(m, nn.BatchNorm2d) for m in g.modules()) == 3  # of 4, 8 and 16 pixels
        assert sum(isinstance(m, nn.BatchNorm2d) for m in d.modules()) == 2
        assert sum(isinstance(m, nn.BatchNorm2d) for m in DcganDiscriminator(32, 4, norm=None).modules()) == 0


@pytest.mark.parametrize("size", [32, 64, 128])
def test_an_imported_checkpoint_computes_what_the_published_layout_says(size: int) -> None:
    torch.manual_seed(0)
    files = {"netG_epoch_9.pth": generator_state(size, 12, 4), "netD_epoch_9.pth": discriminator_state(size, 6)}
    found = dcgan.import_official(files, ImportOptions(bn="keep"))
    assert found is not None
    assert found.cfg == replace(found.cfg, size=size, nz=12, ngf=4, ndf=6, body="4x4", latent="normal", bn="keep")  # type: ignore[call-arg]
    nets = dcgan.networks(found.cfg)  # type: ignore[arg-type]
    for name, state in found.networks.items():
        nets[name].load_state_dict(dict(state))
        nets[name].eval()
    z = torch.randn(3, 12)
    with torch.no_grad():
        pictures, expected = nets["generator"](z), reference_generator(files["netG_epoch_9.pth"], z)
        scores = nets["discriminator"](pictures)
        wanted = reference_discriminator(files["netD_epoch_9.pth"], pictures)
    assert pictures.std() > 0.01 and (pictures - expected).abs().max() < 1e-5
    assert scores.std() > 1e-3 and (scores - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_checkpoints_that_would_be_read_wrongly_are_refused_or_not_taken_for_ours() -> None:
    torch.manual_seed(0)
    g, d = generator_state(32, 12, 4), discriminator_state(32, 4)

    def load(*states: Any, **options: Any) -> Any:
        return dcgan.import_official({f"net{i}.pth": state for i, state in enumerate(states)}, ImportOptions(**options))

    assert load(d) is None and load({"model.0.weight": torch.zeros(1)}) is None
    assert load({**g, "classes.weight": torch.zeros(2, 2)}) is None
    assert load({"module." + key: tensor for key, tensor in g.items()}).cfg.size == 32
    with pytest.raises(InputError, match="1 channels"):
        load(generator_state(32, 12, 4, channels=1))
    with pytest.raises(InputError, match="one netG file"):
        load(g, g)
    with pytest.raises(InputError, match="--size 64.*draws 32"):
        load(g, size=64)
    with pytest.raises(InputError, match="main.0.bias.*bias"):
        load({**g, "main.0.bias": torch.zeros(16)})
    with pytest.raises(InputError, match="main.3.weight"):
        load({**g, "main.3.weight": torch.zeros(16, 9, 4, 4)})
    with pytest.raises(InputError, match="256 px"):
        load(generator_state(256, 12, 1))
    old = {key: tensor for key, tensor in g.items() if not key.endswith("num_batches_tracked")}
    assert load(old).networks["generator"].keys() == g.keys()


def test_without_an_opinion_the_losses_are_those_of_chance() -> None:
    cfg = dcgan.tiny()
    nets = dcgan.networks(cfg)
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(g, DcganGenerator) and isinstance(d, DcganDiscriminator)
    nn.init.zeros_(d.main[-1].weight)  # type: ignore[arg-type]
    step = Step({"real": {"image": torch.rand(4, 3, 16, 16)}}, first_image=0, seed=0)
    assert dcgan.objective.g_loss(cfg, g, d, step)[0].item() == pytest.approx(math.log(2))
    loss, parts = dcgan.objective.d_loss(cfg, d, step)
    assert loss.item() == pytest.approx(2 * math.log(2))
    assert parts["real"].item() == parts["fake"].item() == 0.5


def test_a_ready_generator_draws_each_picture_alone_and_training_mode_does_not() -> None:
    cfg = replace(dcgan.tiny(), ngf=16)
    torch.manual_seed(0)
    nets = dcgan.networks(cfg)
    z = torch.randn(6, cfg.nz)
    (spec,) = dcgan.exportable(cfg, nets, "")
    with torch.no_grad():
        together, alone = spec.module(z), torch.cat([spec.module(one[None]) for one in z])
        batch, single = nets["generator"](z), torch.cat([nets["generator"](one[None]) for one in z])
    assert together.std(0).mean() > 1e-3, "all pictures are one"
    assert (together - alone).abs().max() < 1e-5
    assert (batch - single).abs().max() > 1e-3, "this is why training mode must not be used"


def test_measured_statistics_are_those_of_the_pictures_themselves() -> None:
    """On the very rows that were measured, eval mode gives what batch statistics give."""
    torch.manual_seed(0)
    g = DcganGenerator(16, 8, 16)
    before = {key: tensor.clone() for key, tensor in g.state_dict().items()}
    z = torch.from_numpy(statistics_latents(256, 8))
    measure_statistics(g.eval(), (z,), 256)
    assert any(not torch.equal(tensor, before[key]) for key, tensor in g.state_dict().items())
    with torch.no_grad():
        measured, batch = g(z), g.train()(z)
    assert (measured - batch).abs().mean() < 0.005 * batch.std()


def test_uniform_latents_are_uniform_and_the_exported_model_still_takes_normal_ones() -> None:
    z = torch.from_numpy(statistics_latents(4096, 4))
    u = follow_law(z, "uniform")
    assert u.abs().max() < 1 and abs(u.mean()) < 0.02 and u.var().item() == pytest.approx(1 / 3, rel=0.03)
    below = [float((u < edge).float().mean()) for edge in (-0.5, 0.0, 0.5)]
    assert below == pytest.approx([0.25, 0.5, 0.75], abs=0.02)
    assert torch.equal(follow_law(z, "normal"), z)
    cfg = replace(dcgan.tiny(), latent="uniform")
    nets = dcgan.networks(cfg)
    plain = DcganGenerator(16, cfg.nz, cfg.ngf)
    plain.load_state_dict(nets["generator"].state_dict())
    z = z[:2].repeat(1, 2)
    assert torch.equal(nets["generator"](z), plain(torch.erf(z / math.sqrt(2))))


def test_the_discriminator_sees_all_pictures_augmented(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = with_settings(dcgan.tiny(), ['d_augment=["colour"]', "generator_loss=feature_matching"])
    nets = dcgan.networks(cfg)
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(g, DcganGenerator) and isinstance(d, DcganDiscriminator)
    image = torch.rand(4, 3, 16, 16)
    step = Step({"real": {"image": image}, "matched": {"image": image}}, first_image=0, seed=0)
    seen, features = [], d.features
    monkeypatch.setattr(d, "features", lambda images: (seen.append(images), features(images))[1])
    dcgan.objective.g_loss(cfg, g, d, step)
    fakes = step.scratch[dcgan.objective.FAKES]
    dcgan.objective.d_loss(cfg, d, step)
    drawn = [fakes, image, image, fakes]  # in the order in which they are looked at
    assert [torch.equal(one, shown) for one, shown in zip(drawn, seen, strict=True)] == [False] * 4
    assert torch.equal(seen[0], seen[3]), "both players see a drawn picture changed in the same way"
    assert not torch.equal(seen[1], seen[2])
    seen[0].sum().backward()
    assert all(p.grad is not None for p in g.parameters()), "the generator learns through the change"


@pytest.mark.parametrize("body", ["4x4", "5x5", "mlp"])
def test_four_steps_equal_two_a_resume_and_two(body: str, tmp_path: Path) -> None:
    tensors = resumes_exactly("dcgan", with_settings(dcgan.tiny(), [f"body={body}"]), tmp_path)
    moved = [key for key in tensors if key.startswith("ema/") and key.endswith("weight")]
    assert moved and not any(torch.equal(tensors[key], tensors[key.replace("ema/", "net/")]) for key in moved)


def test_looking_changes_nothing() -> None:
    cfg = dcgan.tiny()
    nets = dcgan.networks(cfg)
    before = {n: {k: t.clone() for k, t in net.state_dict().items()} for n, net in nets.items()}
    sheet = dcgan.FAMILY.preview(cfg, nets, cfg.train.data)
    figures = dcgan.validate(cfg, nets, cfg.train.data)
    assert sheet.row_names[-1] == "held out" and next(iter(figures)) == "swd"
    assert all(torch.equal(t, before[n][k]) for n, net in nets.items() for k, t in net.state_dict().items())
    assert all(net.training for net in nets.values())


@pytest.mark.parametrize("setting", ["size=48", "body=6x6", "latent=cauchy", "ngf=0", "bn_latents=1"])
def test_configurations_that_cannot_work_are_refused(setting: str) -> None:
    with pytest.raises(EdgeganError) as error:
        with_settings(dcgan.Config(), [setting])
    assert setting.partition("=")[0] in str(error.value)
