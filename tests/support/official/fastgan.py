"""The authors' FastGAN, written from its published layer list alone: forward passes that share no code with edgegan."""

from __future__ import annotations

import torch
import torch.nn.functional as F

State = dict[str, torch.Tensor]


def _weight(s: State, name: str, transposed: bool = False) -> torch.Tensor:
    w, u, v = (s[f"{name}.weight_{part}"] for part in ("orig", "u", "v"))
    rows = w.transpose(0, 1) if transposed else w
    return w / (u @ rows.reshape(len(rows), -1) @ v)


def _bn(s: State, name: str, x: torch.Tensor) -> torch.Tensor:
    weight, bias, mean, var = (s[f"{name}.{k}"] for k in ("weight", "bias", "running_mean", "running_var"))
    scale = weight / (var + 1e-5).sqrt()
    return x * scale[:, None, None] + (bias - mean * scale)[:, None, None]


def _glu(x: torch.Tensor) -> torch.Tensor:
    half = x.shape[1] // 2
    return x[:, :half] * torch.sigmoid(x[:, half:])


def _twice(x: torch.Tensor) -> torch.Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def _excite(s: State, name: str, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    x = F.conv2d(F.adaptive_avg_pool2d(low, 4), _weight(s, f"{name}.main.1"))
    return high * torch.sigmoid(F.conv2d(x * torch.sigmoid(x), _weight(s, f"{name}.main.3")))


def reference_generator(s: State, size: int, z: torch.Tensor, style: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
    def stage(edge: int, x: torch.Tensor) -> torch.Tensor:
        name = f"feat_{edge}"
        x = F.conv2d(_twice(x), _weight(s, f"{name}.1"), padding=1)
        if edge not in (8, 32, 128, 512):
            return _glu(_bn(s, f"{name}.2", x))
        x = _glu(_bn(s, f"{name}.3", x))
        return _glu(_bn(s, f"{name}.7", F.conv2d(x, _weight(s, f"{name}.5"), padding=1)))

    def low(vector: torch.Tensor) -> dict[int, torch.Tensor]:
        start = F.conv_transpose2d(vector[:, :, None, None], _weight(s, "init.init.0", transposed=True))
        maps = {4: _glu(_bn(s, "init.init.1", start))}
        for edge in (8, 16, 32):
            maps[edge] = stage(edge, maps[edge // 2])
        return maps

    maps, gates = low(z), low(z if style is None else style)
    for edge, source in ((64, 4), (128, 8), (256, 16), (512, 32), (1024, 0)):
        if edge <= size:
            x = stage(edge, maps[edge // 2])
            maps[edge] = _excite(s, f"se_{edge}", gates[source], x) if source else x
    small = min(128, size // 2)
    outputs = (
        F.conv2d(maps[size], _weight(s, "to_big"), padding=1),
        F.conv2d(maps[small], _weight(s, f"to_{small}")),
    )
    return tuple(torch.tanh(o) for o in outputs) if size == 1024 else outputs


def reference_discriminator(s: State, size: int, big: torch.Tensor, small: torch.Tensor) -> torch.Tensor:
    def leaky(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    def stride(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, _weight(s, name), stride=2, padding=1)

    if size == 1024:
        x = leaky(stride("down_from_big.0", big))
        x = leaky(_bn(s, "down_from_big.3", stride("down_from_big.2", x)))
    elif size == 512:
        x = leaky(stride("down_from_big.0", big))
    else:
        x = leaky(F.conv2d(big, _weight(s, "down_from_big.0"), padding=1))
    maps = {min(size, 256): x}
    gates = {16: "se_2_16", 32: "se_4_32", 64: "se_8_64"}
    for number in (4, 8, 16, 32, 64):
        edge, name = 512 // number, f"down_{number}"
        if edge >= size:
            continue
        x = maps[2 * edge]
        main = leaky(_bn(s, f"{name}.main.1", stride(f"{name}.main.0", x)))
        main = leaky(_bn(s, f"{name}.main.4", F.conv2d(main, _weight(s, f"{name}.main.3"), padding=1)))
        direct = leaky(_bn(s, f"{name}.direct.2", F.conv2d(F.avg_pool2d(x, 2), _weight(s, f"{name}.direct.1"))))
        x = (main + direct) / 2
        source = 8 * 512 // number // 1 if number in gates else 0
        if source and source <= size:
            x = _excite(s, gates[number], maps[source], x)
        maps[edge] = x
    x = leaky(_bn(s, "rf_big.1", F.conv2d(maps[8], _weight(s, "rf_big.0"))))
    big_scores = F.conv2d(x, _weight(s, "rf_big.3"))
    x = leaky(stride("down_from_small.0", small))
    number = 2
    while x.shape[2] > 8:
        name = f"down_from_small.{number}.main"
        x = leaky(_bn(s, f"{name}.1", stride(f"{name}.0", x)))
        number += 1
    small_scores = F.conv2d(x, _weight(s, "rf_small"))
    return torch.cat([big_scores.flatten(1), small_scores.flatten(1)], 1)
