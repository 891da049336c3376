"""How far the judge can be believed: its right answers on real held-out faces, of all people and of each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgegan.data import normalise
from edgegan.data.faces import FacePictures
from edgegan.eval.decisions import name_answers
from edgegan.eval.photographs.judge import FaceJudge, read
from edgegan.sheet import Picture

GROUPS = ("Male",)  # attributes by which figures are split, where the set's table has them; and its notes
Answers = list[dict[str, tuple[str, bool]]]  # of each face, by decision: the true answer, and whether it was read


def check_judge(judge: FaceJudge, held_out: FacePictures, pictures: Sequence[Picture]) -> Answers:
    """What the judge makes of each real face; a decision that has no answer (hair of the bald) is left out."""
    found: Answers = []
    for i, values in enumerate(read(judge, np.stack([normalise(p) for p in pictures]))):
        truth, seen = name_answers(held_out, held_out.label(i)), name_answers(held_out, values)
        found.append({key: (answer, seen[key] == answer) for key, answer in truth.items() if answer != "none"})
    return found


def average_answers(answers: Answers) -> dict[str, float]:
    """The share of right answers for each decision, and for each attribute among those who have it."""
    right: dict[str, list[bool]] = {}
    for face in answers:
        for key, (answer, read_right) in face.items():
            right.setdefault(key, []).append(read_right)
            right.setdefault(answer if "/" in key else f"{key} {answer}", []).append(read_right)
    return {key: round(float(np.mean(values)), 4) for key, values in right.items()}


def measure_groups(
    judge: FaceJudge, held_out: FacePictures, pictures: Sequence[Picture]
) -> dict[str, list[dict[str, Any]]]:
    """For each group of people, a row of `average_answers` for each of its words."""
    answers, found = check_judge(judge, held_out, pictures), {}
    for group, words in name_groups(held_out).items():
        found[group] = [
            {group: word, "faces": words[: len(answers)].count(word)}
            | average_answers([a for a, own in zip(answers, words, strict=False) if own == word])
            for word in dict.fromkeys(words[: len(answers)])
        ]
    return found


def name_groups(held_out: FacePictures) -> dict[str, list[str]]:
    """For each note, and each of GROUPS that the set's table has, every picture's word."""
    table = held_out.table
    found = {name: list(words) for name, words in table.notes.items()}
    for name in GROUPS:
        if name in table.names:
            column = table.values[:, table.names.index(name)]
            found[name] = ["yes" if v == 1 else "no" for v in column.tolist()]
    return found
