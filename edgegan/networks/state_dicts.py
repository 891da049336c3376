"""State dicts as people publish them: wrapped, prefixed, in any order; unwrapped to plain names and tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from edgegan.runtime.errors import InputError

# Under these keys training programs keep a network's weights; an average, where there is one, is what to use.
WRAPPERS = (
    *("params_ema", "ema", "avgG"),
    *("state_dict", "model_state_dict", "model", "params", "netG", "generator", "net"),
)
_COUNT = "num_batches_tracked"
SHOWN = 4  # of a list of names
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


def fit_state(
    what: str, state: Mapping[str, Tensor], network: nn.Module, notes: list[str], *, expected: str, todo: str = ""
) -> dict[str, Tensor]:
    """The tensors that the network wants, in its order; what else there is is noted as dropped.

    Counts of batches, which older versions of PyTorch did not keep, become 0. Raises InputError that lists what is
    missing or of another shape.
    """
    wanted = network.state_dict()
    state = {**{key: torch.zeros_like(own) for key, own in wanted.items() if key.endswith(_COUNT)}, **state}
    wrong = [f"{key} is missing" for key in wanted if key not in state]
    wrong += [
        f"{key} is {tuple(state[key].shape)}, not {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape
    ]
    if wrong:
        raise InputError(f"{what} does not fit: {first_of(wrong)}", expected, todo)
    dropped = [key for key in state if key not in wanted]
    if dropped:
        notes.append(f"{what}: dropped {first_of(dropped)}")
    return {key: state[key] for key in wanted}


def first_of(items: list[str]) -> str:
    """The first few in words, and how many more there are."""
    return "; ".join(items[:SHOWN]) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")
