"""How often a judge sees on a picture what its generator was told to draw."""

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

_HAT = "Wearing_Hat"


def measure(condition: Condition, made: Sequence[Picture], told: NDArray[np.float32]) -> tuple[dict[str, Any], Table]:
    """For each decision of the condition, and over them all: the share of pictures in which the judge sees it.

    `told` are (N, names), one row for each picture. What a hat hides is not asked.
    """
    judge = attribute_judge(made[0].shape[0], condition.names)
    shares = measure_obedience(condition, read(judge, np.stack([normalise(picture) for picture in made])), told)
    rows = [[name, f"{share:.1%}"] for name, share in shares.items()]
    return {"obeyed": shares}, Table("the judge sees what was asked for", ("decision", "share"), rows)


def measure_obedience(condition: Condition, seen: NDArray[np.float32], told: NDArray[np.float32]) -> dict[str, float]:
    """The shares by decision, and of all decisions as "all"; `seen` are probabilities, (N, names)."""
    right: dict[str, list[bool]] = {}
    for asked, found in zip(told, seen, strict=True):
        answers, wanted = name_answers(condition, found), name_answers(condition, asked)
        for decision, answer in wanted.items():
            hidden = wanted.get(_HAT) == "on" and set(decision.split("/")) <= set(avatars.HAIR)
            if not hidden:
                right.setdefault(decision, []).append(answers[decision] == answer)
    shares = {decision: round(float(np.mean(found)), 4) for decision, found in right.items()}
    return {**shares, "all": round(float(np.mean([one for found in right.values() for one in found])), 4)}
