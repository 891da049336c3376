"""Begins a run with the weights of another one: `--from` of `edgegan train` and `edgegan distil`.

Tensors of equal shape are taken as they are. Those that have a place for each attribute are taken attribute by
attribute, by name, so that a model for other attributes keeps what it knows of the common ones; what is new stays
freshly initialised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from edgegan.config import BaseConfig
from edgegan.families import LabelPlaces, Networks
from edgegan.runtime.errors import InputError

from .folder.run import Run, open_run, open_trained
from .loop import Trainer

MODELS = Path(__file__).parents[2] / "models"  # of a checkout: the weights of the shipped models


@dataclass(frozen=True)
class Taken:
    """What came from the other run. `fresh` are tensors that did not."""

    networks: tuple[str, ...]
    known: tuple[str, ...]  # attributes of both
    new: tuple[str, ...]
    tensors: int
    fresh: int

    def __str__(self) -> str:
        words = f"{self.tensors} tensors of {', '.join(self.networks)}"
        if self.fresh:
            words += f"; {self.fresh} do not fit and begin anew"
        return words + (f"; new attributes: {', '.join(self.new)}" if self.new else "")


def find_weights(name: str) -> Path:
    """The run folder or checkpoint of `--from`: a path, or the name of a shipped model. Raises InputError."""
    if Path(name).exists():
        return Path(name)
    folders = [path for path in sorted(MODELS.glob("*")) if (path / "config.json").is_file()]
    shipped = {path.name.rpartition("-")[0] or path.name: path for path in folders}
    if name in shipped:
        return shipped[name]
    known = "a run folder or a checkpoint" + (f", or one of: {', '.join(shipped)}" if shipped else "")
    todo = "" if shipped else "the shipped models' weights are in the folder models/ of the repository"
    raise InputError(f"--from {name}: there is no such thing", known, todo)


def place_of(name: str | None) -> str:
    """Where that is, from any directory; empty for None. Raises InputError as `find_weights`."""
    return str(find_weights(name).resolve()) if name else ""


def configuration_of(name: str, family: str) -> BaseConfig:
    """How the run of `--from` is configured; raises InputError if there is none, or it is another family's."""
    source = find_weights(name)
    run = open_run(source) if source.is_dir() else open_trained(source)[0]
    _check_family(source, run, family)
    cfg: BaseConfig = run.cfg
    return cfg


def start_from(source: Path, trainer: Trainer) -> Taken:
    """Fills a fresh trainer's networks, and their averages, from another run of the same family.

    Raises InputError for another family, or if nothing of it fits.
    """
    other, nets, _ = open_trained(source)
    run = trainer.run
    _check_family(source, other, run.family_name)
    places = run.family.labels or LabelPlaces[Any](lambda cfg: (), lambda network, key: None)
    old, new = places.names(other.cfg), places.names(run.cfg)
    counts = {"tensors": 0, "fresh": 0}
    # A student's other networks are its teacher's, and stay so.
    wanted = trainer.nets if run.distillation is None else run.family.EMA
    filled: Networks = {name: trainer.nets[name] for name in wanted if name in nets}
    for name, net in filled.items():
        have, state = nets[name].state_dict(), net.state_dict()
        for key, tensor in state.items():
            place, found = places.axis(name, key), have.get(key)
            if found is not None and place is not None:
                found = _map_labels(found, tensor, place, old, new)
            if found is None or found.shape != tensor.shape:
                counts["fresh"] += 1
                continue
            state[key] = found.to(tensor)
            counts["tensors"] += 1
        net.load_state_dict(state)
        if name in trainer.ema:
            trainer.ema[name].load_state_dict(net.state_dict())
    if not counts["tensors"]:
        todo = "leave --preset out, which takes that run's own"
        if run.distillation is not None:
            todo = "name a student of the same shape, or fix the shape with --set"
        raise InputError(f"--from {source}: none of its tensors fits this configuration", todo=todo)
    return Taken(tuple(filled), tuple(n for n in new if n in old), tuple(n for n in new if n not in old), **counts)


def _check_family(source: Path, run: Run, family: str) -> None:
    if run.family_name != family:
        raise InputError(f"--from {source}: a run of {run.family_name}", f"one of {family}")


def _map_labels(
    old: Tensor, fresh: Tensor, place: tuple[int, int], old_names: Sequence[str], new_names: Sequence[str]
) -> Tensor | None:
    """`fresh` with the slices of the attributes that both know, and all that belongs to no attribute, from `old`.

    `place` is the axis of the attributes, and how many other entries come before them. None where the rest differs.
    """
    axis, before = place
    lengths = old.shape[axis] - len(old_names), fresh.shape[axis] - len(new_names)
    rest = [[n for d, n in enumerate(t.shape) if d != axis] for t in (old, fresh)]
    if lengths != (before, before) or rest[0] != rest[1]:
        return None
    mapped = fresh.clone()
    mapped.narrow(axis, 0, before).copy_(old.narrow(axis, 0, before))
    for number, name in enumerate(new_names):
        if name in old_names:
            own = old.select(axis, before + list(old_names).index(name))
            mapped.select(axis, before + number).copy_(own)
    return mapped
