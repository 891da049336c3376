"""Every single edit of held-out drawn faces, against the true answer and the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegan.data import avatars
from edgegan.data._labelled import normalised
from edgegan.eval.judge import Judge, read
from edgegan.runtime.avatars import HAIR
from edgegan.sheet import Picture, Sheet, to_picture

Arrays = NDArray[np.float32]
# What is scored: pictures (N, 3, S, S) in [-1, 1] and target labels (N, C) -> edited pictures.
Edit = Callable[[Arrays, Arrays], Arrays]

CHANGED_LEVELS = 2  # a pixel belongs to the edit where the truth differs from the input by more than this


@dataclass(frozen=True)
class Case:
    """One edit of one face."""

    face: int
    name: str
    on: bool
    target: Arrays  # (C,)
    truth: Picture


def cases(pictures: avatars.AvatarPictures) -> tuple[list[Case], int]:
    """All single edits with their true answers, and how many were left out because a hat hides the hair."""
    wanted: list[tuple[int, str, bool, Arrays]] = []
    hidden = 0
    for i in range(len(pictures)):
        label = pictures.label(i)
        for j, name in enumerate(pictures.names):
            group = next((g for g in pictures.groups if name in g), ())
            if pictures.hidden(i, name):
                hidden += not (group and label[j])
                continue
            if group and label[j]:
                continue  # already this colour: nothing to edit
            target = label.copy()
            target[[pictures.names.index(n) for n in group]] = 0.0
            target[j] = 1.0 - label[j]
            wanted.append((i, name, bool(target[j]), target))
    truths = pictures.truths([(i, name, on) for i, name, on, _ in wanted])
    return [Case(*edit, truth) for edit, truth in zip(wanted, truths, strict=True)], hidden


def score(edit: Edit, pictures: avatars.AvatarPictures, judge: Judge, batch: int = 16) -> dict[str, Any]:
    """Figures per attribute and direction, and overall.

    `landed` is the share of edits that the judge sees; `preserved` the share of the other visible attributes
    that the judge reads as before. PSNR (dB, over 255 grey levels) is the mean over pictures, inside and outside
    the region where the truth differs from the input; `input_psnr_inside_db` is what returning the input scores.
    """
    found, hidden = cases(pictures)
    rows: dict[tuple[str, bool], list[dict[str, float]]] = {}
    for chunk in _chunks(found, batch):
        inputs = np.stack([normalised(pictures.picture(c.face)) for c in chunk])
        outputs = edit(inputs, np.stack([c.target for c in chunk]))
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


def sheet(edit: Edit, pictures: avatars.AvatarPictures, count: int = 8) -> Sheet:
    """Held-out faces, every single edit beside the input, and the true answers below."""
    rows: list[list[Picture | None]] = []
    names: list[str] = []
    found, _ = cases(pictures)
    for i in range(min(count, len(pictures))):
        own = {c.name: c for c in found if c.face == i}
        inputs = np.stack([normalised(pictures.picture(i))] * len(own))
        outputs = dict(zip(own, edit(inputs, np.stack([c.target for c in own.values()])), strict=True))
        rows.append([pictures.picture(i), *(to_picture(outputs[n]) if n in outputs else None for n in pictures.names)])
        rows.append([None, *(own[n].truth if n in own else None for n in pictures.names)])
        names += ["edited", "truth"]
    marked = [n if any(n in g for g in pictures.groups) else f"± {n}" for n in pictures.names]
    return Sheet(["input", *marked], rows, names)


def _row(pictures: avatars.AvatarPictures, case: Case, output: Arrays, seen: Arrays) -> dict[str, float]:
    before, after = pictures.picture(case.face), to_picture(output)
    region = np.abs(case.truth.astype(int) - before).max(2) > CHANGED_LEVELS
    read_as = _read_as(pictures, seen)
    wanted = _read_as(pictures, case.target)
    own, hair = _key(pictures, case.name), _key(pictures, HAIR[0])
    unseen = {own, hair} if wanted.get("Wearing_Hat") == "on" else {own}  # a hat hides the hair's colour
    others = [key for key in wanted if key not in unseen]
    return {
        "landed": float(read_as[own] == wanted[own]),
        "preserved": float(np.mean([read_as[k] == wanted[k] for k in others])),
        "psnr_inside_db": _psnr(after, case.truth, region),
        "input_psnr_inside_db": _psnr(before, case.truth, region),
        "psnr_outside_db": _psnr(after, case.truth, ~region),
        "psnr_db": _psnr(after, case.truth, np.ones_like(region)),
    }


def _key(pictures: avatars.AvatarPictures, name: str) -> str:
    """An attribute's name, or its group's: one of a group counts as one decision."""
    return next(("/".join(g) for g in pictures.groups if name in g), name)


def _read_as(pictures: avatars.AvatarPictures, values: Arrays) -> dict[str, str]:
    """Each decision as a word: the strongest of a group, on or off otherwise."""
    found: dict[str, str] = {}
    for group in pictures.groups:
        found["/".join(group)] = max(group, key=lambda n: float(values[pictures.names.index(n)]))
    grouped = {n for g in pictures.groups for n in g}
    found.update({n: "on" if values[j] > 0.5 else "off" for j, n in enumerate(pictures.names) if n not in grouped})
    return found


def _judge_accuracy(judge: Judge, pictures: avatars.AvatarPictures) -> dict[str, float]:
    """The judge on the unedited held-out faces, per decision that can be seen."""
    seen = read(judge, np.stack([normalised(pictures.picture(i)) for i in range(len(pictures))]))
    right: dict[str, list[bool]] = {}
    for i, values in enumerate(seen):
        truth = _read_as(pictures, pictures.label(i))
        for key, word in _read_as(pictures, values).items():
            if not pictures.hidden(i, key.split("/")[0]):
                right.setdefault(key, []).append(word == truth[key])
    return {key: float(np.mean(values)) for key, values in right.items()}


def _psnr(a: Picture, b: Picture, where: NDArray[np.bool_]) -> float:
    """Over the chosen pixels, in dB; at most 60, so that a perfect picture does not swamp a mean."""
    if not where.any():
        return 60.0
    mse = float(np.square(a[where].astype(np.float64) - b[where]).mean())
    return 60.0 if mse < 1e-6 * 255**2 else 10 * float(np.log10(255**2 / mse))


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def _chunks(found: list[Case], size: int) -> Iterator[list[Case]]:
    for i in range(0, len(found), size):
        yield found[i : i + size]
