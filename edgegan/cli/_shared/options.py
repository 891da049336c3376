"""Options that several commands have alike: one type each, with range and help, and how their words are read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import typer

from edgegan.runtime.errors import InputError

# Of the commands that train.
Images = Annotated[int | None, typer.Option(min=1, help="Train until so many real images were shown.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after so many minutes of training.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the run's newest checkpoint.")]
TrainingDevice = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]

# Of the commands that run a model, where it may also be a run in PyTorch.
ExportedBackend = Annotated[str, typer.Option(help="For exported models: auto, a backend of `edgegan doctor`.")]
ExportedDevice = Annotated[str, typer.Option(help="For exported models: auto, cpu, cuda, cuda:1, gpu or npu.")]

# Of the commands that time models.
TimedDevice = Annotated[str, typer.Option(help="auto (all that is here), cpu, cuda, cuda:N, gpu or npu.")]
TimedThreads = Annotated[int | None, typer.Option(min=1, help="CPU threads of the network; default all cores.")]


def split_words(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """The words of an option, each once, in their order: `["fp32,int8", "fp16"]` gives fp32, int8 and fp16."""
    texts = [given] if isinstance(given, str) else given or ()
    return tuple(dict.fromkeys(word.strip() for text in texts for word in text.split(",") if word.strip()))


def setting(text: str) -> tuple[str, float]:
    """The name and the value in `--set NAME=VALUE`; raises InputError for anything else."""
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not name or not math.isfinite(number):
        raise InputError(
            f"--set {text} cannot be read", "NAME=VALUE, a value from 0 (off) to 1 (on)", "as in: --set Eyeglasses=1"
        )
    return name, number
