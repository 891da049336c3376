"""Measures of trained models: what can be measured is chosen by the model's card."""

from __future__ import annotations

from collections.abc import Sequence

from edgegan.data import faces
from edgegan.eval import counterfactual, pairs, samples
from edgegan.eval.photographs import portraits
from edgegan.eval.report import Report, Request, Table
from edgegan.eval.subject import Subject, open_subject, open_subjects
from edgegan.runtime.errors import InputError

__all__ = ["Report", "Request", "Subject", "Table", "measure", "open_subject", "open_subjects"]


def measure(subjects: Sequence[Subject], request: Request) -> Report:
    """Scores one model in all of its directions.

    Editors by attribute go against the true answers of drawn faces, or before a judge on photographed ones, other
    translators against held-out pictures of their target domain, generators against held-out and training pictures.
    Raises InputError for a model of another kind, and for data that it cannot be scored on.
    """
    first = subjects[0]
    match first.card.task, first.card.condition.kind:
        case "translate", "binary" | "one_hot" if faces.names_set(request.data or first.data):
            return portraits.measure(first, request)
        case "translate", "binary" | "one_hot":
            return counterfactual.measure(first, request)
        case "translate", "none":
            return pairs.measure(subjects, request)
        case "generate", _:
            return samples.measure(first, request)
    raise InputError(
        f"{first.what}: a model for '{first.card.task}' with condition '{first.card.condition.kind}'",
        "eval scores attribute editors, translators between two domains, and generators",
    )
