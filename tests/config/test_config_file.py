"""Configuration files: what is printed reads back as the same configuration, and a user's own file is a preset."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import tomllib
from support.training.small_training import run_command

from edgegan import config, families
from edgegan.config_file import read_comments, to_toml, write_config
from edgegan.families.stargan.config import Config
from edgegan.runtime.errors import InputError
from edgegan.train.folder.run import open_run

PRESETS = [(family, preset) for family in families.names() for preset in config.presets(family)]


@pytest.mark.parametrize("family,preset", PRESETS)
def test_a_printed_preset_is_the_preset(family: str, preset: str, tmp_path: Path) -> None:
    kind = families.get(family).Config
    cfg = config.load(kind, family, preset)
    file = tmp_path / "mine.toml"
    file.write_text(write_config(cfg, family, "mine"), "utf-8")
    assert config.load(kind, family, str(file)) == cfg


def test_comments_say_what_a_setting_is_for_and_what_it_may_be() -> None:
    text = write_config(families.get("stargan").tiny(), "stargan", "mine")
    assert "keep = 3  # checkpoints kept; older ones are removed; a whole number from 1 to 1,000,000" in text
    assert 'precision = "auto"  # auto: bf16 on GPUs that have it, else fp32; one of: auto, bf16, fp16, fp32' in text
    assert "# centre_crop = (not set)" in text
    assert read_comments(Config)["mask"].startswith("GANimation's output mask")


def test_a_file_of_ones_own_trains_as_a_preset_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("conv_dim=4", "blocks=1", "d_conv_dim=4", "d_layers=3", "size=16", "train.batch=4", "train.images=4")
    settings = [word for setting in (*small, "train.data=avatars:8") for word in ("--set", setting)]
    assert run_command("train", "stargan", "--preset", "avatars-64", *settings, "--print-config") == 0
    assert not list(tmp_path.iterdir())
    Path("my own.toml").write_text(capsys.readouterr().out, "utf-8")
    assert run_command("train", "stargan", "--preset", "my own.toml", "--device", "cpu", "--out", "run") == 0
    cfg = open_run(Path("run")).cfg
    assert isinstance(cfg, Config) and cfg.conv_dim == 4 and cfg.train.images == 4


@pytest.mark.parametrize(
    "text,words",
    [
        (None, "no such file"),
        (b"size = ", "not TOML"),
        (b"\xff\xfe", "cannot be read as text"),
        (b"widht = 3", "unknown field `widht`"),
        (b"[train]\nkeep = 0", "train.keep is a whole number from 1"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_in_words(text: bytes | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(InputError, match=words):
        config.load(Config, "stargan", str(file))


@pytest.mark.parametrize("value", ['é "x" \\ \n\x7f😀', -1, 1e-6, 3.0, True, [1, [2]], {"a b": [1.5], "c": {}}])
def test_values_come_back_from_toml_as_they_were(value: object) -> None:
    assert tomllib.loads(f"value = {to_toml(value)}")["value"] == value


def test_attributes_beside_sets_are_refused_not_overwritten() -> None:
    sets = [{"name": "one", "attributes": ["a", "b"]}, {"name": "two", "attributes": ["c", "d"]}]
    assert config.build(Config, {"sets": sets}).attributes == ("a", "b", "c", "d")
    five = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]
    for given in (five, ["a", "b"]):
        with pytest.raises(InputError, match="beside sets"):
            config.build(Config, {"sets": sets, "attributes": given})
    resolved = config.build(Config, {"sets": sets})
    assert config.build(Config, msgspec.to_builtins(resolved)) == resolved  # as an old run folder holds it
