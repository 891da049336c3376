"""Which source shows what a model can do."""

from __future__ import annotations

from edgegan.runtime.model.card import ModelCard


def usual_source(card: ModelCard) -> str:
    """The `--source` of `edgegan live` to propose: a camera for a model of photographs, the synthetic camera for one of
    drawn faces, or of what nobody has said."""
    return "0" if card.domain and "drawn" not in card.domain else "synthetic"
