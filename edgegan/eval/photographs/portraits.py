"""Every single edit of held-out photographed faces, by a judge that training never met.

Nobody knows how a person would look with other hair, so there is no true answer. What can be said: whether the judge
sees the edit, whether it reads everything else as before, how much changed away from the head, and how like the person
is to before, each beside what returning the input and what real photographs score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from edgegan.data import normalise, open_labelled
from edgegan.data._faces.backgrounds import composite, draw_background
from edgegan.data._faces.masks import PERSON, Grid
from edgegan.data.faces import FacePictures
from edgegan.eval.decisions import name_answers, name_decision
from edgegan.eval.likeness import psnr
from edgegan.eval.photographs.accuracy import average_answers, check_judge, measure_groups, name_groups
from edgegan.eval.photographs.at_once import change_label, score_both
from edgegan.eval.photographs.exact import ExactEdits
from edgegan.eval.photographs.judge import FaceJudge, read, train_face_judge
from edgegan.eval.photographs.report import average, make_notes, make_tables, split_by
from edgegan.eval.report import Report, Request
from edgegan.eval.subject import Arrays, Subject
from edgegan.networks.efficientnet import load_efficientnet_lite0
from edgegan.sheet import Picture, Sheet, to_picture

_HEAD_ENDS = 2.2  # eye distances below the eyes: chin, and hair on the shoulders
_BORDER = 0.3  # eye distances around the head that may change too
BATCH = 16
BACKGROUNDS = 4  # other ones for each face: one alone decides by chance what a few people more or fewer score


@dataclass(frozen=True)
class Case:
    """One edit of one face: `target` (C,) is what the judge should read, `vector` what the model is given."""

    face: int
    name: str
    on: bool
    target: Arrays
    vector: Arrays


def measure(subject: Subject, request: Request) -> Report:
    """Scores every single edit of the held-out faces of a set that `edgegan data faces` wrote. Raises InputError."""
    spec, names = request.data or subject.data, subject.card.condition.names
    sets = {s: open_labelled(spec, size=subject.size, names=names, split=s) for s in ("train", "judge", "heldout")}
    train, judges, held_out = (s for s in sets.values() if isinstance(s, FacePictures))
    judge = train_face_judge(train, judges)
    pictures = [held_out.picture(i) for i in range(min(len(held_out), request.count))]
    elsewhere = [
        [replace_background(held_out, i, picture, number) for i, picture in enumerate(pictures)]
        for number in range(BACKGROUNDS)
    ]
    exact = ExactEdits(train)
    rows = score(subject, held_out, pictures, judge, exact)
    others = [row for seen in elsewhere for row in score(subject, held_out, seen, judge, exact)]
    figures: dict[str, Any] = {
        "model": subject.what,
        "data": held_out.name,
        "faces": len(pictures),
        "edits": len(rows),
        "backgrounds": BACKGROUNDS,
        "judge_accuracy": average_answers(check_judge(judge, held_out, pictures)),
        "judge_accuracy_other_background": average_answers(
            [answers for seen in elsewhere for answers in check_judge(judge, held_out, seen)]
        ),
        "judge_accuracy_by_group": measure_groups(judge, held_out, pictures),
        "different_people_likeness": measure_strangers(pictures),
        "all": average(rows),
        "all_other_background": average(others),
        "by_edit": split_by(rows, ("attribute", "direction")),
        "by_edit_other_background": split_by(others, ("attribute", "direction")),
        "two_at_once": score_both(subject, held_out, pictures, judge),
        "by_group": {
            group: split_by([{**r, group: words[r["face"]]} for r in rows], (group,))
            for group, words in name_groups(held_out).items()
        },
    }
    return Report(figures, make_tables(figures), make_notes(figures), lambda: sheet(subject, held_out, len(pictures)))


def list_cases(subject: Subject, held_out: FacePictures, count: int) -> list[Case]:
    """Every attribute of every face, flipped, or for one of a group set; a colour that is there is no edit."""
    found = []
    for i in range(count):
        label = held_out.label(i)
        for j, name in enumerate(held_out.names):
            target = change_label(held_out, label, [name])
            if target is None:
                continue
            own = dict(zip(held_out.names, label.tolist(), strict=True))
            vector = np.array(subject.card.condition.vectors(own, {name: float(target[j])})[0], np.float32)
            found.append(Case(i, name, bool(target[j]), target, vector))
    return found


def score(
    subject: Subject, held_out: FacePictures, pictures: Sequence[Picture], judge: FaceJudge, exact: ExactEdits
) -> list[dict[str, Any]]:
    """One row an edit: whether it landed, the share of other decisions kept, dB away from the head, likeness.

    Where the edit could be made without the network, also whether that landed and what it kept.
    """
    rows = []
    for chunk in _chunks(list_cases(subject, held_out, len(pictures))):
        inputs = np.stack([normalise(pictures[c.face]) for c in chunk])
        outputs = subject.edit(inputs, np.stack([c.vector for c in chunk]))
        read_after, read_before = read(judge, outputs), read(judge, inputs)
        likeness = measure_likeness(outputs, inputs)
        for n, case in enumerate(chunk):
            after, before, wanted = (
                name_answers(held_out, values) for values in (read_after[n], read_before[n], case.target)
            )
            own = name_decision(held_out, case.name)
            others = [key for key in wanted if key != own]
            outside = find_outside(held_out, case.face)
            rows.append(
                {
                    "face": case.face,
                    "attribute": case.name,
                    "direction": "add" if case.on else "remove",
                    "landed": float(after[own] == wanted[own]),
                    "input_landed": float(before[own] == wanted[own]),
                    # What the judge read before, since what it misreads of the input is not the edit's doing.
                    "kept": _share_alike(after, before, others),
                    "psnr_outside_db": psnr(to_picture(outputs[n]), pictures[case.face], outside),
                    "likeness": float(likeness[n]),
                }
            )
            made = exact.edit(held_out, case.face, pictures[case.face], case.name) if case.on else None
            if made is not None:
                seen = name_answers(held_out, read(judge, made[None])[0])
                rows[-1]["exact_landed"] = float(seen[own] == wanted[own])
                rows[-1]["exact_kept"] = _share_alike(seen, before, others)
    return rows


def replace_background(held_out: FacePictures, index: int, picture: Picture, number: int) -> Picture:
    """The picture before another background, the same for each `number`; as it is where nobody could be cut out."""
    mask = held_out.crop_mask(index)
    if mask is None:
        return picture
    background = draw_background(len(picture), np.random.default_rng((number, index)))
    return composite(picture, (mask >= PERSON).astype(np.float32), background)


def find_outside(held_out: FacePictures, index: int) -> NDArray[np.bool_]:
    """(S, S): what an edit of the head must leave alone. Without a mask, all beyond an ellipse around the face."""
    size = len(held_out.picture(index))
    grid = Grid.of(held_out.geometry)
    border = (held_out.geometry.edge - held_out.geometry.size) // 2
    inner = slice(border, held_out.geometry.edge - border)
    mask = held_out.mask(index)
    head = grid.ellipse(0.3, 1.9, 2.6) if mask is None else (mask >= PERSON) & (grid.y < _HEAD_ENDS)
    reach = 2 * round(_BORDER * held_out.geometry.eye_distance) + 1
    grown = cv2.dilate(head.astype(np.uint8), np.ones((reach, reach), np.uint8))[inner, inner]
    found: NDArray[np.bool_] = cv2.resize(grown, (size, size), interpolation=cv2.INTER_NEAREST) == 0
    return found


def measure_likeness(a: Arrays, b: Arrays) -> NDArray[np.float32]:
    """(N,): the cosine between the features of two pictures' middles in EfficientNet-Lite0, 1 for the same picture."""
    net = load_efficientnet_lite0("eval")

    def describe(images: Arrays) -> torch.Tensor:
        middle = slice(images.shape[2] // 4, images.shape[2] - images.shape[2] // 8)
        sides = slice(images.shape[3] // 4, images.shape[3] - images.shape[3] // 4)
        faces = torch.nn.functional.interpolate(
            torch.from_numpy(images[:, :, middle, sides]), (128, 128), mode="bilinear", align_corners=False
        )
        features: torch.Tensor = net.extract_features(faces).mean((2, 3))
        return torch.nn.functional.normalize(features, dim=1)

    with torch.inference_mode():
        found: NDArray[np.float32] = (describe(a) * describe(b)).sum(1).numpy()
    return found


def measure_strangers(pictures: Sequence[Picture]) -> float:
    """The mean likeness of each person with the next one: what an edit must stay far above."""
    images = np.stack([normalise(p) for p in pictures])
    return round(float(np.mean(measure_likeness(images, np.roll(images, 1, 0)))), 4)


def sheet(subject: Subject, held_out: FacePictures, count: int) -> Sheet:
    """All held-out faces, each with its every edit. They show real people: look at it, do not publish it."""
    rows: list[list[Picture | None]] = []
    cases = list_cases(subject, held_out, count)
    for i in range(count):
        own = [c for c in cases if c.face == i]
        picture = held_out.picture(i)
        outputs: dict[str, Picture] = {}
        if own:
            edited = subject.edit(np.stack([normalise(picture)] * len(own)), np.stack([c.vector for c in own]))
            outputs = {c.name: to_picture(o) for c, o in zip(own, edited, strict=True)}
        rows.append([picture, *(outputs.get(name) for name in held_out.names)])
    marked = [n if any(n in g for g in held_out.groups) else f"± {n}" for n in held_out.names]
    return Sheet(["input", *marked], rows, ["edited"] * count)


def _share_alike(a: Mapping[str, str], b: Mapping[str, str], keys: Sequence[str]) -> float:
    """Of some decisions, the share that has the same answer in both; 1 where there is none."""
    return float(np.mean([a[key] == b[key] for key in keys])) if keys else 1.0


def _chunks(cases: Sequence[Case]) -> Iterator[Sequence[Case]]:
    for i in range(0, len(cases), BATCH):
        yield cases[i : i + BATCH]
