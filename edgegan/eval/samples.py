"""Pictures made from latents, against pictures that training saw and pictures that it did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegan.data import normalise, open_pictures
from edgegan.eval.decisions import name_answers
from edgegan.eval.report import Report, Request, Table
from edgegan.eval.sets import Distances, Real, real, table
from edgegan.eval.subject import Subject
from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import InputError
from edgegan.runtime.generate import conditions, latent
from edgegan.sheet import Picture, Sheet

SPLITS = ("heldout", "train")
SHOWN, COLUMNS = 24, 8
_HAT = "Wearing_Hat"


def measure(subject: Subject, request: Request) -> Report:
    """Distances of `request.count` samples to the held-out and to the training pictures of a data set.

    The held-out pictures are the reference to judge by: nearness to the training set alone is what a model reaches
    that copies it. The few-shot papers state theirs to the training set, so both are given where both are there. Of a
    generator that is told what to draw, a judge says how often it does, where the pictures are drawn faces.
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
    if subject.card.condition.kind in ("binary", "one_hot") and spec.partition(":")[0] == "avatars":
        figures["obeyed"] = obeyed = _obedience(subject, made, told)
        rows = [[name, f"{share:.1%}"] for name, share in obeyed.items()]
        tables.append(Table("what the judge sees is what was asked for", ("decision", "share"), rows))
    train = references.get("train")
    return Report(figures, tables, notes, lambda: _sheet(title, made, train, distances))


def _obedience(subject: Subject, made: Sequence[Picture], told: NDArray[np.float32]) -> dict[str, float]:
    """For each decision of the condition, and their mean as "all": the share of pictures in which the judge sees it.

    What a hat hides is not asked.
    """
    from edgegan.eval.judge import attribute_judge, read

    condition = subject.card.condition
    seen = read(attribute_judge(subject.size, condition.names), np.stack([normalise(picture) for picture in made]))
    right: dict[str, list[bool]] = {}
    for asked, found in zip(told, seen, strict=True):
        answers, wanted = name_answers(condition, found), name_answers(condition, asked)
        hatted = wanted.get(_HAT) == "on"
        for decision, answer in wanted.items():
            if not (hatted and set(decision.split("/")) <= set(avatars.HAIR)):
                right.setdefault(decision, []).append(answers[decision] == answer)
    shares = {decision: round(float(np.mean(found)), 4) for decision, found in right.items()}
    return {**shares, "all": round(float(np.mean([one for found in right.values() for one in found])), 4)}


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
