"""Golden pairs from anywhere: never objects, never more than the card promises."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.errors import CardError
from edgegan.runtime.model import artefact, golden, npz


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return tiny_models.write_editor(tmp_path_factory.mktemp("sound"), size=8, classifier=False)


@pytest.fixture
def model(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound.parent, tmp_path / "model")) / sound.name


def _npz(path: Path, shape: tuple[int, ...], held: bytes, name: str = "model.in.image.npy") -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, header.getvalue() + held)


def test_golden_pairs_that_promise_too_much_are_refused_before_allocation(tmp_path, monkeypatch):
    path = tmp_path / "golden.npz"
    _npz(path, (1 << 33,), bytes(4))
    with pytest.raises(CardError, match="promises 34359738368 bytes"):
        golden.read(path, "model")
    monkeypatch.setattr(npz, "MOST_BYTES", 1 << 20)
    _npz(path, (1 << 19,), bytes(1 << 21))  # 2 MB of zeros in a file of 2 KB
    assert path.stat().st_size < 1 << 13
    with pytest.raises(CardError, match="unpacks to"):
        golden.read(path, "model")


def test_golden_pairs_never_hold_objects_and_fit_the_card(model):
    pairs = golden.read(model.with_name("golden.npz"), "model")
    assert pairs is not None
    wrong = {"image": pairs.inputs["image"][:, :, :4], "label": pairs.inputs["label"]}
    np.savez(model.with_name("golden.npz"), **golden.pack({"model": golden.Golden(wrong, pairs.outputs)}))
    with pytest.raises(CardError, match=r"\(4, 3, 4, 8\)"):
        golden.beside(artefact.load(model))
    objects: dict[str, Any] = {"model.in.image": np.array([{}], object), "model.out.edited": np.zeros(1)}
    np.savez(model.with_name("golden.npz"), **objects)
    with pytest.raises(CardError, match="no golden pairs"):
        golden.beside(artefact.load(model))
