"""The model card: everything training, export and runtime must agree on about one artefact.

No mean, size, value range or channel order of a model stands anywhere else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from ..errors import CardError, InputError
from ..files import write_atomic
from .build_info import BuildInfo
from .card_upgrade import upgrade
from .condition import Condition
from .verification import Verification

SCHEMA = 2
METADATA_KEY = "edgegan_card"  # the key in an ONNX file's metadata_props


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input or output tensor. `shape` holds integers, or names for axes that may vary."""

    name: str
    dtype: Literal["float32", "float16", "uint8"]
    shape: tuple[int | str, ...]
    layout: Literal["NCHW", "NHWC", "NC"]
    colour: Literal["RGB", "BGR", "GRAY"] | None = None
    value_range: tuple[float, float] | None = None


class Alignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the eyes lie in the crop the model was trained on, as (x, y) fractions of its width and height.

    `left_eye` is the one on the left of the picture. `margin` is the fraction of the crop at each edge over
    which the edit fades out. `centre_crop` is the square, in pixels, that training cut from the middle of
    each original picture (178 for CelebA), None for none.
    """

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    margin: float = 0.08
    centre_crop: int | None = None


class SizeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which picture sizes the artefact takes, height first: `fixed` means `hw` alone."""

    kind: Literal["fixed", "multiple_of", "range"] = "fixed"
    hw: tuple[int, int]
    multiple: int = 1
    min_hw: tuple[int, int] | None = None
    max_hw: tuple[int, int] | None = None

    def check(self, hw: tuple[int, int]) -> None:
        """Raises InputError if a picture of `hw` cannot go through the artefact."""
        h, w = hw
        if self.kind == "fixed":
            if (h, w) != self.hw:
                wanted = f"{self.hw[0]}x{self.hw[1]} (height x width)"
                raise InputError(f"the picture is {h}x{w}", f"the model takes {wanted}")
            return
        if h % self.multiple or w % self.multiple:
            raise InputError(f"the picture is {h}x{w}", f"both sides must be multiples of {self.multiple}")
        low, high = self.min_hw or (1, 1), self.max_hw
        if h < low[0] or w < low[1] or (high and (h > high[0] or w > high[1])):
            wanted = f"{low} to {high or 'any size'} (height, width)"
            raise InputError(f"the picture is {h}x{w}", f"the model takes {wanted}")

    def fitting(self, hw: tuple[int, int]) -> tuple[int, int]:
        """The smallest size that holds a picture of `hw` and keeps the multiple; `hw` itself for a fixed size.

        It may still be larger than `max_hw`, or not the fixed size: `check` tells.
        """
        if self.kind == "fixed":
            return hw
        low = self.min_hw or (1, 1)
        height, width = (
            -(-max(side, least) // self.multiple) * self.multiple for side, least in zip(hw, low, strict=True)
        )
        return height, width


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contract of one artefact, written as `<artefact>.card.json`; what is `lasting` is in an ONNX file as well.

    `tolerances` are what each backend is held to, by the names of `verification`: `max_abs` and `min_psnr_db`. The
    figures of CPUs are those of a processor with `int8_arithmetic`, where the file is in INT8.
    """

    schema: int = SCHEMA
    name: str
    family: str
    task: Literal["translate", "generate", "classify"]
    domain: str = ""  # what the training pictures showed, in words a user understands
    limits: str = ""  # what the model cannot do, in such words; empty where nobody has said
    direction: str | None = None
    condition: Condition = Condition()
    faces: bool = False
    alignment: Alignment | None = None
    noise: str = ""  # what a generator's noise inputs were frozen to: "zero", "frozen:SEED"; empty if it has none
    companions: dict[str, str] = msgspec.field(default_factory=dict)  # role -> file name beside this one
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    size: SizeRule
    batch: tuple[int, int] = (1, 1)  # the fewest and the most pictures of one call
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    opset: int | None = None
    payload_sha256: str | None = None
    parent_sha256: str | None = None  # the ONNX file that it was made from or, from PyTorch, beside
    built_with: BuildInfo = BuildInfo()
    tolerances: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    verification: dict[str, Verification] = msgspec.field(default_factory=dict)
    int8_arithmetic: str = ""
    training: dict[str, str | int | float] = msgspec.field(default_factory=dict)
    licence: str = ""

    def input(self, name: str) -> TensorSpec:
        """The input called `name`; raises CardError if there is none."""
        return _find(self.inputs, name, f"input of {self.name}")

    def output(self, name: str) -> TensorSpec:
        """The output called `name`; raises CardError if there is none."""
        return _find(self.outputs, name, f"output of {self.name}")

    @property
    def lasting(self) -> ModelCard:
        """The card without figures and without the file's own hash: what may lie within the file itself."""
        return msgspec.structs.replace(self, payload_sha256=None, verification={}, int8_arithmetic="")

    def to_json(self) -> bytes:
        """The card as indented UTF-8 JSON with a final newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def write(self, artefact: Path) -> Path:
        """Writes the sidecar of `artefact`, atomically, and returns its path."""
        path = sidecar(artefact)
        write_atomic(path, self.to_json())
        return path

    @classmethod
    def from_json(cls, data: bytes | str, *, where: str = "card") -> ModelCard:
        """Parses a card, also of an older schema; CardError, naming `where`, for unknown fields and newer schemas."""
        try:
            schema = msgspec.json.decode(data, type=_Schema).schema
            if schema > SCHEMA:
                raise CardError(
                    f"{where}: the card has schema {schema}",
                    f"this edgegan reads schemas up to {SCHEMA}",
                    "update edgegan: pip install -U edgegan",
                )
            if schema < SCHEMA:
                return msgspec.convert(upgrade(msgspec.json.decode(data, type=dict)), type=cls)
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise CardError(f"{where}: not a readable model card: {error}", todo="export the model again") from None


class _Schema(msgspec.Struct):
    schema: int = 0


def sidecar(artefact: Path) -> Path:
    """Where the card of `artefact` lies."""
    return artefact.with_name(artefact.name + ".card.json")


def _find(specs: tuple[TensorSpec, ...], name: str, what: str) -> TensorSpec:
    for spec in specs:
        if spec.name == name:
            return spec
    raise CardError(f"no {what} is called '{name}'", f"there are: {', '.join(s.name for s in specs)}")
