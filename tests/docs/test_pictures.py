"""Pictures of the documentation that a script draws: it still draws them, with the model that ships."""

from __future__ import annotations

import importlib.util

import numpy as np
from support.needed import needed
from support.pages import ROOT

needed("skimage", "train")
needed("skvideo", "demo")


def test_the_strip_of_edits_is_drawn_from_the_shipped_model() -> None:
    spec = importlib.util.spec_from_file_location("front", ROOT / "docs" / "scripts" / "front.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    strip = script.draw()
    step = script.EDGE + script.GAP
    columns = 1 + len(script.EDITS)
    assert strip.shape == (script.CAPTION + 2 * step - script.GAP, columns * step - script.GAP, 3)
    pictures = [strip[script.CAPTION :, i * step : i * step + script.EDGE].astype(int) for i in range(columns)]
    changed = [float((np.abs(picture - pictures[0]).max(2) > 40).mean()) for picture in pictures[1:]]
    assert all(0.002 < share < 0.2 for share in changed), changed  # each edits something, and leaves most as it was
