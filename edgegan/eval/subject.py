"""What is scored: a run's or checkpoint's averaged generator, or an exported artefact, behind one call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edgegan.eval.counterfactual import Arrays, Edit
from edgegan.run import open_trained
from edgegan.runtime.artefact import load
from edgegan.runtime.backends import open_backend
from edgegan.runtime.card import ModelCard
from edgegan.runtime.errors import InputError


@dataclass(frozen=True)
class Subject:
    """An edit function, the card that says what it takes, and words for the report."""

    edit: Edit
    card: ModelCard
    what: str


@contextmanager
def open_subject(path: Path, backend: str = "auto") -> Iterator[Subject]:
    """Opens a run folder, a checkpoint (eager fp32) or an artefact (through a backend).

    Raises InputError if it is none of these, or does not edit pictures by attributes.
    """
    if path.suffix == ".safetensors" or (path / "config.json").is_file():
        run, nets, found = open_trained(path)
        spec = run.family.exportable(run.cfg, nets, run.data)[0]

        def eager(images: Arrays, labels: Arrays) -> Arrays:
            with torch.inference_mode():
                output: Arrays = spec.module(torch.from_numpy(images), torch.from_numpy(labels)).numpy()
            return output

        _check(spec.card, path)
        yield Subject(eager, spec.card, f"{spec.card.name}, eager fp32, after {found.header['images']:,} images")
        return
    artefact = load(path)
    _check(artefact.card, path)
    with open_backend(artefact, backend=backend) as opened:

        def exported(images: Arrays, labels: Arrays) -> Arrays:
            outputs = [
                opened.run({"image": image[None], "label": label[None]})[artefact.card.outputs[0].name].astype(
                    np.float32
                )
                for image, label in zip(images, labels, strict=True)
            ]
            return np.concatenate(outputs)

        yield Subject(exported, artefact.card, f"{artefact.path.name}, {opened.name}")


def _check(card: ModelCard, path: Path) -> None:
    if card.task != "translate" or card.condition.kind != "binary":
        raise InputError(
            f"{path}: a model for '{card.task}' with condition '{card.condition.kind}'", "eval scores attribute editors"
        )
