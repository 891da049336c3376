"""The inputs of a benchmark and, where they are known, the outputs of fp32 eager to hold every subject against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import InputError
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model import golden
from edgegan.runtime.model.card import ModelCard, TensorSpec
from edgegan.runtime.model.fidelity import compare

from .fresh import Worker, WorkerFailedError
from .messages import Done, Job
from .report import Fidelity
from .subjects import Subject
from .targets import Target

Arrays = dict[str, NDArray[Any]]
# Eager runs the golden pairs again: on another processor sums come in another order; on a GPU, cuDNN may take other
# algorithms too.
SAME_MODEL = {"cpu": 5e-3, "cuda": 0.1}


@dataclass(frozen=True)
class Pairs:
    """`inputs` lie in `scratch` as `in.<name>.npy`, one array of `count` each.

    `outputs` are what fp32 eager made of the first of them at export, or None where nobody knows.
    """

    scratch: Path
    card: ModelCard
    count: int
    source: str  # in words
    outputs: Arrays | None


def gather(target: Target, pictures: int, scratch: Path, job: Job) -> Pairs:
    """The golden pairs of the export, and with PyTorch more held-out inputs of the run, up to `pictures` in all.

    Where there are neither, the pictures are made up. `job` is the first subject's: if that is PyTorch, its
    process can draw inputs from the run.

    Raises:
        InputError: the run's pictures cannot be read, and there are no golden pairs.
        CardError: the golden file cannot be read.
    """
    model = artefacts.load(target.artefacts[0]) if target.artefacts else None
    pairs = golden.read(model.golden, target.stem) if model is not None and model.golden else None
    if pairs is not None and len(pairs) > pictures:
        pairs = golden.Golden(
            {n: a[:pictures] for n, a in pairs.inputs.items()}, {n: a[:pictures] for n, a in pairs.outputs.items()}
        )
    card: ModelCard | None = None
    drawn: Arrays = {}
    refused = ""
    if job.subject.engine in ("eager", "compile") and (pairs is None or len(pairs) < pictures):
        try:
            card, drawn = _draw(job, pictures - (len(pairs) if pairs is not None else 0))
        except WorkerFailedError as error:
            refused = error.seen
    if model is not None and pairs is not None:
        card, sources, kept = model.card, [f"{len(pairs)} golden inputs"], pairs.inputs
        # An export at another size than the run's has golden inputs of that size.
        if drawn and all(drawn[n].shape[1:] == a.shape[1:] for n, a in kept.items()):
            kept = {n: np.concatenate([a, drawn[n]]) for n, a in kept.items()}
            sources.append(f"{len(next(iter(drawn.values())))} held-out inputs of the run")
        return Pairs(scratch, card, _save(kept, scratch), " and ".join(sources), pairs.outputs)
    if card is not None:
        count = _save(drawn, scratch)
        return Pairs(scratch, card, count, f"{count} held-out inputs of the run", None)
    if refused:
        raise InputError(f"{target.shown} cannot be opened, or its held-out pictures not read", refused)
    if model is None:
        raise InputError("there is nothing to measure: the run is not exported, and PyTorch is not installed")
    count = _save(make_up(model.card, min(pictures, 8)), scratch)
    return Pairs(scratch, model.card, count, f"{count} made-up smooth pictures: no golden pairs are there", None)


def _draw(job: Job, pictures: int) -> tuple[ModelCard, Arrays]:
    """Held-out inputs of the run; raises WorkerFailedError."""
    with Worker(msgspec.structs.replace(job, pictures=pictures)) as worker:
        assert isinstance(worker.first, Done)
        card = ModelCard.from_json(worker.first.card)
    return card, {s.name: np.load(Path(job.scratch) / f"in.{s.name}.npy") for s in card.inputs}


def load_outputs(pairs: Pairs, subject_id: str) -> Arrays:
    """The outputs that a subject wrote."""
    return {s.name: np.load(pairs.scratch / f"out.{subject_id}.{s.name}.npy") for s in pairs.card.outputs}


def fidelity(pairs: Pairs, expected: Mapping[str, NDArray[Any]], seen: Mapping[str, NDArray[Any]]) -> Fidelity:
    """PSNR of each picture over the card's value range, and the largest difference, in the output's own units."""
    count = min(pairs.count, *(len(expected[s.name]) for s in pairs.card.outputs))
    figures = [
        compare(expected[s.name][i], seen[s.name][i], s.value_range) for s in pairs.card.outputs for i in range(count)
    ]
    psnr = [f["psnr_db"] for f in figures]
    max_abs = max(f["max_abs"] for f in figures)
    return Fidelity(
        psnr_mean_db=float(np.mean(psnr)),
        psnr_worst_db=min(psnr),
        max_abs=max_abs if np.isfinite(max_abs) else None,
        pictures=count,
    )


def check_same_model(pairs: Pairs, eager: Subject) -> None:
    """Raises InputError if the artefacts were exported from another checkpoint than the one that eager ran."""
    if pairs.outputs is None:
        return
    seen = load_outputs(pairs, eager.id)
    worst = max(float(np.abs(seen[n][: len(a)] - a).max()) for n, a in pairs.outputs.items())
    if not worst <= SAME_MODEL[eager.kind]:
        raise InputError(
            f"eager differs by up to {worst:.2g} from the golden outputs of the export",
            "the export was made from another checkpoint than the one measured",
            "export again (edgegan export RUN), or measure the file alone (edgegan bench RUN/export/model.onnx)",
        )


def _save(arrays: Mapping[str, NDArray[Any]], scratch: Path) -> int:
    for name, array in arrays.items():
        np.save(scratch / f"in.{name}.npy", array)
    return len(next(iter(arrays.values())))


def make_up(card: ModelCard, count: int) -> Arrays:
    """Inputs that fit the card: smooth pictures, labels that differ from the default by one name each, noise."""
    rng = np.random.default_rng(0)
    return {spec.name: np.stack([_one(card, spec, i, rng) for i in range(count)]) for spec in card.inputs}


def _one(card: ModelCard, spec: TensorSpec, index: int, rng: np.random.Generator) -> NDArray[np.float32]:
    if spec.layout == "NC":
        if card.condition.names and card.condition.kind in ("binary", "one_hot"):
            default = dict(zip(card.condition.names, card.condition.default, strict=True))
            name = card.condition.names[index % len(default)]
            return np.array(card.condition.vectors(default, {name: 1.0 - default[name]})[0], np.float32)
        width = spec.shape[1]
        return rng.standard_normal(width if isinstance(width, int) else 1).astype(np.float32)
    import cv2

    channels = 1 if spec.colour == "GRAY" else 3
    height, width = card.size.hw
    coarse = rng.random((8, 8, channels), np.float32)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)
    low, high = spec.value_range or ((0.0, 255.0) if spec.dtype == "uint8" else (0.0, 1.0))
    values = low + (high - low) * np.clip(picture, 0, 1)
    return values if spec.layout == "NHWC" else values.transpose(2, 0, 1)
