"""FastGAN's generator made ready: each picture alone, statistics of the pictures themselves, noise that repeats."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from support.training.chance import chance

from edgegan.export.run import _configure
from edgegan.families import fastgan, stargan
from edgegan.families.fastgan import Config
from edgegan.families.fastgan.inference import Picture, ready
from edgegan.families.fastgan.networks import Generator
from edgegan.runtime.errors import InputError
from edgegan.train.folder.run import Run


def test_a_ready_generator_draws_each_picture_alone() -> None:
    cfg = fastgan.tiny()
    g = _lively(cfg)
    z = torch.randn(8, cfg.nz, generator=chance(3))
    with torch.no_grad():
        picture = Picture(ready(cfg, g))
        together = picture(z)
        alone = torch.cat([picture(one[None]) for one in z])
        dependent = torch.cat([g.train()(one[None])[0] for one in z]).clamp(-1, 1)
        as_batch = g.train()(z)[0].clamp(-1, 1)
    assert (together - alone).abs().max() < 1e-5
    assert together.std(0).mean() > 1e-3, "all pictures are one"
    assert (dependent - as_batch).abs().max() > 0.01, "training mode is what must not be used"


def test_preparing_leaves_the_generator_as_it_was() -> None:
    cfg = fastgan.tiny()
    g = _lively(cfg)
    before = {k: t.clone() for k, t in g.state_dict().items()}
    ready(cfg, g)
    assert all(torch.equal(t, before[k]) for k, t in g.state_dict().items())


def test_folding_spectral_norm_changes_no_picture() -> None:
    cfg = msgspec.structs.replace(fastgan.tiny(), bn="keep")
    g = _lively(cfg).eval()
    folded = ready(cfg, g)
    z = torch.randn(4, cfg.nz, generator=chance(4))
    with torch.no_grad():
        assert (folded(z)[0] - g(z)[0]).abs().max() < 1e-6
    assert not any(key.endswith(("_orig", "_u", "_v")) for key in folded.state_dict())


def test_measured_statistics_are_those_of_the_pictures_themselves() -> None:
    """On the very batch that was measured, eval mode gives what batch statistics give."""
    from edgegan.families._generation import statistics_latents

    cfg = fastgan.tiny()
    prepared = ready(cfg, _lively(cfg))
    z = torch.from_numpy(statistics_latents(cfg.bn_latents, cfg.nz))
    with torch.no_grad():
        measured = prepared(z)[0]
        batch = prepared.train()(z)[0]
    assert (measured - batch).abs().mean() < 0.005 * batch.std()  # one has n - 1 in the variance


def test_frozen_noise_repeats_and_follows_its_seed_and_weights() -> None:
    cfg = msgspec.structs.replace(fastgan.tiny(), bn="keep")
    g = _lively(cfg)
    z = torch.randn(1, cfg.nz, generator=chance(5))

    def draw(noise: str) -> torch.Tensor:
        with torch.no_grad():
            out: torch.Tensor = ready(msgspec.structs.replace(cfg, noise=noise), g)(z)[0]
        return out

    assert torch.equal(draw("frozen:7"), draw("frozen:7"))
    assert not torch.equal(draw("frozen:7"), draw("frozen:8"))
    assert not torch.equal(draw("frozen:7"), draw("zero"))
    with torch.no_grad():
        for name, parameter in g.named_parameters():
            if parameter.shape == (1,):
                assert name.split(".")[1] in ("2", "6")
                parameter.zero_()
    assert torch.equal(draw("frozen:7"), draw("zero"))


def test_the_noise_of_an_export_is_a_setting_that_only_models_with_noise_take(tmp_path: Path) -> None:
    cfg = fastgan.tiny()
    changed = _configure(Run(tmp_path, "fastgan", cfg, ""), ("noise=frozen:7",))
    assert changed == msgspec.structs.replace(cfg, noise="frozen:7")
    spec, mixer = fastgan.exportable(changed, {"generator": _lively(changed)}, "")  # type: ignore[arg-type]
    assert spec.card.noise == mixer.card.noise == "frozen:7"
    with pytest.raises(InputError, match="stargan model has no 'noise'"):
        _configure(Run(tmp_path, "stargan", stargan.tiny(), ""), ("noise=zero",))


def test_mixing_a_latent_with_itself_is_the_plain_picture() -> None:
    cfg = fastgan.tiny()
    picture = Picture(ready(cfg, _lively(cfg)))
    a, b = torch.randn(2, 1, cfg.nz, generator=chance(6))
    with torch.no_grad():
        assert torch.allclose(picture(a, a), picture(a), atol=1e-6)
        assert not torch.equal(picture(a, b), picture(a))


def _lively(cfg: Config) -> Generator:
    """A generator with noise weights that matter, whose stored statistics are wrong, as those of an average are."""
    torch.manual_seed(0)
    g = fastgan.networks(cfg)["generator"]
    with torch.no_grad():
        for parameter in g.parameters():
            if parameter.shape == (1,):
                parameter.fill_(0.3)
        for _ in range(20):  # the power iteration of the spectral norms settles
            g(torch.randn(4, cfg.nz))
    assert isinstance(g, Generator)
    return g
