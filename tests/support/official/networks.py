"""The authors' generators of CycleGAN and pix2pix, written from their published layer lists alone.

State dicts of random weights in the published layout, and forward passes that share no code with edgegan.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def resnet_state(ngf: int, blocks: int, *, dropout: bool = False, affine: bool = False, scale: float = 0.05) -> State:
    """Reflection-padded ResNet: 7x7 stem, two strided 3x3, blocks, two transposed 3x3, 7x7 head; all with biases."""
    state: State = {}

    def conv(name: str, shape: tuple[int, ...], outputs: int, normed: str = "") -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = scale * torch.randn(shape), scale * torch.randn(outputs)
        if affine and normed:
            state[f"{normed}.weight"], state[f"{normed}.bias"] = 1 + 0.2 * torch.randn(outputs), torch.randn(outputs)

    conv("model.1", (ngf, 3, 7, 7), ngf, "model.2")
    conv("model.4", (2 * ngf, ngf, 3, 3), 2 * ngf, "model.5")
    conv("model.7", (4 * ngf, 2 * ngf, 3, 3), 4 * ngf, "model.8")
    second = 6 if dropout else 5
    for n in range(10, 10 + blocks):
        for i in (1, second):
            block = f"model.{n}.conv_block"
            conv(f"{block}.{i}", (4 * ngf, 4 * ngf, 3, 3), 4 * ngf, f"{block}.{i + 1}")
    up = 10 + blocks
    conv(f"model.{up}", (4 * ngf, 2 * ngf, 3, 3), 2 * ngf, f"model.{up + 1}")
    conv(f"model.{up + 3}", (2 * ngf, ngf, 3, 3), ngf, f"model.{up + 4}")
    conv(f"model.{up + 7}", (3, ngf, 7, 7), 3)
    return state


def pad_with_zero(state: State) -> State:
    """The same weights, named as the authors' code does with `padding_type` zero: no padding layers in the blocks."""
    places = {"1": "0", "2": "1", "5": "3", "6": "4"}

    def rename(key: str) -> str:
        head, block, tail = key.partition(".conv_block.")
        number, _, leaf = tail.partition(".")
        return f"{head}{block}{places[number]}.{leaf}" if block else key

    return {rename(key): tensor for key, tensor in state.items()}


def resnet_forward(s: State, x: Tensor, blocks: int, padding: str = "reflect") -> Tensor:
    """(N, 3, H, W) -> (N, 3, H, W), sides rounded up to multiples of 4; `padding` of the blocks as F.pad has it."""
    first, second = (0, 3) if padding == "constant" else (1, 5)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, unbiased=False)
        x = (x - mean) / torch.sqrt(variance + 1e-5)
        if f"{name}.weight" in s:
            x = x * s[f"{name}.weight"][None, :, None, None] + s[f"{name}.bias"][None, :, None, None]
        return x

    def conv(x: Tensor, name: str, border: int = 0, mode: str = "reflect", **options: int) -> Tensor:
        if border:
            x = F.pad(x, [border] * 4, mode=mode)
        return F.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], **options)

    x = norm(conv(x, "model.1", 3), "model.2").relu()
    x = norm(conv(x, "model.4", stride=2, padding=1), "model.5").relu()
    x = norm(conv(x, "model.7", stride=2, padding=1), "model.8").relu()
    for n in range(10, 10 + blocks):
        block = f"model.{n}.conv_block"
        branch = norm(conv(x, f"{block}.{first}", 1, padding), f"{block}.{first + 1}").relu()
        x = x + norm(conv(branch, f"{block}.{second}", 1, padding), f"{block}.{second + 1}")
    for n in (10 + blocks, 13 + blocks):
        weight, bias = s[f"model.{n}.weight"], s[f"model.{n}.bias"]
        x = norm(F.conv_transpose2d(x, weight, bias, 2, 1, output_padding=1), f"model.{n + 1}").relu()
    return torch.tanh(conv(x, f"model.{17 + blocks}", 3))


def unet_state(downs: int, ngf: int, *, norm: str = "batch", scale: float = 0.05) -> State:
    """Nested levels from the outermost in; without a norm at the outermost, and one less at the innermost."""
    state: State = {}
    widths = [ngf, 2 * ngf, 4 * ngf, *[8 * ngf] * (downs - 3)]

    def conv(name: str, shape: tuple[int, ...], outputs: int, bias: bool) -> None:
        state[f"{name}.weight"] = scale * torch.randn(shape)
        if bias:
            state[f"{name}.bias"] = scale * torch.randn(outputs)

    def add_norm(name: str, width: int) -> None:
        if norm == "batch":
            state[f"{name}.weight"], state[f"{name}.bias"] = 1 + 0.2 * torch.randn(width), torch.randn(width)
            state[f"{name}.running_mean"], state[f"{name}.running_var"] = torch.randn(width), torch.rand(width)
            state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    biases = norm == "instance"
    prefix, after = "model.model", []
    for depth, width in enumerate(widths):
        outer = widths[depth - 1] if depth else 3
        innermost, outermost = depth == downs - 1, depth == 0
        down = 0 if outermost else 1
        conv(f"{prefix}.{down}", (width, outer, 4, 4), width, biases)
        if not outermost and not innermost:
            add_norm(f"{prefix}.2", width)
        up = 3 if outermost or innermost else 5
        after.append((f"{prefix}.{up}", width if innermost else 2 * width, outer, outermost))
        prefix = f"{prefix}.{1 if outermost else 3}.model"
    for name, inputs, outputs, outermost in reversed(after):
        conv(name, (inputs, outputs, 4, 4), outputs, biases or outermost)
        if not outermost:
            head, _, number = name.rpartition(".")
            add_norm(f"{head}.{int(number) + 1}", outputs)
    return state


def unet_forward(s: State, x: Tensor, downs: int) -> Tensor:
    """(1, 3, H, W), H and W multiples of 2**downs, as at test time without dropout: the batch's own statistics."""

    def norm(x: Tensor, name: str) -> Tensor:
        return F.batch_norm(x, None, None, s.get(f"{name}.weight"), s.get(f"{name}.bias"), training=True)

    def level(x: Tensor, depth: int, prefix: str) -> Tensor:
        outermost, innermost = depth == 0, depth == downs - 1
        down, up = (0 if outermost else 1), (3 if outermost or innermost else 5)
        y = x if outermost else F.leaky_relu(x, 0.2)
        y = F.conv2d(y, s[f"{prefix}.{down}.weight"], s.get(f"{prefix}.{down}.bias"), 2, 1)
        if not outermost and not innermost:
            y = norm(y, f"{prefix}.2")
        if not innermost:
            y = level(y, depth + 1, f"{prefix}.{1 if outermost else 3}.model")
        y = F.conv_transpose2d(y.relu(), s[f"{prefix}.{up}.weight"], s.get(f"{prefix}.{up}.bias"), 2, 1)
        return torch.tanh(y) if outermost else torch.cat([x, norm(y, f"{prefix}.{up + 1}")], 1)

    return level(x, 0, "model.model")
