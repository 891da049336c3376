"""Options that several commands have alike: one type each, with range and help."""

from __future__ import annotations

from typing import Annotated

import typer

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
