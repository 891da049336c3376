"""Two changes of one face at once: whether both land, in as many passes as the model's card says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from edgegan.data import normalise
from edgegan.data.faces import FacePictures
from edgegan.eval.decisions import name_answers, name_decision
from edgegan.eval.photographs.judge import FaceJudge, read
from edgegan.eval.report import Table
from edgegan.eval.subject import Arrays, Subject
from edgegan.sheet import Picture

BATCH = 16


def score_both(
    subject: Subject, held_out: FacePictures, pictures: Sequence[Picture], judge: FaceJudge
) -> list[dict[str, Any]]:
    """For each pair of names of different decisions, over the faces that both change: how often both, and each, land.

    A name of a group is set, any other flipped; a colour that is there is no change, as with single edits.
    """
    condition = subject.card.condition
    found = []
    for pair in combinations(held_out.names, 2):
        if name_decision(held_out, pair[0]) == name_decision(held_out, pair[1]):
            continue
        faces, targets, passes = [], [], []
        for face in range(len(pictures)):
            label = held_out.label(face)
            target = change_label(held_out, label, pair)
            if target is None:
                continue
            own = dict(zip(held_out.names, label.tolist(), strict=True))
            wanted = {name: float(target[held_out.names.index(name)]) for name in pair}
            faces.append(face)
            targets.append(name_answers(held_out, target))
            passes.append(condition.vectors(own, wanted))
        landed = []
        for some in _chunks(len(faces)):
            images = np.stack([normalise(pictures[faces[i]]) for i in some])
            for vectors in zip(*(passes[i] for i in some), strict=True):
                images = subject.edit(images, np.array(vectors, np.float32))
            for i, values in zip(some, read(judge, images), strict=True):
                seen = name_answers(held_out, values)
                decisions = [name_decision(held_out, name) for name in pair]
                landed.append([seen[key] == targets[i][key] for key in decisions])
        if landed:
            each = np.mean(landed, axis=0)
            found.append(
                {
                    "pair": list(pair),
                    "edits": len(landed),
                    "both_landed": round(float(np.mean(np.all(landed, axis=1))), 4),
                    "each_landed": [round(float(share), 4) for share in each],
                }
            )
    return found


def change_label(held_out: FacePictures, label: Arrays, names: Sequence[str]) -> Arrays | None:
    """The label (C,) with each of `names` changed; None where one of them cannot change."""
    target = label.copy()
    for name in names:
        place = held_out.names.index(name)
        group = next((g for g in held_out.groups if name in g), ())
        others = [held_out.names.index(n) for n in group]
        if group and (label[place] or not label[others].any()):
            return None  # it is this colour already, or there is no hair
        target[others] = 0.0
        target[place] = 1.0 - label[place]
    return target


def make_table(rows: Sequence[dict[str, Any]]) -> Table:
    """A row for each pair."""
    cells = [
        [" and ".join(row["pair"]), str(row["edits"]), f"{row['both_landed']:.1%}"]
        + [f"{share:.1%}" for share in row["each_landed"]]
        for row in rows
    ]
    return Table("two at once", ("changes", "edits", "both landed", "the first", "the second"), cells, left=(0,))


def _chunks(count: int) -> Iterator[range]:
    for start in range(0, count, BATCH):
        yield range(start, min(start + BATCH, count))
