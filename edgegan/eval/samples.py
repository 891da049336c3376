"""Pictures made from latents, against pictures that training saw and pictures that it did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgegan.data import open_pictures
from edgegan.eval.conditional import information, obedience
from edgegan.eval.report import Report, Request
from edgegan.eval.sets import Distances, Real, real, table
from edgegan.eval.subject import Subject
from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import InputError
from edgegan.runtime.generate import conditions, latent
from edgegan.sheet import Picture, Sheet

SPLITS = ("heldout", "train")
SHOWN, COLUMNS = 24, 8


def measure(subject: Subject, request: Request) -> Report:
    """Distances of `request.count` samples to the held-out and to the training pictures of a data set.

    The held-out pictures are the reference to judge by: nearness to the training set alone is what a model reaches
    that copies it. The few-shot papers state theirs to the training set, so both are given where both are there. Of a
    generator that is told what to draw, a judge says how often it does, or what its codes mean, where the pictures
    are drawn faces.
    Raises InputError if there is no data set, or if it has too few pictures.
    """
    spec = request.data or subject.data
    if not spec:
        raise InputError(
            f"{subject.what}: its card does not say what it was trained on",
            todo="name pictures to compare with, as in: --data flat:DIR",
        )
    told = conditions.draw(subject.card.condition, request.count, request.seed)
    made = subject.generate(latent.draw(request.count, _width(subject), request.seed), told)
    distances = Distances(request.inception, request.seed)
    references, left_out = _references(spec, subject.size, request.count)
    found = {split: distances.to(made, reference) for split, reference in references.items()}
    figures: dict[str, Any] = {
        "model": subject.what,
        "data": spec,
        "samples": len(made),
        "seed": request.seed,
        "against": found,
    }
    notes = [
        *left_out,
        *distances.missing,
        "floor: the same distance between two random halves of the reference; below it, a distance says nothing",
    ]
    title = f"{subject.what}: {len(made)} samples of seed {request.seed}"
    tables = [table(title, found)]
    condition = subject.card.condition
    if condition.names and spec.partition(":")[0] == "avatars":
        judged = obedience if set(condition.names) <= set(avatars.ATTRIBUTES) else information
        what, shown = judged.measure(condition, made, told)
        figures.update(what)
        tables.append(shown)
    train = references.get("train")
    return Report(figures, tables, notes, lambda: _sheet(title, made, train, distances))


def _references(spec: str, size: int, count: int) -> tuple[dict[str, Real], list[str]]:
    """The first `count` pictures of each split, and why one is left out; raises if all are."""
    found, refused = {}, []
    for split in SPLITS:
        try:
            found[split] = real(open_pictures(spec, size=size, split=split), count)
        except InputError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found, [f"not compared: {error.seen}" for error in refused]


def _sheet(title: str, made: Sequence[Picture], train: Real | None, distances: Distances) -> Sheet:
    """The first samples, and below each the training picture whose features are nearest."""
    shown = made[:SHOWN]
    nearest: list[Picture] = []
    if train is not None:
        ours, theirs = distances.features(made), distances.features(train.pictures)
        if ours is not None and theirs is not None:
            apart = [np.square(theirs - own).sum(1) for own in ours[: len(shown)]]
            nearest = [train.pictures[int(row.argmin())] for row in apart]
    rows: list[list[Picture | None]] = []
    names: list[str] = []
    for start in range(0, len(shown), COLUMNS):
        for name, pictures in (("sample", shown), ("nearest in training", nearest)):
            if row := pictures[start : start + COLUMNS]:
                rows.append([*row, *[None] * (COLUMNS - len(row))])
                names.append(name)
    return Sheet([""] * COLUMNS, rows, names, title)


def _width(subject: Subject) -> int:
    return int(subject.card.input("latent").shape[-1])
