"""Every setting of every family: it has a range, what lies beyond is refused in words, and its borders train."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from edgegan import config, families
from edgegan.ranges import range_words, type_at
from edgegan.runtime.errors import EdgeganError, InputError
from edgegan.runtime.model.card import Alignment
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Silence

Number = inspect.IntType | inspect.FloatType

# At the upper border these need more memory or time than a test has.
COSTLY = ("size", "load_size", "blocks", "ngf", "ndf", "conv_dim", "d_conv_dim", "d_layers", "downs", "nz", "pool")
COSTLY += ("bn_latents", "train.images", "train.batch", "train.accumulate", "n_critic", "width")


def numbers(kind: inspect.Type, path: str = "") -> Iterator[tuple[str, Number]]:
    """Every number of a configuration with its key, those of sections included; an alignment belongs to the card."""
    if isinstance(kind, Number):
        yield path, kind
    elif isinstance(kind, inspect.UnionType):
        for part in kind.types:
            yield from numbers(part, path)
    elif isinstance(kind, inspect.VarTupleType):
        yield from numbers(kind.item_type, f"{path}[0]")
    elif isinstance(kind, inspect.StructType) and kind.cls is not Alignment:
        for field in kind.fields:
            yield from numbers(field.type, f"{path}.{field.name}".lstrip("."))


def keys(family: str) -> dict[str, Number]:
    return dict(numbers(inspect.type_info(families.get(family).Config)))


def borders(kind: Number) -> tuple[list[Any], list[Any]]:
    """The least and the most allowed; and values just beyond."""
    step = 1 if isinstance(kind, inspect.IntType) else 1e-6
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le is not None else kind.lt
    assert low is not None and high is not None, kind
    inside = [low if kind.ge is not None else low + step, high if kind.le is not None else high - step]
    beyond = [low - step if kind.ge is not None else low, high + max(step, 1e-6 * high) if kind.le else high]
    if isinstance(kind, inspect.IntType):
        return [int(v) for v in inside], [int(beyond[0]), int(high) + 1, 10**20, -(10**20), True, 0.5]
    return [float(v) for v in inside], [*map(float, beyond), math.nan, math.inf, -math.inf]


def with_value(family: str, key: str, value: Any) -> config.BaseConfig:
    """The family's tiny config with one setting changed."""
    values = msgspec.to_builtins(families.get(family).tiny())
    section = values
    *sections, last = key.split(".")
    if key.endswith("[0]"):
        values[key.removesuffix("[0]")] = [value]
        return config.build(families.get(family).Config, values)
    if "[" in key:
        values["sets"] = [{"name": "one", "attributes": values["attributes"], "centre_crop": value}]
        return config.build(families.get(family).Config, values)
    for name in sections:
        section = section.setdefault(name, {})
    section[last] = value
    return config.build(families.get(family).Config, values)


@pytest.mark.parametrize("family", families.names())
def test_every_number_has_a_range_and_what_lies_beyond_is_refused_by_name(family: str) -> None:
    assert {"train.batch", "train.keep", "train.seed"} <= set(keys(family))
    for key, kind in keys(family).items():
        for value in borders(kind)[1]:
            with pytest.raises(InputError) as refused:
                with_value(family, key, value)
            assert f"{key}={value!r}" in str(refused.value), key
            setting = type_at(families.get(family).Config, f"$.{key}")
            assert setting is not None and range_words(setting) in str(refused.value), key


@pytest.mark.parametrize("family", families.names())
def test_a_config_that_a_program_made_is_held_to_its_ranges_before_a_run_is_made_of_it(
    family: str, tmp_path: Path
) -> None:
    """msgspec looks at no range where a class is called or a field replaced."""
    tiny = families.get(family).tiny()
    assert Run(tmp_path, family, tiny, "").cfg == tiny
    for name in config.presets(family):
        cfg = config.load(families.get(family).Config, family, name)
        assert config.check(cfg) == cfg
    train = msgspec.structs.replace(tiny.train, keep=0)
    for wrong, key in ((msgspec.structs.replace(tiny, train=train), "train.keep=0"), *beyond_where_called(family)):
        with pytest.raises(InputError, match=re.escape(key)):
            Run(tmp_path, family, wrong, "")


def beyond_where_called(family: str) -> Iterator[tuple[config.BaseConfig, str]]:
    """Configs whose learning rates nobody has refused yet, and what a refusal names."""
    for key in keys(family):
        if key.endswith("lr"):
            yield families.get(family).Config(**{**_fields(family), key: -1.0}), f"{key}=-1.0"


def _fields(family: str) -> dict[str, Any]:
    tiny = families.get(family).tiny()
    return {name: getattr(tiny, name) for name in tiny.__struct_fields__}


@pytest.mark.parametrize("family", families.names())
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_settings_within_their_ranges_are_taken_or_refused_in_words(family: str, data: st.DataObject) -> None:
    """Several at once: what they cannot do together is an InputError, never another exception."""
    some = keys(family)
    chosen = data.draw(st.lists(st.sampled_from([key for key in some if "[" not in key]), max_size=4, unique=True))
    values = msgspec.to_builtins(families.get(family).tiny())
    for key in chosen:
        low, high = borders(some[key])[0]
        draw = st.integers(low, high) if isinstance(some[key], inspect.IntType) else st.floats(low, high)
        *sections, last = key.split(".")
        section = values
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = data.draw(draw)
    try:
        config.build(families.get(family).Config, values)
    except InputError as refused:
        assert len(str(refused).splitlines()) <= 3


def train_one_batch(family: str, key: str, value: Any, folder: Path) -> bool:
    """Whether a tiny run with this setting trained; False where it was refused in words."""
    try:
        cfg = with_value(family, key, value)
        run = Run(folder, family, cfg, cfg.train.data)
        Trainer(run, torch.device("cpu")).train(Budget(cfg.train.batch), Silence())
    except EdgeganError as refused:
        assert str(refused), key
        return False
    assert run.checkpoints(), (key, value)
    return True


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny configurations that neither draw samples nor score held-out pictures."""
    for name in families.names():
        family = families.get(name)
        tiny = config.with_settings(family.tiny(), ["train.sample_images=0", "train.validate_images=0"])
        monkeypatch.setattr(family, "tiny", lambda tiny=tiny: tiny)


@pytest.mark.parametrize("key", [key for key in keys("stargan") if key.startswith("train.")])
@pytest.mark.usefixtures("quick")
def test_at_the_borders_of_training_a_run_trains_or_is_refused_in_words(key: str, tmp_path: Path) -> None:
    low, high = borders(keys("stargan")[key])[0]
    assert train_one_batch("stargan", key, low, tmp_path / "low")
    if key not in COSTLY:
        train_one_batch("stargan", key, high, tmp_path / "high")


@pytest.mark.parametrize("family", families.names())
@pytest.mark.usefixtures("quick")
def test_at_the_lower_borders_of_a_family_a_run_trains_or_is_refused_in_words(family: str, tmp_path: Path) -> None:
    own = [key for key in keys(family) if not key.startswith(("train.", "sets"))]
    trained = [key for key in own if train_one_batch(family, key, borders(keys(family)[key])[0][0], tmp_path / key)]
    assert len(trained) > len(own) / 2, trained
