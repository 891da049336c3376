"""The options of DCGAN that are techniques of Salimans et al. (2016)."""

from __future__ import annotations

HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
OPTIONS = {
    "feature matching": ["generator_loss=feature_matching"],
    "minibatch discrimination": ["minibatch_kernels=6", "minibatch_dims=2"],
    "historical averaging": ["historical_weight=0.1"],
    "label smoothing": ["real_target=0.9"],
    "virtual batch norm": ["norm=virtual", "virtual_reference=4"],
    "classes": [f"classes={list(HAIR)}".replace("'", '"'), "labelled=8"],
}
