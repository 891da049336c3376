"""How often a training step waits for the device: once, for the losses that are checked and told."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from edgegan import families
from edgegan.families import Step
from edgegan.train.folder.run import Run
from edgegan.train.loader import Loader
from edgegan.train.loop import Trainer

# What copies a value to the host or makes a shape of values: each stops the queue of a GPU.
WAITS = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "_unique2", "equal")


class Waits(TorchDispatchMode):
    """Counts what would wait for a GPU; on a CPU the same calls are made, and `tolist` and `numpy` beside them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.seen: list[str] = []
        drawn: set[int] = set()  # where a step's random numbers lie: in host memory, also on a GPU
        uniform = Step.uniform

        def note(*words: Any, **named: Any) -> Tensor:
            found = uniform(*words, **named)
            drawn.add(found.untyped_storage().data_ptr())
            self._kept.append(found)
            return found

        self._kept: list[Tensor] = []  # so that no other tensor gets their place
        monkeypatch.setattr(Step, "uniform", note)
        for name in ("tolist", "numpy"):
            true = getattr(Tensor, name)

            def count_call(tensor: Tensor, *words: Any, name: str = name, true: Any = true) -> Any:
                if tensor.untyped_storage().data_ptr() not in drawn:
                    self.seen.append(name)
                return true(tensor, *words)

            monkeypatch.setattr(Tensor, name, count_call)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().partition("::")[2].partition(".")[0]
        masks = [i for i in (args[1] if name in ("index", "index_put_") else ()) if i is not None]
        if name in WAITS or any(i.dtype is torch.bool for i in masks):
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


def test_the_count_sees_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, Waits(patched) as waits:
        x = torch.ones(3)
        x.sum().item()
        float(x[0])
        bool(x[0] > 0)
        x[x > 0]
        x.tolist()
        x[x > 0] = 2.0
    assert waits.seen.count("_local_scalar_dense") == 3 and {"index", "index_put_", "tolist"} <= set(waits.seen)


@pytest.mark.parametrize("name", families.names())
def test_a_phase_waits_for_its_device_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = families.get(name)
    cfg = family.tiny()
    trainer = Trainer(Run(tmp_path, name, cfg, cfg.train.data), torch.device("cpu"))
    with ExitStack() as stack:
        loaders = {
            each: stack.enter_context(Loader(stream, seed=0, number=number, workers=1))
            for number, (each, stream) in enumerate(trainer.streams.items())
        }
        trainer._round(trainer._steps(loaders))  # the first one sets up optimisers, and reads what a checkpoint brought
        steps = trainer._steps(loaders)
        with monkeypatch.context() as patched, Waits(patched) as waits:
            trainer._round(steps)
    due = sum(phase.due(trainer.round) for phase in trainer.phases)
    assert due and len(waits.seen) <= due, f"{due} phases, {waits.seen}"
