"""PyTorch-GAN-zoo's checkpoints: what is imported equals the published network, and what cannot be is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from support.official import gan_zoo as published

from edgegan import official
from edgegan.families import ImportOptions, progan
from edgegan.families.progan import Config, growth
from edgegan.families.progan.inference import Picture
from edgegan.families.progan.networks import Critic, Generator
from edgegan.runtime.errors import InputError
from edgegan.train.folder.run import open_trained

WIDTHS = (8, 12, 6)  # as no `base` and `widest` give them
SETTINGS = {
    "alpha": 0.0,
    "lossCriterion": "WGANGP",
    "leakyReluLeak": 0.2,
    "perChannelNormalization": True,
    "equalizedlR": True,
    "attribKeysOrder": None,
    "categoryVectorDim": 0,
    "depthOtherScales": [12, 6],
    "lambdaGP": 10.0,
}


def import_state(loaded: Any, **options: Any) -> Any:
    return progan.import_official({"pgan.pt": loaded}, ImportOptions(**options))


def build(found: Any) -> tuple[Generator, Critic]:
    nets = progan.FAMILY.networks(found.cfg)
    for name, state in found.networks.items():
        nets[name].load_state_dict(dict(state))
    return nets["generator"], nets["critic"]  # type: ignore[return-value]


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.25])
def test_an_imported_file_computes_what_the_published_layout_says(tmp_path: Path, alpha: float, old: bool) -> None:
    torch.manual_seed(0)
    average, live, critic = (
        published.generator_state(WIDTHS, 10),
        published.generator_state(WIDTHS, 10),
        published.critic_state(WIDTHS),
    )
    networks = {"netG": live, "netD": critic, "avgG": {f"module.{key}": tensor for key, tensor in average.items()}}
    published.save(tmp_path / "pgan.pt", networks, {**SETTINGS, "alpha": alpha}, old)
    report = official.import_files([tmp_path / "pgan.pt"], tmp_path / "run", ImportOptions())
    run, nets, _ = open_trained(tmp_path / "run")
    cfg = run.cfg
    assert isinstance(cfg, Config) and (cfg.size, cfg.widths, cfg.nz) == (16, WIDTHS, 10)
    assert any("avgG, the average" in note for note in report.notes) and not any("taken as" in n for n in report.notes)
    g, d, z = nets["generator"], nets["critic"], torch.randn(5, 10)
    assert isinstance(g, Generator) and isinstance(d, Critic)
    with torch.no_grad():
        expected = published.generate(average, z, alpha)
        pictures = g(z)
        assert expected.std() > 0.1 and (pictures - expected).abs().max() < 1e-5
        torch.testing.assert_close(Picture(cfg, g)(z), expected.clamp(-1, 1), atol=1e-5, rtol=0)
        image = torch.rand(4, 3, 16, 16) * 2 - 1
        scores, wanted = d.score(image, 2.0), published.judge(critic, image)
    assert wanted.std() > 1e-3 and (scores - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_a_file_without_settings_is_read_with_what_is_assumed_said(tmp_path: Path) -> None:
    torch.manual_seed(1)
    state = published.generator_state(WIDTHS, 10)
    save_file(state, tmp_path / "pgan.safetensors")
    z = torch.randn(3, 10)
    for loaded in (state, {"netG": state}, official.read(tmp_path / "pgan.safetensors")):
        found = import_state(loaded)
        assert found.networks.keys() == {"generator"} and any("taken as grown up" in note for note in found.notes)
        with torch.no_grad():
            torch.testing.assert_close(build(found)[0](z), published.generate(state, z), atol=1e-5, rtol=0)
    assert "live weights" in import_state({"netG": state}).notes[0]
    assert "average" in import_state({"netG": state, "avgG": state}).notes[0]


def test_plain_layers_and_a_critic_that_compares_nothing_are_read_too() -> None:
    torch.manual_seed(2)
    state, critic = published.generator_state(WIDTHS, 10), published.critic_state(WIDTHS, compares=False)
    scaled = {
        key: tensor * (2 / state[key.rpartition(".")[0] + ".weight"][0].numel()) ** 0.5 for key, tensor in state.items()
    }
    found = import_state({"avgG": scaled, "config": {**SETTINGS, "equalizedlR": False}})
    z, image = torch.randn(3, 10), torch.rand(4, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(build(found)[0](z), published.generate(state, z), atol=1e-5, rtol=0)
        _, d = build(import_state({"avgG": state, "netD": critic}))
        wanted = published.judge(critic, image)
        torch.testing.assert_close(d.score(image, 2.0), wanted, atol=1e-4 * float(wanted.abs().max()), rtol=0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lossCriterion": "DCGAN"}, "lossCriterion 'DCGAN'"),
        ({"leakyReluLeak": 0.1}, "leakyReluLeak 0.1"),
        ({"perChannelNormalization": False}, "perChannelNormalization False"),
        ({"categoryVectorDim": 3}, "categoryVectorDim 3"),
        ({"alpha": 2.0}, "alpha 2.0"),
        ({"alpha": "much"}, "alpha 'much'"),
    ],
)
def test_settings_that_cannot_be_built_are_refused_by_name(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        import_state({"avgG": published.generator_state(WIDTHS, 10), "config": {**SETTINGS, **change}})


def test_what_would_be_read_wrongly_is_refused() -> None:
    state = published.generator_state(WIDTHS, 10)
    assert import_state({"other": state}) is None and import_state({"main.0.weight": torch.zeros(2)}) is None
    for loaded, words in (
        ({**state, "attention.weight": torch.zeros(2)}, "attention.weight is more than that"),
        ({**state, "groupScale0.1.module.weight": torch.zeros(2)}, "groupScale0.1.module.weight is more"),
        ({k: t for k, t in state.items() if k != "toRGBLayers.1.module.bias"}, "toRGBLayers.1.module.bias is missing"),
        ({**state, "scaleLayers.1.1.module.weight": torch.zeros(6, 7, 3, 3)}, r"scaleLayers.1.1 is \(6, 7, 3, 3\)"),
        ({**state, "formatLayer.module.bias": torch.zeros(8)}, r"formatLayer is .* bias of \(8,\), not"),
        (published.generator_state(WIDTHS, 10, channels=1), "1 channels"),
        (published.generator_state((4,), 10), "pictures of 4 px"),
        ({"avgG": state, "netD": published.critic_state(WIDTHS, outputs=4)}, "netD gives 4 numbers.*labels"),
    ):
        with pytest.raises(InputError, match=words):
            import_state(loaded)
    with pytest.raises(InputError, match="--size 32.*draws 16"):
        import_state(state, size=32)
    with pytest.raises(InputError, match="one file"):
        progan.import_official({"a.pt": state, "b.pt": state}, ImportOptions())


def test_an_imported_generator_goes_on_at_its_size() -> None:
    cfg = import_state(published.generator_state(WIDTHS, 10), domain="textures").cfg
    assert cfg.domain == "textures" and "BSD" in cfg.licence
    assert growth.level_at(cfg, 0) == growth.level_at(cfg, 10**9) == 2 and growth.stage(cfg, 0).name == "16 px"


def test_of_the_program_that_wrote_a_file_nothing_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings are read although their class is not there, and where it is, its module does not run."""
    (tmp_path / "models" / "utils").mkdir(parents=True)
    (tmp_path / "models" / "utils" / "config.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    published.save(tmp_path / "pgan.pt", {"avgG": published.generator_state(WIDTHS, 10)}, SETTINGS)
    found = official.read(tmp_path / "pgan.pt")["config"]
    assert found == SETTINGS and not (tmp_path / "ran").exists() and "models.utils.config" not in sys.modules


class _Called:
    """A pickle that calls the settings' class with arguments, as one that runs programs would."""

    def __reduce__(self) -> Any:
        return sys.modules["models.utils.config"].BaseConfig, ("print('run')",)


def test_settings_that_are_called_are_refused(tmp_path: Path) -> None:
    published.save(tmp_path / "pgan.pt", {"avgG": _Called()}, SETTINGS)
    with pytest.raises(InputError, match="pgan.pt"):
        official.read(tmp_path / "pgan.pt")
