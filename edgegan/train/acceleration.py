"""What makes training fast and leaves the mathematics as it is: autocast, torch.compile, fused optimisers."""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType

import torch
from torch import nn

from edgegan.config import Training
from edgegan.runtime.errors import TrainingError

_FUSED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


def pick_device(name: str, local_rank: int = 0) -> torch.device:
    """`auto` is CUDA where there is one, else the CPU; a bare `cuda` is the GPU number `local_rank`.

    Raises TrainingError for a device that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise TrainingError(f"--device {name}: no such device", "auto, cpu, cuda or cuda:N") from None
    if device.type != "cuda":
        return device
    if not torch.cuda.is_available():
        raise TrainingError("--device cuda: PyTorch sees no CUDA device here", todo="use --device cpu")
    number = local_rank if device.index is None else device.index
    if number >= torch.cuda.device_count():
        raise TrainingError(f"CUDA device {number} is asked for, but {torch.cuda.device_count()} are here")
    return torch.device("cuda", number)


def autocast_dtype(cfg: Training, device: torch.device) -> torch.dtype | None:
    """The dtype of phases without second derivatives; None is float32."""
    if cfg.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None
    return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[cfg.precision]


def memory_layout(cfg: Training, device: torch.device) -> torch.memory_format:
    """The layout of pictures and of convolutions' weights."""
    wanted = device.type == "cuda" if cfg.channels_last == "auto" else cfg.channels_last
    return torch.channels_last if wanted else torch.contiguous_format


def choose_kernels(device: torch.device) -> None:
    """Lets cuDNN time its convolutions for each new shape and keep the fastest: training has few shapes."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True


def compile_methods(nets: Iterable[nn.Module]) -> None:
    """Compiles each public method that a network adds to nn.Module, not `forward` alone: losses call others too.

    Modules without parameters (image pools) are left as they are.
    """
    for net in nets:
        if any(True for _ in net.parameters()):
            for name in dir(type(net)):
                own = name == "forward" or not (name.startswith("_") or hasattr(nn.Module, name))
                if own and isinstance(getattr(type(net), name), FunctionType):
                    setattr(net, name, torch.compile(getattr(net, name)))


def fuse(optimisers: Iterable[torch.optim.Optimizer]) -> None:
    """Lets the optimisers that can do so update each parameter in one pass over memory; the update is the same."""
    for optimiser in optimisers:
        for group in optimiser.param_groups if isinstance(optimiser, _FUSED) else ():
            usual = not any(group.get(key) for key in ("fused", "foreach", "capturable", "differentiable"))
            if usual and all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in group["params"]):
                group["fused"] = True
