"""Puts a pipeline together: the network, the helper that estimates labels, and the search for faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..backends import Backend
from ..faces.finder import FaceFinder
from ..faces.options import FaceOptions
from ..model.artefact import Artefact
from .labels import Labels
from .pipeline import Pipeline

Load = Callable[[Artefact], Backend]
LoadHelper = Callable[[Artefact, Backend], Backend]  # of a model that is loaded


class Parts(NamedTuple):
    """A pipeline, the network that it runs, which is the caller's to close, and what the user should know."""

    pipeline: Pipeline
    backend: Backend
    notices: tuple[str, ...]


def assemble(
    model: Artefact, load: Load, helper: LoadHelper, *, work_size: tuple[int, int] | None, faces: FaceOptions | None
) -> Parts:
    """Loads the model with `load` and its classifier with `helper`; on an error everything is closed again."""
    opened: list[Backend] = []
    try:
        opened.append(load(model))
        labels, notices = load_labels(model, helper, opened)
        finder = FaceFinder() if model.card.faces else None
        taken = opened[0].selection.artefact or model  # of a folder, another file of the same network perhaps
        pipeline = Pipeline(taken.card, opened[0], labels, finder, work_size=work_size, faces=faces)
    except BaseException:
        for each in opened:
            each.close()
        raise
    return Parts(pipeline, opened[0], (*opened[0].selection.notices, *notices))


def load_labels(model: Artefact, helper: LoadHelper, opened: list[Backend]) -> tuple[Labels, tuple[str, ...]]:
    """Loads the label estimator of `model`, whose network is the first of `opened`; its backend is added there."""
    condition = model.card.condition
    if not condition.names:
        return Labels(condition), ()
    companion = model.companion("classifier")
    if companion is None:
        on = [n for n, value in zip(condition.names, condition.default, strict=True) if value > 0.5]
        notice = (
            "no classifier lies beside the model: every face is taken for "
            f"{', '.join(on) or 'one with no attribute on'}, and what you do not set may change too"
        )
        return Labels(condition), (notice,)
    opened.append(helper(companion, opened[0]))
    return Labels(condition, companion.card, opened[-1]), ()
