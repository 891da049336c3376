"""Golden pairs: small, of many pictures and every edit, and what eager made of them."""

from __future__ import annotations

import numpy as np
import pytest
from support.models.exports import BACKENDS, onnx_files, specs

from edgegan.export import Exported, verify_artefact
from edgegan.export.graph.resizing import fit_pictures
from edgegan.export.verify.reference import GOLDEN_BYTES, eager_pairs, spread
from edgegan.runtime import load
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.model.card import TensorSpec
from edgegan.runtime.model.golden import Golden
from edgegan.train.folder.run import Run


def test_resized_pictures_keep_their_256_levels_and_flat_colours() -> None:
    spec = TensorSpec(name="image", dtype="float32", shape=(1, 3, 8, 24), layout="NCHW", value_range=(-1.0, 1.0))
    flat = np.full((2, 3, 16, 16), 51 / 127.5 - 1, np.float32)
    assert np.allclose(fit_pictures(flat, spec), flat[:, :, :8, :1].repeat(24, 3), atol=1e-6)
    noise = np.random.default_rng(0).uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32)
    levels = (fit_pictures(noise, spec) + 1) * 127.5
    assert np.abs(levels - np.rint(levels)).max() < 1e-3


def test_the_stored_pairs_cover_every_edit_and_many_pictures() -> None:
    pictures, edits = 64, 8
    numbers = np.arange(pictures * edits, dtype=np.float32)[:, None]
    chosen = spread(Golden({"n": numbers}, {"n": numbers}), 8).inputs["n"][:, 0].astype(int)
    assert len(set(chosen % edits)) == edits and len(set(chosen // edits)) == 8


def test_pairs_say_when_the_model_itself_is_not_finite(tiny_run: Run) -> None:
    spec = next(iter(specs(tiny_run).values()))
    next(p for p in reversed(list(spec.module.parameters()))).fill_(float("nan"))
    with pytest.raises(VerifyError, match="not finite"):
        eager_pairs(spec, 1)


def test_golden_pairs_are_small_and_reproduce(tiny_export: Exported) -> None:
    for path in onnx_files(tiny_export):
        artefact = load(path)
        assert artefact.golden is not None and artefact.golden.stat().st_size <= GOLDEN_BYTES
        assert all(v.status == "passed" for n, v in verify_artefact(artefact).items() if n in BACKENDS)
