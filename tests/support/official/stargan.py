"""StarGAN's networks as its authors publish them: their files' keys and shapes, and their forward pass, from the facts.

Independent of the package: only torch.nn.functional computes here.
"""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def generator_state(
    width: int = 4, labels: int = 5, blocks: int = 2, *, counters: bool = False, seed: int = 0
) -> State:
    """Random weights, and the stale running statistics that a correct import must not use."""
    draw = torch.Generator().manual_seed(seed)
    state: State = {}

    def conv(key: str, *shape: int) -> None:
        state[f"{key}.weight"] = torch.randn(*shape, generator=draw) * 0.15

    def norm(key: str, channels: int) -> None:
        state[f"{key}.weight"] = 1 + 0.2 * torch.randn(channels, generator=draw)
        state[f"{key}.bias"] = 0.2 * torch.randn(channels, generator=draw)
        state[f"{key}.running_mean"] = 5 * torch.randn(channels, generator=draw)
        state[f"{key}.running_var"] = 5 * torch.rand(channels, generator=draw)
        if counters:
            state[f"{key}.num_batches_tracked"] = torch.tensor(7)

    conv("main.0", width, 3 + labels, 7, 7)
    norm("main.1", width)
    conv("main.3", 2 * width, width, 4, 4)
    norm("main.4", 2 * width)
    conv("main.6", 4 * width, 2 * width, 4, 4)
    norm("main.7", 4 * width)
    for i in range(9, 9 + blocks):
        for place in (0, 3):
            conv(f"main.{i}.main.{place}", 4 * width, 4 * width, 3, 3)
            norm(f"main.{i}.main.{place + 1}", 4 * width)
    up = 9 + blocks
    conv(f"main.{up}", 4 * width, 2 * width, 4, 4)
    norm(f"main.{up + 1}", 2 * width)
    conv(f"main.{up + 3}", 2 * width, width, 4, 4)
    norm(f"main.{up + 4}", width)
    conv(f"main.{up + 6}", 3, width, 7, 7)
    return state


def discriminator_state(size: int = 32, width: int = 4, layers: int = 3, labels: int = 5, *, seed: int = 1) -> State:
    """Random weights."""
    draw = torch.Generator().manual_seed(seed)
    state: State = {}
    inside = 3
    for i in range(layers):
        outside = width * 2**i
        state[f"main.{2 * i}.weight"] = torch.randn(outside, inside, 4, 4, generator=draw) * 0.15
        state[f"main.{2 * i}.bias"] = torch.randn(outside, generator=draw) * 0.15
        inside = outside
    state["conv1.weight"] = torch.randn(1, inside, 3, 3, generator=draw) * 0.15
    state["conv2.weight"] = torch.randn(labels, inside, size // 2**layers, size // 2**layers, generator=draw) * 0.15
    return state


def generate(s: State, image: Tensor, label: Tensor) -> Tensor:
    """The authors' generator in their test mode: the norms use each picture's own statistics."""

    def norm(x: Tensor, key: str) -> Tensor:
        return F.instance_norm(x, weight=s[f"{key}.weight"], bias=s[f"{key}.bias"], eps=1e-5)

    blocks = sum(key.endswith(".main.0.weight") for key in s)
    x = torch.cat([image, label[:, :, None, None].repeat(1, 1, *image.shape[2:])], 1)
    x = F.relu(norm(F.conv2d(x, s["main.0.weight"], padding=3), "main.1"))
    x = F.relu(norm(F.conv2d(x, s["main.3.weight"], stride=2, padding=1), "main.4"))
    x = F.relu(norm(F.conv2d(x, s["main.6.weight"], stride=2, padding=1), "main.7"))
    for i in range(9, 9 + blocks):
        inner = F.relu(norm(F.conv2d(x, s[f"main.{i}.main.0.weight"], padding=1), f"main.{i}.main.1"))
        x = x + norm(F.conv2d(inner, s[f"main.{i}.main.3.weight"], padding=1), f"main.{i}.main.4")
    for up in (9 + blocks, 12 + blocks):
        x = F.relu(norm(F.conv_transpose2d(x, s[f"main.{up}.weight"], stride=2, padding=1), f"main.{up + 1}"))
    return torch.tanh(F.conv2d(x, s[f"main.{15 + blocks}.weight"], padding=3))


def classify(s: State, image: Tensor) -> Tensor:
    """The class logits of the authors' discriminator."""
    x = image
    for i in range(sum(key.startswith("main.") and key.endswith(".weight") for key in s)):
        x = F.leaky_relu(F.conv2d(x, s[f"main.{2 * i}.weight"], s[f"main.{2 * i}.bias"], stride=2, padding=1), 0.01)
    return F.conv2d(x, s["conv2.weight"]).flatten(1)


def save_as_pytorch_0_3(state: State, path: Path) -> None:
    """Writes the file as PyTorch 0.3 did on a GPU, with which the authors trained: no zip, `_rebuild_tensor`."""

    class Storage:
        def __init__(self, key: int, tensor: Tensor) -> None:
            self.key, self.tensor = str(key), tensor

    class Rebuilt:
        def __init__(self, storage: Storage) -> None:
            self.storage = storage

        def __reduce__(self) -> tuple[Any, ...]:
            tensor = self.storage.tensor
            return torch._utils._rebuild_tensor, (self.storage, 0, tuple(tensor.shape), tensor.stride())

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            if isinstance(obj, Storage):
                return "storage", torch.cuda.FloatStorage, obj.key, "cuda:0", obj.tensor.numel(), None
            return None

    storages = [Storage(i, t.contiguous().float()) for i, t in enumerate(state.values())]
    with open(path, "wb") as file:
        pickle.dump(0x1950A86A20F9469CFC6C, file, protocol=2)
        pickle.dump(1001, file, protocol=2)
        sizes = {"short": 2, "int": 4, "long": 4}
        pickle.dump({"protocol_version": 1001, "little_endian": True, "type_sizes": sizes}, file, protocol=2)
        Pickler(file, protocol=2).dump({key: Rebuilt(s) for key, s in zip(state, storages, strict=True)})
        pickle.dump(sorted(s.key for s in storages), file, protocol=2)
        for storage in sorted(storages, key=lambda s: s.key):
            file.write(struct.pack("<q", storage.tensor.numel()))
            file.write(storage.tensor.numpy().tobytes())
