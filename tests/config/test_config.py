"""Configuration: presets, settings, and what is refused."""

from __future__ import annotations

import msgspec
import pytest

from edgegan import config, families
from edgegan.families.stargan.config import Config
from edgegan.runtime.errors import InputError


def test_settings_reach_every_level_and_keep_their_types() -> None:
    cfg = config.load(
        Config, "stargan", "avatars-64", ["train.batch=8", "conv_dim=16", "mask=true", "targets=single", "g_lr=3e-4"]
    )
    assert (cfg.train.batch, cfg.conv_dim, cfg.mask, cfg.targets, cfg.g_lr) == (8, 16, True, "single", 3e-4)


@pytest.mark.parametrize(
    "setting,words",
    [
        ("widht=3", "unknown field `widht`"),
        ("train.bach=3", "unknown field `bach`"),
        ("conv_dim=wide", "Expected `int`"),
        ("conv_dim", "key=value"),
        ("size.width=3", "not a section"),
        ("targets=some", "Invalid enum value"),
    ],
)
def test_bad_settings_are_refused_and_named(setting: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        config.load(Config, "stargan", "avatars-64", [setting])


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="avatars-64"):
        config.load(Config, "stargan", "avatar-64")


@pytest.mark.parametrize("family", families.names())
def test_a_config_survives_its_own_json(family: str) -> None:
    kind = families.get(family).Config
    for cfg in [families.get(family).tiny(), *(config.load(kind, family, p) for p in config.presets(family))]:
        again = config.build(kind, msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(cfg))))
        assert again == cfg


@pytest.mark.parametrize("family", families.names())
def test_every_preset_says_what_it_is_for(family: str) -> None:
    assert config.presets(family)
    assert all(config.presets(family).values())


@pytest.mark.parametrize("family", families.names())
def test_a_batch_that_does_not_divide_is_refused_in_every_family(family: str) -> None:
    with pytest.raises(InputError, match="does not divide"):
        config.with_settings(families.get(family).tiny(), ["train.batch=10", "train.accumulate=3"])
