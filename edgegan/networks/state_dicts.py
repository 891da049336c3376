"""State dicts as people publish them: wrapped, prefixed, in any order; unwrapped to plain names and tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

# Under these keys training programs keep a network's weights; an average, where there is one, is what to use.
WRAPPERS = ("params_ema", "ema", "state_dict", "model_state_dict", "model", "params", "netG", "generator", "net")
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and of torch.compile, in either order


def read_state(loaded: Any, wrappers: tuple[str, ...] = WRAPPERS) -> dict[str, Tensor]:
    """The named weights in what a file held, without wrappings and prefixes; empty if there are none.

    Args:
        loaded: what torch.load or safetensors gave.
        wrappers: the keys under which weights may lie, the preferred first.
    """
    while isinstance(loaded, Mapping):
        if loaded and all(isinstance(value, Tensor) for value in loaded.values()):
            return strip_prefixes({str(key): tensor for key, tensor in loaded.items()})
        loaded = next((loaded[key] for key in wrappers if isinstance(loaded.get(key), Mapping)), None)
    return {}


def strip_prefixes(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, without what DataParallel and torch.compile put before, or amid, their names."""
    found = dict(state)
    while prefix := next((p for p in PREFIXES if found and all(key.startswith(p) for key in found)), ""):
        found = {key.removeprefix(prefix): tensor for key, tensor in found.items()}
    return {key.replace("._orig_mod.", ".").removeprefix("_orig_mod."): tensor for key, tensor in found.items()}


def natural_order(key: str) -> list[tuple[int, str]]:
    """Sorts names by their parts, numbers as numbers: `model.2` before `model.10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in key.split(".")]
