"""What has to be told of a model from elsewhere, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import Alignment

from ..request import parse_size
from .inspect import Layout, Probe

Span = tuple[float, float]


@dataclass(frozen=True)
class Adoption:
    """A model, and what its user knows of it; None asks for what the file does not tell.

    value_range: of the values that go in, such as (-1, 1); `output_range` of those that come out, None for the same.
    colour: "rgb" or "bgr".
    size_hw: (height, width) that the model was trained at, for a file that leaves them open.
    multiple: of which the sides have to be multiples; None finds out.
    condition: "none", "binary:A,B,C" (each on or off by itself; of A|B exactly one is on) or "one_hot:A,B,C".
    default: the names that are on where nothing is known of a picture; where one has to be, the first if none is named.
    alignment: where the eyes lie in the pictures the model was trained on: it edits faces. None: whole frames.
    pictures: a picture or folder to prove it on; None draws faces.
    """

    model: Path
    out: Path
    value_range: Span | None = None
    output_range: Span | None = None
    colour: Literal["rgb", "bgr"] | None = None
    layout: Layout | None = None
    size_hw: tuple[int, int] | None = None
    multiple: int | None = None
    condition: str | None = None
    default: tuple[str, ...] = ()
    alignment: Alignment | None = None
    pictures: Path | None = None
    name: str = ""
    domain: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Question:
    """What a file does not tell: the field of Adoption, the answers as the command line writes them, and why."""

    field: str
    answers: str
    why: str

    @property
    def option(self) -> str:
        """On the command line."""
        return {"value_range": "--range", "size_hw": "--size"}.get(self.field, f"--{self.field}")


def questions(probe: Probe, asked: Adoption) -> list[Question]:
    """What still has to be told."""
    found = []
    if probe.layout is None:
        found.append(Question("layout", "NCHW | NHWC", f"the picture is {probe.image}"))
    if asked.value_range is None and probe.image.dtype != "uint8":
        found.append(Question("value_range", "-1,1 | 0,1 | 0,255", "the values of black and white"))
    if asked.colour is None and probe.channels != 1:
        found.append(Question("colour", "rgb | bgr", "the order of the channels"))
    if asked.size_hw is None and probe.layout is not None and None in probe.hw:
        found.append(Question("size_hw", "HxW", "the size it was trained at; the file leaves it open"))
    if asked.condition is None and probe.label is not None:
        width = probe.label.shape[1]
        names = f"{width} names" if width else "names"
        found.append(Question("condition", "binary:A,B,... | one_hot:A,B,...", f"{names} for '{probe.label.name}'"))
    return found


def answer(asked: Adoption, question: Question, words: str) -> Adoption:
    """`asked` with one question answered as the command line writes it; raises InputError for what is no answer."""
    parse: dict[str, Any] = {"value_range": parse_span, "size_hw": parse_size, "colour": _parse_colour}
    value = parse.get(question.field, str.strip)(words)
    return replace(asked, **{question.field: value.upper() if question.field == "layout" else value})


def parse_span(words: str) -> Span:
    """`LOW,HIGH` as two numbers; raises InputError."""
    try:
        low, high = (float(word) for word in words.split(","))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise InputError(f"--range {words}: not a range", "two numbers, the lower first: -1,1 or 0,1 or 0,255")
    return low, high


def _parse_colour(words: str) -> str:
    if words.strip().lower() not in ("rgb", "bgr"):
        raise InputError(f"--colour {words}: not an order of channels", "rgb or bgr")
    return words.strip().lower()
