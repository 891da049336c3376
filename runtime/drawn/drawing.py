"""DiceBear's drawings as pixels: any style of the `dicebear_styles` package, by name."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtraError


def draw_rgb(style: str, options: Mapping[str, Any], size: int) -> NDArray[np.uint8]:
    """One drawing: (size, size, 3) uint8, RGB, transparent parts white. Options are DiceBear's.

    Raises MissingExtraError without the `avatars` extra.
    """
    try:
        import resvg_py
        from dicebear import Avatar
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError(error.name or "dicebear", "avatars") from None
    svg = Avatar(_load_style(style), dict(options)).to_string()
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True, background="white")
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))


def styles() -> dict[str, str]:
    """The name of the licence of every style there is, by the style's name, in alphabetical order.

    Raises MissingExtraError without the `avatars` extra.
    """
    try:
        found = files("dicebear_styles").iterdir()
    except ImportError as error:
        raise MissingExtraError(error.name or "dicebear_styles", "avatars") from None
    return {name: _definition(name)["meta"]["license"]["name"] for name in sorted(_stems(f.name for f in found))}


def _stems(names: Any) -> list[str]:
    return [name.removesuffix(".json") for name in names if name.endswith(".json")]


def _definition(style: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("dicebear_styles").joinpath(f"{style}.json").read_text("utf-8"))
    return found


@cache
def _load_style(style: str) -> Any:
    from dicebear import Style

    return Style(_definition(style))
