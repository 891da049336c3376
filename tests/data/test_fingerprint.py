"""The digest of a data set: whatever kind it is and however it is shown, no file changes unnoticed."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.faces.photographs import Shot, write_face_set
from support.needed import needed
from support.training.folders import FILES, layout

from edgegan import families
from edgegan.config import BaseConfig, with_settings
from edgegan.data import ANY, PictureStream, _sets, kinds, open_labelled, open_pictures
from edgegan.data._files import fingerprint
from edgegan.data._files.domains import Joined
from edgegan.data._files.fingerprint import compare_streams, describe_pictures, describe_stream
from edgegan.runtime.errors import InputError

SIZE = 8
PET_LABELS = ("attributes=['cats', 'dogs']",)
OF_FAMILY = {
    "stargan": (*PET_LABELS, "kind=one_hot", "balance=[]", "exclusive=[]", "hides={}", "focus=[]"),
    "cgan": (*PET_LABELS, "groups=[]"),
    "dcgan": ("classes=['cats', 'dogs']", "labelled=99"),
}


@pytest.fixture(autouse=True)
def _one_picture_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "_SHOWN", 1)  # so that pixels give nothing away


def describe_kind(kind: str, place: Path) -> dict[str, Any]:
    """What a resume would know of the set, by split and by what the kind can give."""
    module = importlib.import_module(f"edgegan.data.{kind.replace('-', '_')}")
    found = {}
    for split in ("train", "heldout"):
        for opener in (name for name in ANY if hasattr(module, name)):
            more = {"names": ()} if opener == "open_data" else {}
            try:
                opened = getattr(module, opener)(str(place), size=SIZE, split=split, **more)
            except InputError:
                continue  # of this split there are no pictures
            sets = {"a": opened.a, "b": opened.b, "both": Joined(opened)} if hasattr(opened, "a") else {"all": opened}
            for which, pictures in sets.items():
                found[f"{split} {opener} {which}"] = describe_pictures(pictures)
    return found


def change(top: Path) -> Iterator[Path]:
    """Each file below a folder a byte longer, one after another; pictures look as they did."""
    for file in sorted(path for path in top.rglob("*") if path.is_file() and path.suffix == ".png"):
        data = file.read_bytes()
        file.write_bytes(data + b"\0")
        yield file
        file.write_bytes(data)


@pytest.mark.parametrize("kind", FILES)
def test_a_change_of_any_file_is_noticed_in_every_kind(kind: str, tmp_path: Path) -> None:
    FILES[kind](tmp_path)
    before = describe_kind(kind, tmp_path)
    assert before and compare_streams(before, describe_kind(kind, tmp_path)) == []
    for file in change(tmp_path):
        assert compare_streams(before, describe_kind(kind, tmp_path)), file


def test_a_change_of_any_file_is_noticed_in_pairs_of_one_name(tmp_path: Path) -> None:
    layout(tmp_path)
    before = describe_kind("paired", tmp_path)
    for file in change(tmp_path):
        assert compare_streams(before, describe_kind("paired", tmp_path)), file


def test_a_change_of_any_face_or_mask_is_noticed(tmp_path: Path) -> None:
    needed("skimage", "train")
    shots = [Shot(light, split, (1,)) for split in ("train", "heldout") for light in (1.0, 0.8, 0.6)]
    folder = Path(write_face_set(tmp_path, ("Smiling",), shots).removeprefix("faces:"))
    before = describe_kind("faces", folder)
    looked_at = [
        file.parent.name
        for part in ("images", "masks")
        for file in change(folder / part)
        if compare_streams(before, describe_kind("faces", folder))
    ]
    assert looked_at == ["images"] * 6 + ["masks"] * 6


@pytest.mark.parametrize("kind", sorted(set(kinds()) - set(FILES) - {"faces"}))
def test_drawn_pictures_come_from_no_file(kind: str) -> None:
    pytest.importorskip("dicebear", reason="needs the avatars extra")
    opened = open_pictures(f"{kind}{':shapes' if kind == 'dicebear' else ''}", size=16, split="heldout")
    assert not any(opened.sources().values())


@pytest.mark.parametrize("name", families.names())
def test_a_change_of_any_file_is_noticed_by_every_family(name: str, tmp_path: Path) -> None:
    spec, cfg = f"folders:{tmp_path}", families.get(name).tiny()
    if name in ("pix2pix", "cyclegan"):
        spec = f"paired:{layout(tmp_path)}"
    else:
        for pet in ("cats", "dogs"):
            shutil.copytree(FILES["flat"](tmp_path / "all"), tmp_path / "train" / pet)
            shutil.copytree(tmp_path / "all", tmp_path / "test" / pet)
    cfg = with_settings(cfg, OF_FAMILY.get(name, ()))
    before = describe_family(name, cfg, spec)
    for part in ("trainA", "trainB", "train"):
        for file in change(tmp_path / part):
            after = describe_family(name, cfg, spec)
            shown = [key for key in after if key not in ("a", "b") or part.lower().endswith(key)]
            assert all(compare_streams({key: before[key]}, {key: after[key]}) for key in shown), file


def describe_family(name: str, cfg: BaseConfig, spec: str) -> dict[str, Any]:
    return {key: describe_stream(stream) for key, stream in families.get(name).streams(cfg, spec).items()}


def test_what_older_checkpoints_do_not_know_is_no_change() -> None:
    now = {"real": {"items": 2, "shapes": {}, "pixels": "a", "files": "b"}}
    before = {"real": {"items": 2, "shapes": {}, "pixels": "a"}}
    assert compare_streams(before, now) == []
    assert compare_streams(now, {"real": {**now["real"], "files": "c"}})


def test_a_stream_that_is_made_by_hand_tells_its_sets(tmp_path: Path) -> None:
    pictures: _sets.Pictures = open_labelled(str(FILES["folders"](tmp_path).parent), size=SIZE, names=())
    stream = PictureStream(pictures, crop=None, flip=False)
    assert stream.sets == (pictures,) and np.isfinite(stream.item(0, np.random.default_rng(0))["image"]).all()
