"""Checkpoints: one safetensors file with a JSON header. Whole or absent, and complete: what moves is in it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from edgegan import __version__
from edgegan.runtime.errors import InputError, TrainingError
from edgegan.runtime.files import atomic_path

FORMAT = 1
HEADER_KEY = "edgegan"


class Checkpoint:
    """A checkpoint on disk. Tensors are named `section/...`; `header` holds everything else."""

    def __init__(self, path: Path, header: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.path, self.header, self.tensors = path, header, tensors

    def section(self, name: str) -> dict[str, Tensor]:
        """The tensors of one section, without its prefix."""
        prefix = name + "/"
        return {key.removeprefix(prefix): t for key, t in self.tensors.items() if key.startswith(prefix)}

    def require_training_state(self) -> None:
        """Raises TrainingError if this holds weights alone, as published and imported checkpoints do."""
        if self.header.get("weights_only"):
            raise TrainingError(
                f"{self.path}: published weights, without the state that training needs to go on",
                todo=f"train anew: edgegan train {self.header['family']} --out ANOTHER_FOLDER",
            )

    def load_into(self, module: nn.Module, section: str) -> None:
        """Fills a module; raises InputError that lists missing, unexpected and wrong-shaped keys."""
        have, want = self.section(section), module.state_dict()
        wrong = [
            *(f"missing {k}" for k in want if k not in have),
            *(f"unexpected {k}" for k in have if k not in want),
            *(
                f"{k} is {tuple(have[k].shape)}, not {tuple(want[k].shape)}"
                for k in want
                if k in have and have[k].shape != want[k].shape
            ),
        ]
        if wrong:
            more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
            raise InputError(f"{self.path}: does not fit the {section} network: {'; '.join(wrong[:4])}{more}")
        module.load_state_dict(have)


def save(path: Path, header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Writes a checkpoint atomically; `header` must be plain JSON values. Raises InputError if the disk is full."""
    full = {"format": FORMAT, "edgegan": __version__, "torch": torch.__version__, "git": _revision(), **header}
    flat = {key: t.detach().to("cpu").contiguous() for key, t in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(flat, str(temporary), metadata={HEADER_KEY: json.dumps(full)})
        except SafetensorError as error:  # of a disk that is full: it writes by itself, and raises no OSError
            raise InputError(f"cannot write {path}: {error}", todo="free some disk space") from error


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint; raises InputError if it is not one, is damaged, or is newer than this program."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such checkpoint")
    try:
        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {}).get(HEADER_KEY)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})", todo="take an earlier one") from None
    if text is None:
        raise InputError(f"{path}: a safetensors file, but not an edgegan checkpoint: it has no header")
    try:
        header = json.loads(text)
        newer = header["format"] > FORMAT
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: its header cannot be read", todo="take an earlier one") from None
    if newer:
        raise InputError(f"{path}: checkpoint format {header['format']}", f"this edgegan reads up to {FORMAT}")
    return Checkpoint(path, header, tensors)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as named tensors (`<parameter number>/<state name>`)."""
    state = optimiser.state_dict()["state"]
    return {f"{n}/{key}": torch.as_tensor(v) for n, values in state.items() for key, v in values.items()}


def count_parameters(optimiser: torch.optim.Optimizer) -> int:
    """How many tensors an optimiser trains, whether or not it has moments of them yet."""
    return sum(len(group["params"]) for group in optimiser.param_groups)


def restore_optimiser(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], count: int | None = None
) -> None:
    """The inverse of `optimiser_tensors`; hyperparameters stay as configured.

    `count` is that of `count_parameters` when the tensors were saved; None: there were moments of every parameter.
    Raises TrainingError if it was another number than now.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split("/", 1)
        like = parameters[int(number)] if int(number) < len(parameters) else tensor
        if tensor.shape == like.shape and tensor.dim():
            # Laid out in memory as the parameter: fused optimisers walk through both side by side.
            tensor = torch.empty_like(like, dtype=tensor.dtype, requires_grad=False).copy_(tensor)
        state.setdefault(int(number), {})[key] = tensor.clone()
    groups = optimiser.state_dict()["param_groups"]
    if (count if count is not None else len(state) or len(parameters)) != len(parameters):
        raise TrainingError("the checkpoint's optimiser has another number of parameters than this configuration")
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _revision() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            timeout=5,
            cwd=Path(__file__).parent,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()
