"""PyTorch-GAN-zoo's PGAN, written from its facts alone: its files' keys and shapes, and its forward passes."""

from __future__ import annotations

import math
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def generator_state(widths: tuple[int, ...], nz: int, channels: int = 3) -> State:
    """Random weights and biases, for maps from 4 px up."""
    state: State = {}
    _add(state, "formatLayer", 16 * widths[0], nz)
    _add(state, "groupScale0.0", widths[0], widths[0], 3)
    for level, width in enumerate(widths):
        _add(state, f"toRGBLayers.{level}", channels, width, 1)
        state[f"toRGBLayers.{level}.module.weight"] *= 0.3  # pictures are within [-1, 1], more or less
        if level:
            _add(state, f"scaleLayers.{level - 1}.0", width, widths[level - 1], 3)
            _add(state, f"scaleLayers.{level - 1}.1", width, width, 3)
    return state


def critic_state(widths: tuple[int, ...], compares: bool = True, outputs: int = 1) -> State:
    """Random weights and biases; `compares`: with the map of the batch's deviations."""
    state: State = {}
    _add(state, "decisionLayer", outputs, widths[0])
    _add(state, "groupScaleZero.0", widths[0], widths[0] + compares, 3)
    _add(state, "groupScaleZero.1", widths[0], 16 * widths[0])
    for level, width in enumerate(widths):
        _add(state, f"fromRGBLayers.{level}", width, 3, 1)
        if level:
            _add(state, f"scaleLayers.{level - 1}.0", width, width, 3)
            _add(state, f"scaleLayers.{level - 1}.1", widths[level - 1], width, 3)
    return state


def generate(state: State, z: Tensor, alpha: float = 0.0) -> Tensor:
    """Latents (N, nz) -> pictures, not bounded; `alpha` is what the size below counts."""
    levels = max(int(key.split(".")[1]) for key in state if key.startswith("toRGBLayers"))
    x = _normalise(F.leaky_relu(_apply(state, "formatLayer", _normalise(z)), 0.2).view(len(z), -1, 4, 4))
    x = low = _normalise(F.leaky_relu(_apply(state, "groupScale0.0", x), 0.2))
    for level in range(levels):
        low, x = x, x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        for number in (0, 1):
            x = _normalise(F.leaky_relu(_apply(state, f"scaleLayers.{level}.{number}", x), 0.2))
    picture = _apply(state, f"toRGBLayers.{levels}", x)
    if not alpha:
        return picture
    below = _apply(state, f"toRGBLayers.{levels - 1}", low).repeat_interleave(2, 2).repeat_interleave(2, 3)
    return alpha * below + (1 - alpha) * picture


def judge(state: State, x: Tensor) -> Tensor:
    """Pictures (4, 3, S, S) -> scores (4, 1), grown up; four are one group of the minibatch's deviations."""
    levels = max(int(key.split(".")[1]) for key in state if key.startswith("fromRGBLayers"))
    x = F.leaky_relu(_apply(state, f"fromRGBLayers.{levels}", x), 0.2)
    for level in reversed(range(levels)):
        for number in (0, 1):
            x = F.leaky_relu(_apply(state, f"scaleLayers.{level}.{number}", x), 0.2)
        x = F.avg_pool2d(x, 2)
    if state["groupScaleZero.0.module.weight"].shape[1] > x.shape[1]:
        spread = torch.sqrt(torch.var(x, 0, unbiased=True) + 1e-8).mean()
        x = torch.cat([x, spread.expand(len(x), 1, 4, 4)], 1)
    x = F.leaky_relu(_apply(state, "groupScaleZero.0", x), 0.2).flatten(1)
    return _apply(state, "decisionLayer", F.leaky_relu(_apply(state, "groupScaleZero.1", x), 0.2))


def save(path: Path, networks: dict[str, Any], settings: dict[str, Any], old: bool = True) -> None:
    """The file as that program writes it: `config` is an object of a class in its module models.utils.config."""
    module = types.ModuleType("models.utils.config")
    kind = type("BaseConfig", (), {"__module__": module.__name__})
    module.BaseConfig = kind  # type: ignore[attr-defined]
    packages = {"models": types.ModuleType("models"), "models.utils": types.ModuleType("models.utils")}
    sys.modules.update({**packages, module.__name__: module})
    try:
        config = kind()
        vars(config).update(settings)
        torch.save({"config": config, **networks}, path, pickle_module=pickle, _use_new_zipfile_serialization=not old)
    finally:
        for name in ("models.utils.config", "models.utils", "models"):
            del sys.modules[name]


def _add(state: State, name: str, outputs: int, inputs: int, kernel: int = 0) -> None:
    shape = (outputs, inputs, kernel, kernel) if kernel else (outputs, inputs)
    state[f"{name}.module.weight"] = torch.randn(shape)
    state[f"{name}.module.bias"] = 0.5 * math.sqrt(inputs) * torch.randn(outputs)


def _apply(state: State, name: str, x: Tensor) -> Tensor:
    weight, bias = state[f"{name}.module.weight"], state[f"{name}.module.bias"]
    he = math.sqrt(2 / weight[0].numel())
    if weight.dim() == 2:
        return F.linear(x, weight, bias) * he
    return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2) * he


def _normalise(x: Tensor) -> Tensor:
    return x * torch.rsqrt((x**2).mean(1, keepdim=True) + 1e-8)
