"""The forms in which networks take and give pictures."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

_ONNX = {"float32": ("float", 1), "float16": ("float16", 10), "uint8": ("uint8", 2)}  # ONNX's words and numbers


class Form(NamedTuple):
    """A layout, "nchw" or "nhwc", and a dtype."""

    layout: str
    dtype: str

    def __str__(self) -> str:
        return f"{self.layout}-{self.dtype}"

    def type_of(self, name: str) -> str:
        """The declaration of a picture of this form, in ONNX's textual syntax."""
        axes = "1, channels, h, w" if self.layout == "nchw" else "1, h, w, channels"
        return f"{_ONNX[self.dtype][0]}[{axes}] {name}"

    def encode(self, levels: str, name: str) -> str:
        """Lines that make the picture `name` of grey levels, (1, h, w, channels) float32, by `gain` and `low`."""
        if self.dtype == "uint8":
            lines = [f"toned = Round ({levels})"]
        else:
            lines = [f"scaled = Mul ({levels}, gain)", "toned = Add (scaled, low)"]
        lines.append(f"typed = Cast <to: int = {_ONNX[self.dtype][1]}> (toned)")
        turn = "Transpose <perm: ints = [0, 3, 1, 2]>" if self.layout == "nchw" else "Identity"
        return "\n      ".join([*lines, f"{name} = {turn} (typed)"])

    def decode(self, name: str, levels: str) -> str:
        """Lines that make grey levels, rounded to 0 to 255, (1, h, w, channels) float32, of the picture `name`.

        They also sum its values up as `total`, (1, 1, 1, 1) float32, by which it is known whether all are finite.
        """
        turn = "Transpose <perm: ints = [0, 2, 3, 1]>" if self.layout == "nchw" else "Identity"
        lines = [f"turned = {turn} ({name})", "untyped = Cast <to: int = 1> (turned)"]
        if self.dtype == "uint8":
            lines.append("toned = Identity (untyped)")
        else:
            lines += ["raised = Sub (untyped, low)", "toned = Mul (raised, gain)"]
        lines += [
            "total = ReduceSum <keepdims: int = 1> (toned)",
            "nearest = Round (toned)",
            "black = Constant <value = float {0}> ()",
            "white = Constant <value = float {255}> ()",
            f"{levels} = Clip (nearest, black, white)",
        ]
        return "\n      ".join(lines)


FORMS = tuple(Form(*each) for each in product(("nchw", "nhwc"), ("float32", "float16", "uint8")))
