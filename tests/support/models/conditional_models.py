"""A tiny real generator that is told what to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from onnx import helper

from edgegan.runtime.model.card import SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition
from support.tiny_models import OPSET, _image, _sampler_weights, _save


def write_conditional_sampler(folder: Path, condition: Condition, *, width: int = 8) -> Path:
    """Writes a generator whose colour comes from its condition: `clip(shapes(latent) + colour(label), -1, 1)`."""
    hw = (16, 24)
    vector = TensorSpec(name="latent", dtype="float32", shape=(1, width), layout="NC")
    shapes, _ = _sampler_weights(hw, width)
    constants = {
        "shapes": shapes,
        "colours": _label_colours(len(condition.names)),
        "as_plane": np.array([1, 1, *hw], np.int64),
        "as_pixel": np.array([1, 3, 1, 1], np.int64),
        "low": np.array(-1, np.float32),
        "high": np.array(1, np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["latent", "shapes"], ["flat"]),
        helper.make_node("Reshape", ["flat", "as_plane"], ["plane"]),
        helper.make_node("MatMul", ["label", "colours"], ["three"]),
        helper.make_node("Reshape", ["three", "as_pixel"], ["colour"]),
        helper.make_node("Add", ["plane", "colour"], ["sum"]),
        helper.make_node("Clip", ["sum", "low", "high"], ["image"]),
    ]
    fields: dict[str, Any] = {
        "name": "tiny-conditional",
        "family": "tiny",
        "task": "generate",
        "condition": condition,
        "inputs": (vector, msgspec.structs.replace(vector, name="label", shape=(1, len(condition.names)))),
        "outputs": (msgspec.structs.replace(_image(*hw), name="image"),),
        "size": SizeRule(hw=hw),
        "opset": OPSET,
    }
    _save(folder / "model.onnx", nodes, constants, fields, {})
    return folder / "model.onnx"


def conditional_picture(latent: Any, label: Any, hw: tuple[int, int] = (16, 24)) -> Any:
    """The picture (H, W, 3) uint8 BGR that `write_conditional_sampler`'s model draws."""
    shapes, _ = _sampler_weights(hw, len(latent))
    values = np.clip((latent @ shapes).reshape(*hw, 1) + label @ _label_colours(len(label)), -1, 1)
    return np.rint((values[..., ::-1] + 1) * 127.5).astype(int)


def _label_colours(names: int) -> Any:
    return np.random.default_rng(7).normal(0, 0.4, (names, 3)).astype(np.float32)
