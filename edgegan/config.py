"""Configuration: frozen structs, filled from a TOML preset and `--set key=value`; unknown keys fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Literal, TypeVar

import msgspec
import tomllib

from edgegan.runtime.errors import InputError


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every family's run has. Progress is counted in real images shown to the discriminator."""

    data: str = ""  # default --data SPEC
    images: int = 3_200_000  # where training ends
    decay_images: int = 0  # the learning rate falls to zero over the last so many images
    schedule: Literal["linear", "cosine"] = "linear"  # how it falls
    batch: int = 16  # over all processes: they share it
    accumulate: int = 1  # the batch is split into so many parts; gradients add up
    seed: int = 0
    ema_halflife_images: int = 10_000
    sample_images: int = 16_000  # a sample grid every so many images
    validate_images: int = 16_000  # figures on held-out pictures every so many images, and at the end; 0: never
    checkpoint_images: int = 64_000
    checkpoint_minutes: float = 10.0  # or every so many minutes, whichever comes first
    keep: int = 3  # checkpoints kept; older ones are removed
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"  # auto: bf16 on GPUs that have it, else fp32
    channels_last: bool | Literal["auto"] = "auto"  # memory layout; auto: on GPUs (on CPUs the norms lose more by it)
    compile: bool = False  # torch.compile; phases that need second derivatives stay eager
    workers: int = 0  # threads that read pictures; 0: one per processor, at most 8

    def __post_init__(self) -> None:
        if self.batch % self.accumulate:
            raise InputError(f"train.batch={self.batch} does not divide by train.accumulate={self.accumulate}")


class BaseConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every family's Config."""

    train: Training = Training()


ConfigT = TypeVar("ConfigT", bound=BaseConfig)


def presets(family: str) -> dict[str, str]:
    """Preset name -> its first comment line, for the presets/ folder of a family."""
    folder = files(f"edgegan.families.{family}").joinpath("presets")
    found = {}
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name.endswith(".toml"):
            first = entry.read_text("utf-8").split("\n", 1)[0]
            found[entry.name.removesuffix(".toml")] = first.lstrip("# ") if first.startswith("#") else ""
    return dict(sorted(found.items()))


def load(kind: type[ConfigT], family: str, preset: str, settings: Iterable[str] = ()) -> ConfigT:
    """The config of a preset with `key=value` settings on top; dots reach into sections (`train.batch=8`).

    Raises InputError for an unknown preset or key, or a value of the wrong type.
    """
    known = presets(family)
    if preset not in known:
        raise InputError(f"{family} has no preset '{preset}'", f"it has: {', '.join(known)}")
    text = files(f"edgegan.families.{family}").joinpath("presets", f"{preset}.toml").read_text("utf-8")
    values = tomllib.loads(text)
    for setting in settings:
        _set(values, setting)
    return build(kind, values)


def build(kind: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """A config from plain values; raises InputError that names the key at fault."""
    try:
        return msgspec.convert(values, kind, strict=True)
    except msgspec.ValidationError as error:
        raise InputError(f"configuration: {error}", f"keys: {', '.join(_keys(kind))}") from None


def with_settings(config: ConfigT, settings: Iterable[str]) -> ConfigT:
    """`config` with `key=value` settings on top."""
    values = msgspec.to_builtins(config)
    for setting in settings:
        _set(values, setting)
    return build(type(config), values)


def _set(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise InputError(f"--set {setting}: not of the form key=value", "as in: --set train.batch=8")
    *sections, last = key.strip().split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise InputError(f"--set {setting}: '{section}' is not a section")
    try:
        values[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        values[last] = text.strip()  # a bare word: TOML would want quotes that shells eat


def _keys(kind: type[BaseConfig]) -> list[str]:
    own = [f.name for f in msgspec.structs.fields(kind) if f.name != "train"]
    return own + [f"train.{f.name}" for f in msgspec.structs.fields(Training)]
