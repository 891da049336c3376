"""Configuration: frozen structs, filled from a TOML preset and `--set key=value`; unknown keys fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import tomllib
from msgspec import Meta

from edgegan.ranges import Batch, Images, Seed, range_words, type_at, value_at
from edgegan.runtime.errors import InputError


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every family's run has. Progress is counted in real images shown to the discriminator."""

    data: str = ""  # default --data SPEC
    images: Annotated[int, Meta(ge=1, le=10**12)] = 3_200_000  # where training ends
    decay_images: Images = 0  # the learning rate falls to zero over the last so many images
    schedule: Literal["linear", "cosine"] = "linear"  # how it falls
    batch: Batch = 16  # over all processes: they share it
    accumulate: Batch = 1  # the batch is split into so many parts; gradients add up
    seed: Seed = 0
    ema_halflife_images: Images = 10_000  # 0: no average, the weights themselves
    sample_images: Images = 16_000  # a sample grid every so many images, at the start and at the end; 0: never
    validate_images: Images = 16_000  # figures on held-out pictures every so many images, and at the end; 0: never
    checkpoint_images: Images = 64_000  # a checkpoint every so many images; 0: only by the clock and at the end
    checkpoint_minutes: Annotated[float, Meta(ge=0, le=1e6)] = 10.0  # or every so many minutes; 0: not by the clock
    keep: Annotated[int, Meta(ge=1, le=1_000_000)] = 3  # checkpoints kept; older ones are removed
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"  # auto: bf16 on GPUs that have it, else fp32
    channels_last: bool | Literal["auto"] = "auto"  # memory layout; auto: on GPUs (on CPUs the norms lose more by it)
    compile: bool = False  # torch.compile; phases that need second derivatives stay eager
    workers: Annotated[int, Meta(ge=0, le=256)] = 0  # threads that read pictures; 0: one per processor, at most 8

    def __post_init__(self) -> None:
        if self.batch % self.accumulate:
            raise InputError(f"train.batch={self.batch} does not divide by train.accumulate={self.accumulate}")


class BaseConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every family's Config."""

    train: Training = Training()

    @classmethod
    def complete_values(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Plain values with what follows from others filled in, before a config is made of them.

        Families whose settings follow from one another override this. Values that are wrong are left as they are, for
        the config's own checks.
        """
        return values

    @classmethod
    def reduce_values(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The inverse: without what `complete_values` fills in, as a configuration file says it."""
        return values


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

    `preset` is the name of one that ships, or the path of a TOML file of the same form. Raises InputError for an
    unknown preset or key, a file that cannot be read, or a value of the wrong type.
    """
    values = _read_preset(family, preset)
    for setting in settings:
        set_value(values, setting)
    return build(kind, values)


def _read_preset(family: str, preset: str) -> dict[str, Any]:
    known = presets(family)
    if preset in known:
        text = files(f"edgegan.families.{family}").joinpath("presets", f"{preset}.toml").read_text("utf-8")
        return tomllib.loads(text)
    path = Path(preset)
    if path.suffix != ".toml" and not path.is_file():
        raise InputError(
            f"{family} has no preset '{preset}'", f"it has: {', '.join(known)}; or the path of a file of your own"
        )
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(
            f"--preset {preset}: no such file",
            todo=f"write one to begin from: edgegan train {family} --preset NAME --print-config > {preset}",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--preset {preset}: cannot be read as text: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"--preset {preset}: not TOML: {error}") from None


def build(kind: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """A config from plain values; raises InputError that names the key at fault."""
    try:
        return msgspec.convert(kind.complete_values(dict(values)), kind, strict=True)
    except msgspec.ValidationError as error:
        raise _refusal(kind, values, str(error)) from None


def with_settings(config: ConfigT, settings: Iterable[str]) -> ConfigT:
    """`config` with `key=value` settings on top."""
    values = msgspec.to_builtins(config)
    for setting in settings:
        set_value(values, setting)
    return build(type(config), values)


def check(config: ConfigT) -> ConfigT:
    """The same config with each setting held to its type and range; raises InputError that names the one at fault.

    For configs that a program made: msgspec looks at types and ranges in `build` alone, not where a class is called.
    """
    return build(type(config), msgspec.to_builtins(config))


def _refusal(kind: type[BaseConfig], values: Mapping[str, Any], error: str) -> InputError:
    """Which setting is at fault, what it was, and what it may be."""
    what, _, path = error.partition(" - at `")
    key = path.rstrip("`").removeprefix("$.")
    setting = type_at(kind, f"$.{key}") if key else None
    words = range_words(setting) if setting is not None else ""
    if words:
        return InputError(f"configuration: {key}={value_at(values, f'$.{key}')!r}: {what}", f"{key} is {words}")
    return InputError(f"configuration: {error}", f"keys: {', '.join(_keys(kind))}")


def set_value(values: dict[str, Any], setting: str) -> None:
    """Writes a `key=value` setting into plain values, in place; raises InputError for one of another form."""
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
