"""What codes that nobody labelled have come to mean: their mutual information with what a judge sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegan.data import normalise
from edgegan.eval.decisions import name_answers
from edgegan.eval.judge import attribute_judge, read
from edgegan.eval.report import Table
from edgegan.runtime.drawn import avatars
from edgegan.runtime.model.condition import Condition
from edgegan.sheet import Picture

_BINS = 5  # of a continuous code, equally filled
_SHUFFLES = 20

Labels = NDArray[np.int64]


def measure(condition: Condition, made: Sequence[Picture], told: NDArray[np.float32]) -> tuple[dict[str, Any], Table]:
    """The information, in nats, between each code (N rows of `told`) and each decision that the judge reads.

    A finite sample shows some where there is none: `floor` is what shuffled codes show, on average. `entropy` is all
    that there is to know of the decision, among these pictures.
    """
    judge = attribute_judge(made[0].shape[0], avatars.ATTRIBUTES)
    seen = read(judge, np.stack([normalise(picture) for picture in made]))
    answers = [name_answers(avatars_condition(), row) for row in seen]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for code, values in discrete_codes(condition, told).items():
        for decision in answers[0]:
            labels = np.unique([answer[decision] for answer in answers], return_inverse=True)[1].astype(np.int64)
            rng = np.random.default_rng(0)
            floor = [mutual_information(rng.permutation(values), labels) for _ in range(_SHUFFLES)]
            found.setdefault(code, {})[decision] = {
                "information": round(mutual_information(values, labels), 4),
                "floor": round(float(np.mean(floor)), 4),
                "entropy": round(mutual_information(labels, labels), 4),
            }
    rows = [
        [code, decision, *(f"{value:.3f}" for value in values.values())]
        for code, by_decision in found.items()
        for decision, values in by_decision.items()
    ]
    columns = ("code", "decision", "information", "floor", "entropy")
    return {"information": found}, Table("what the codes mean, in nats", columns, rows, left=(0, 1))


def avatars_condition() -> Condition:
    """The decisions of drawn faces."""
    return Condition(names=avatars.ATTRIBUTES, groups=avatars.GROUPS)


def discrete_codes(condition: Condition, told: NDArray[np.float32]) -> dict[str, Labels]:
    """Each code of (N, names) rows as whole numbers: which value of a group is on, or in which fifth a number lies."""
    places = {name: place for place, name in enumerate(condition.names)}
    found: dict[str, Labels] = {}
    for group in condition.groups:
        found[group[0].rpartition("_")[0] or group[0]] = told[:, [places[name] for name in group]].argmax(1)
    grouped = {name for group in condition.groups for name in group}
    for name in condition.names:
        if name not in grouped:
            ranks = told[:, places[name]].argsort().argsort()
            found[name] = (ranks * _BINS // len(told)).astype(np.int64)
    return found


def mutual_information(a: Labels, b: Labels) -> float:
    """Between two sets of whole numbers from 0, in nats; of one with itself it is the entropy."""
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(table, (a, b), 1.0)
    joint = table / table.sum()
    apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    filled = joint > 0
    return float((joint[filled] * np.log(joint[filled] / apart[filled])).sum())
