"""The models that come with edgegan, by name: each is a folder of `data/` that holds an export."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from .errors import InputError

FOLDER = Path(__file__).parent / "data"
FRAMES = FOLDER / "frames"  # the small graphs of `edit/device`, which `edgegan.export.frames` writes

# What is taken where no model is named, the best first: for pictures of the world, and for the synthetic camera.
_DEFAULTS = {"real": ("portraits", "avatars"), "synthetic": ("avatars",)}


def list_models() -> dict[str, Path]:
    """The `model.onnx` of each shipped model that has a card, by name, in alphabetical order."""
    found = sorted(FOLDER.glob("*/model.onnx"))
    return {path.parent.name: path for path in found if path.with_name("model.onnx.card.json").is_file()}


def find_model(name: str) -> Path:
    """Returns the `model.onnx` of the shipped model `name`; raises InputError, which lists them, if there is none."""
    models = list_models()
    if name not in models:
        there = ", ".join(models) or "none in this installation"
        raise InputError(f"no model that comes with edgegan is called {name!r}", f"there are: {there}")
    return models[name]


def default_model(kind: Literal["real", "synthetic"] = "real") -> Path:
    """Returns the model to take where none is named.

    Args:
        kind: "real" for cameras, clips and pictures, "synthetic" for drawn faces.

    Raises:
        InputError: this installation ships no model.
    """
    models = list_models()
    for name in (*_DEFAULTS[kind], *models):
        if name in models:
            return models[name]
    raise InputError(
        "this installation of edgegan ships no model",
        todo="name a model or a run folder, or train one: edgegan train stargan --preset avatars-64 --minutes 5",
    )
