"""Pictures of the documentation that a script draws: it still draws them, with the model that ships."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from support.needed import needed
from support.pages import ROOT

needed("skimage", "train")
needed("skvideo", "demo")


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_strip_of_edits_is_drawn_from_the_shipped_model() -> None:
    script = load_script("front")
    strip = script.draw()
    step = script.EDGE + script.GAP
    columns = 1 + len(script.EDITS)
    assert strip.shape == (script.CAPTION + 2 * step - script.GAP, columns * step - script.GAP, 3)
    pictures = [strip[script.CAPTION :, i * step : i * step + script.EDGE].astype(int) for i in range(columns)]
    changed = [float((np.abs(picture - pictures[0]).max(2) > 40).mean()) for picture in pictures[1:]]
    assert all(0.002 < share < 0.2 for share in changed), changed  # each edits something, and leaves most as it was


@pytest.mark.parametrize("drawn_anew", [False, True])
def test_the_film_shows_both_models_beside_the_camera(drawn_anew: bool) -> None:
    """As it lies there, and its first frames drawn anew."""
    script = load_script("clip")
    if drawn_anew:
        strips, shown_ms = script.draw(8)
        assert shown_ms == pytest.approx(1000 * script.EVERY / 30, rel=0.05)
    else:
        film = Image.open(script.OUT)
        assert film.n_frames == 60 and script.OUT.stat().st_size < 1_500_000  # type: ignore[attr-defined]
        film.seek(5)
        strips = [film.convert("RGB")]
    strip = np.asarray(strips[0])[script.CAPTION :].astype(int)
    step = script.EDGE + script.GAP
    columns = [strip[:, i * step : i * step + script.EDGE] for i in range(len(script.COLUMNS))]
    changed = [float((np.abs(column - columns[0]).max(2) > 60).mean()) for column in columns[1:]]
    assert all(0.005 < share < 0.2 for share in changed), changed
