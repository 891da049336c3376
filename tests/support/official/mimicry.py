"""The mimicry library's residual networks, written from their facts alone: keys, shapes and forward passes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def generator_state(widths: tuple[int, ...], nz: int, classes: int = 0, edge: int = 4, channels: int = 3) -> State:
    """Random weights and statistics; with `classes`, norms have a table of gains and shifts."""
    state: State = {}
    _dense(state, "l1", edge**2 * widths[0], nz)
    for number, (inside, outside) in enumerate(zip(widths, widths[1:], strict=False), 2):
        _conv(state, f"block{number}.c1", inside, outside, 3)
        _conv(state, f"block{number}.c2", outside, outside, 3)
        _conv(state, f"block{number}.c_sc", inside, outside, 1)
        for name, width in ((f"block{number}.b1", inside), (f"block{number}.b2", outside)):
            if classes:
                _statistics(state, f"{name}.bn", width)
                gains, shifts = 1 + 0.3 * torch.randn(classes, width), 0.3 * torch.randn(classes, width)
                state[f"{name}.embed.weight"] = torch.cat([gains, shifts], 1)
            else:
                _norm(state, name, width)
    last = len(widths) + 1
    _norm(state, f"b{last}", widths[-1])
    _conv(state, f"c{last}", widths[-1], channels, 3)
    return state


def generate(state: State, z: Tensor, classes: Tensor | None = None) -> Tensor:
    """Latents (N, nz), and the number of each one's class -> pictures, with the stored statistics."""
    blocks = sum(key.endswith(".c1.weight") for key in state)
    start = state["block2.c1.weight"].shape[1]
    x = F.linear(z, state["l1.weight"], state["l1.bias"])
    edge = round((x.shape[1] / start) ** 0.5)
    x = x.view(len(z), start, edge, edge)
    for number in range(2, blocks + 2):
        name = f"block{number}"
        h = _enlarge(_apply_norm(state, f"{name}.b1", x, classes).relu())
        h = _apply_norm(state, f"{name}.b2", _apply(state, f"{name}.c1", h), classes).relu()
        x = _apply(state, f"{name}.c2", h) + _apply(state, f"{name}.c_sc", _enlarge(x))
    return torch.tanh(_apply(state, f"c{blocks + 2}", _apply_norm(state, f"b{blocks + 2}", x, None).relu()))


def discriminator_state(width: int, classes: int = 0) -> State:
    """That of the cGAN-PD of 32 px, spectral norms and all; without classes, as SNGAN's."""
    state: State = {}
    for number, inside in enumerate((3, width, width, width), 1):
        _spectral(state, f"block{number}.c1", (width, inside, 3, 3))
        _spectral(state, f"block{number}.c2", (width, width, 3, 3))
        if number <= 2:
            _spectral(state, f"block{number}.c_sc", (width, inside, 1, 1))
    _spectral(state, "l5", (1, width))
    if classes:
        _spectral(state, "l_y", (classes, width), bias=False)
    return state


def judge(state: State, x: Tensor, classes: Tensor) -> Tensor:
    """Pictures (N, 3, 32, 32) and the number of each one's class -> scores (N,)."""
    for number in range(1, 5):
        name, halves = f"block{number}", number <= 2
        h = x if number == 1 else x.relu()
        h = _apply_spectral(state, f"{name}.c2", _apply_spectral(state, f"{name}.c1", h).relu())
        h = F.avg_pool2d(h, 2) if halves else h
        if number == 1:
            x = _apply_spectral(state, f"{name}.c_sc", F.avg_pool2d(x, 2))
        elif halves:
            x = F.avg_pool2d(_apply_spectral(state, f"{name}.c_sc", x), 2)
        x = h + x
    x = x.relu().sum((2, 3))
    score = F.linear(x, _weight(state, "l5"), state["l5.bias"])[:, 0]
    return score + (_weight(state, "l_y")[classes] * x).sum(1)


def _enlarge(x: Tensor) -> Tensor:
    return F.interpolate(x, size=(2 * x.shape[2], 2 * x.shape[3]), mode="bilinear", align_corners=False)


def _dense(state: State, name: str, outputs: int, inputs: int) -> None:
    state[f"{name}.weight"], state[f"{name}.bias"] = torch.randn(outputs, inputs) / inputs**0.5, torch.randn(outputs)


def _conv(state: State, name: str, inputs: int, outputs: int, kernel: int) -> None:
    fan_in = inputs * kernel**2
    state[f"{name}.weight"] = torch.randn(outputs, inputs, kernel, kernel) / fan_in**0.5
    state[f"{name}.bias"] = 0.5 * torch.randn(outputs)


def _statistics(state: State, name: str, width: int) -> None:
    state[f"{name}.running_mean"], state[f"{name}.running_var"] = torch.randn(width), 0.5 + torch.rand(width)
    state[f"{name}.num_batches_tracked"] = torch.tensor(7)


def _norm(state: State, name: str, width: int) -> None:
    state[f"{name}.weight"], state[f"{name}.bias"] = 1 + 0.2 * torch.randn(width), 0.2 * torch.randn(width)
    _statistics(state, name, width)


def _spectral(state: State, name: str, shape: tuple[int, ...], bias: bool = True) -> None:
    """Vectors of one step of the power iteration only: the norm that they give is not quite the largest."""
    weight = torch.randn(shape)
    rows = weight.flatten(1)
    u = F.normalize(torch.randn(shape[0]), dim=0)
    v = F.normalize(rows.T @ u, dim=0)
    state[f"{name}.weight_orig"], state[f"{name}.weight_u"] = weight, F.normalize(rows @ v, dim=0)
    state[f"{name}.weight_v"] = v
    if bias:
        state[f"{name}.bias"] = 0.3 * torch.randn(shape[0])


def _weight(state: State, name: str) -> Tensor:
    weight, u, v = (state[f"{name}.weight_{part}"] for part in ("orig", "u", "v"))
    return weight / (u @ weight.flatten(1) @ v)


def _apply_spectral(state: State, name: str, x: Tensor) -> Tensor:
    weight = _weight(state, name)
    return F.conv2d(x, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)


def _apply(state: State, name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)


def _apply_norm(state: State, name: str, x: Tensor, classes: Tensor | None) -> Tensor:
    if f"{name}.embed.weight" in state:
        assert classes is not None
        gain, shift = state[f"{name}.embed.weight"][classes].chunk(2, 1)
        name = f"{name}.bn"
    else:
        gain, shift = state[f"{name}.weight"][None], state[f"{name}.bias"][None]
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    x = (x - mean[:, None, None]) / torch.sqrt(variance[:, None, None] + 1e-5)
    return x * gain[:, :, None, None] + shift[:, :, None, None]
