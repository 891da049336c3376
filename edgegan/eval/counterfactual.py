"""Every single edit of held-out drawn faces, against the true answer and the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegan.data import avatars, normalise
from edgegan.eval.decisions import name_answers, name_decision
from edgegan.eval.judge import Judge, attribute_judge, read
from edgegan.eval.likeness import psnr
from edgegan.eval.report import Report, Request, Table
from edgegan.eval.subject import Arrays, Subject
from edgegan.runtime.drawn.avatars import ATTRIBUTES, HAIR
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.condition import Condition
from edgegan.runtime.model.ssim import ssim_map
from edgegan.sheet import Picture, Sheet, to_picture

# What is scored: pictures (N, 3, S, S) in [-1, 1] and condition vectors (N, C) -> edited pictures.
Edit = Callable[[Arrays, Arrays], Arrays]

CHANGED_LEVELS = 2  # a pixel belongs to the edit where the truth differs from the input by more than this


@dataclass(frozen=True)
class Case:
    """One edit of one face."""

    face: int
    name: str
    on: bool
    target: Arrays  # (C,), the labels of the true answer
    vector: Arrays  # what the model is given: the target, or for a joint model the part that its set knows
    truth: Picture


def measure(subject: Subject, request: Request) -> Report:
    """Scores every single edit of held-out drawn faces. Raises InputError for attributes that no drawing has."""
    if request.data.partition(":")[0] not in ("", "avatars"):
        raise InputError(
            f"--data {request.data}: edits are scored against their true answers, which only drawn faces have",
            todo="leave --data out, or give: --data avatars",
        )
    condition = subject.card.condition
    undrawn = [n for n in condition.names if n not in ATTRIBUTES]
    # What no drawing has cannot be scored; then all that drawings have is judged, so that side effects are seen.
    names = condition.names if not undrawn or len(undrawn) == len(condition.names) else ATTRIBUTES
    pictures = avatars.AvatarPictures(request.count, size=subject.size, names=names, split="heldout")
    scored = score(subject.edit, pictures, attribute_judge(subject.size, names), condition)
    figures = {"model": subject.what, "data": pictures.name, "not_scored": undrawn, **scored}
    return Report(figures, (_table(figures),), _notes(figures), lambda: sheet(subject.edit, pictures, condition))


def cases(pictures: avatars.AvatarPictures, condition: Condition | None = None) -> tuple[list[Case], int]:
    """All single edits with their true answers, and how many were left out because a hat hides the hair."""
    wanted: list[tuple[int, str, bool, Arrays, Arrays]] = []
    hidden = 0
    for i in range(len(pictures)):
        label = pictures.label(i)
        for j, name in enumerate(pictures.names):
            if condition is not None and name not in condition.names:
                continue
            group = next((g for g in pictures.groups if name in g), ())
            if pictures.is_hidden(i, name):
                hidden += not (group and label[j])
                continue
            if group and label[j]:
                continue  # already this colour: nothing to edit
            target = label.copy()
            target[[pictures.names.index(n) for n in group]] = 0.0
            target[j] = 1.0 - label[j]
            vector = target
            if condition is not None:
                own = dict(zip(pictures.names, label.tolist(), strict=True))
                vector = np.array(condition.vectors(own, {name: float(target[j])})[0], np.float32)
            wanted.append((i, name, bool(target[j]), target, vector))
    truths = pictures.truths([(i, name, on) for i, name, on, *_ in wanted])
    return [Case(*edit, truth) for edit, truth in zip(wanted, truths, strict=True)], hidden


def score(
    edit: Edit, pictures: avatars.AvatarPictures, judge: Judge, condition: Condition | None = None, batch: int = 16
) -> dict[str, Any]:
    """Figures per attribute and direction, and overall; `condition` says how a model is told, else by its target.

    `landed` is the share of edits that the judge sees; `preserved` the share of the other visible attributes
    that the judge reads as before. PSNR (dB, over 255 grey levels) and SSIM are means over pictures, overall and
    inside and outside the region where the truth differs from the input; those of `input` are what returning the
    input scores.
    """
    found, hidden = cases(pictures, condition)
    rows: dict[tuple[str, bool], list[dict[str, float]]] = {}
    for chunk in _chunks(found, batch):
        inputs = np.stack([normalise(pictures.picture(c.face)) for c in chunk])
        outputs = edit(inputs, np.stack([c.vector for c in chunk]))
        seen = read(judge, outputs)
        for case, output, probabilities in zip(chunk, outputs, seen, strict=True):
            rows.setdefault((case.name, case.on), []).append(_row(pictures, case, output, probabilities))
    everything = [row for group in rows.values() for row in group]
    by_edit = [
        {"attribute": n, "direction": "add" if on else "remove", "edits": len(rows[n, on]), **_mean(rows[n, on])}
        for n in pictures.names
        for on in (True, False)
        if (n, on) in rows
    ]
    return {
        "faces": len(pictures),
        "edits": len(found),
        "left_out_hair_hidden": hidden,
        "judge_accuracy": _judge_accuracy(judge, pictures),
        "all": _mean(everything),
        "by_edit": by_edit,
    }


def sheet(edit: Edit, pictures: avatars.AvatarPictures, condition: Condition | None = None, count: int = 8) -> Sheet:
    """Held-out faces, every single edit beside the input, and the true answers below."""
    rows: list[list[Picture | None]] = []
    names: list[str] = []
    shown = [n for n in pictures.names if condition is None or n in condition.names]
    found, _ = cases(pictures, condition)
    for i in list(dict.fromkeys(case.face for case in found))[:count]:  # a hat may hide all of a face's edits
        own = {c.name: c for c in found if c.face == i}
        inputs = np.stack([normalise(pictures.picture(i))] * len(own))
        outputs = dict(zip(own, edit(inputs, np.stack([c.vector for c in own.values()])), strict=True))
        rows.append([pictures.picture(i), *(to_picture(outputs[n]) if n in outputs else None for n in shown)])
        rows.append([None, *(own[n].truth if n in own else None for n in shown)])
        names += ["edited", "truth"]
    marked = [n if any(n in g for g in pictures.groups) else f"± {n}" for n in shown]
    return Sheet(["input", *marked], rows, names)


def _row(pictures: avatars.AvatarPictures, case: Case, output: Arrays, seen: Arrays) -> dict[str, float]:
    before, after = pictures.picture(case.face), to_picture(output)
    region = np.abs(case.truth.astype(int) - before).max(2) > CHANGED_LEVELS
    read_as = name_answers(pictures, seen)
    wanted = name_answers(pictures, case.target)
    own, hair = name_decision(pictures, case.name), name_decision(pictures, HAIR[0])
    unseen = {own, hair} if wanted.get("Wearing_Hat") == "on" else {own}  # a hat hides the hair's colour
    others = [key for key in wanted if key not in unseen]
    index = ssim_map(after, case.truth)
    return {
        "landed": float(read_as[own] == wanted[own]),
        "preserved": float(np.mean([read_as[k] == wanted[k] for k in others])),
        "psnr_inside_db": psnr(after, case.truth, region),
        "input_psnr_inside_db": psnr(before, case.truth, region),
        "psnr_outside_db": psnr(after, case.truth, ~region),
        "psnr_db": psnr(after, case.truth),
        "ssim_inside": _mean_where(index, region),
        "input_ssim_inside": _mean_where(ssim_map(before, case.truth), region),
        "ssim_outside": _mean_where(index, ~region),
        "ssim": float(index.mean()),
    }


def _judge_accuracy(judge: Judge, pictures: avatars.AvatarPictures) -> dict[str, float]:
    """The judge on the unedited held-out faces, per decision that can be seen."""
    seen = read(judge, np.stack([normalise(pictures.picture(i)) for i in range(len(pictures))]))
    right: dict[str, list[bool]] = {}
    for i, values in enumerate(seen):
        truth = name_answers(pictures, pictures.label(i))
        for key, word in name_answers(pictures, values).items():
            if not pictures.is_hidden(i, key.split("/")[0]):
                right.setdefault(key, []).append(word == truth[key])
    return {key: float(np.mean(values)) for key, values in right.items()}


def _mean_where(index: NDArray[np.float64], where: NDArray[np.bool_]) -> float:
    return float(index[where].mean()) if where.any() else 1.0


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def _chunks(found: list[Case], size: int) -> Iterator[list[Case]]:
    for i in range(0, len(found), size):
        yield found[i : i + size]


def _table(figures: dict[str, Any]) -> Table:
    total = {**figures["all"], "attribute": "all", "direction": "", "edits": figures["edits"]}
    rows = [
        [
            row["attribute"],
            row["direction"],
            str(row["edits"]),
            f"{row['landed']:.1%}",
            f"{row['preserved']:.1%}",
            f"{row['psnr_inside_db']:.1f} ({row['input_psnr_inside_db']:.1f})",
            f"{row['psnr_outside_db']:.1f}",
            f"{row['ssim_inside']:.2f} ({row['input_ssim_inside']:.2f})",
        ]
        for row in (*figures["by_edit"], total)
    ]
    headings = ("edits", "landed", "kept", "dB in (input)", "dB out", "SSIM in (input)")
    title = f"{figures['model']}: {figures['edits']} edits of {figures['faces']} held-out faces"
    return Table(title, ("attribute", "", *headings), rows, left=(0, 1))


def _notes(figures: dict[str, Any]) -> tuple[str, ...]:
    accuracy = ", ".join(f"{key.split('/')[0]} {value:.1%}" for key, value in figures["judge_accuracy"].items())
    notes: tuple[str, ...] = (
        f"left out, hair hidden by a hat: {figures['left_out_hair_hidden']}; judge on real faces: {accuracy}",
    )
    if figures["not_scored"]:
        notes += (f"not scored, since no drawing has it: {', '.join(figures['not_scored'])}",)
    return notes
