"""`edgegan data faces`: photographs in, aligned faces with labels out; what is refused is named with its reason."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.faces.photographs import GEOMETRY, astronaut, write_photographs
from support.needed import needed

from edgegan.data import open_labelled
from edgegan.data._faces.folder import find_table, write_faces
from edgegan.data._files.tables import UNKNOWN, read_table
from edgegan.data.faces import FacePictures, read_geometry
from edgegan.runtime.edit import align
from edgegan.runtime.errors import InputError
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.model.card import ModelCard, SizeRule

needed("skimage", "train")
LABELS = """file,split,Black_Hair,Brown_Hair,Eyeglasses,skin
a.jpg,heldout,0,1,0,light
b.png,train,0,1,,light
lying.png,,1,0,0,
"""


@pytest.fixture(scope="module")
def face_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("faces")
    write_photographs(place / "in")
    (place / "labels.csv").write_text(LABELS)
    write_faces(place / "in", place / "plain", labels="", size=64, alignment=GEOMETRY.alignment)
    labels = str(place / "labels.csv")
    write_faces(place / "in", place / "labelled", labels=labels, size=64, alignment=GEOMETRY.alignment)
    return place


def test_each_unusable_photograph_is_refused_with_its_reason(face_folder: Path) -> None:
    with (face_folder / "plain" / "refused.csv").open() as file:
        reasons = {row["file"]: row["reason"] for row in csv.DictReader(file)}
    assert reasons["two.png"].startswith("2 faces")
    assert reasons["lying.png"].startswith(("lies on its side", "no face"))
    assert reasons["small.png"].startswith(("small", "no face"))
    assert reasons["damaged.jpg"] == "truncated"
    assert reasons["empty.png"] == "no face found"
    assert {"a.jpg", "b.png"}.isdisjoint(reasons)


def test_pictures_of_one_scene_stay_on_one_side_of_the_split(face_folder: Path) -> None:
    table = read_table(face_folder / "plain" / "labels.csv")
    splits = dict(zip(table.files, table.splits, strict=True))
    assert splits["a.png"] == splits["b.png"]


def test_labels_splits_and_notes_are_those_of_the_table(face_folder: Path) -> None:
    table = read_table(face_folder / "labelled" / "labels.csv")
    assert table.files == ("a.png", "b.png")
    assert table.names == ("Black_Hair", "Brown_Hair", "Eyeglasses")
    assert table.splits == ("heldout", "train")
    assert table.values.tolist() == [[0, 1, 0], [0, 1, UNKNOWN]]
    assert table.notes == {"skin": ("light", "light")}


def test_pictures_whose_wanted_labels_are_unknown_are_left_out(face_folder: Path) -> None:
    spec = f"faces:{face_folder / 'labelled'}"
    hair = open_labelled(spec, size=64, names=("Black_Hair", "Brown_Hair"), split="train")
    assert len(hair) == 1 and hair.groups == (("Black_Hair", "Brown_Hair"),)
    with pytest.raises(InputError, match="there are no pictures"):
        open_labelled(spec, size=64, names=("Eyeglasses",), split="train")


def test_a_bare_folder_is_recognised(face_folder: Path) -> None:
    assert isinstance(open_labelled(str(face_folder / "labelled"), size=64, names=(), split="heldout"), FacePictures)


def test_training_sees_the_crop_that_live_editing_cuts(face_folder: Path) -> None:
    folder = face_folder / "labelled"
    pictures = open_labelled(f"faces:{folder}", size=64, names=("Brown_Hair",), split="heldout")
    card = ModelCard(
        name="x", family="x", task="translate", domain="x", faces=True, inputs=(), outputs=(),
        size=SizeRule(hw=(64, 64)), alignment=read_geometry(folder).alignment,
    )  # fmt: skip
    frame = cv2.imread(str(face_folder / "in" / "a.jpg"))
    live, _ = align.crop(frame, FaceFinder().find(frame)[0], card)
    own = pictures.picture(0)[:, :, ::-1].astype(int)
    off = np.abs(own - live).mean()  # not 0: they average over other squares before they sample
    assert off < 2.0 and off < 0.3 * np.abs(own[:, 1:] - live[:, :-1]).mean()


def test_other_sizes_show_the_same_crop(face_folder: Path) -> None:
    small, large = (
        open_labelled(f"faces:{face_folder / 'labelled'}", size=size, names=("Brown_Hair",), split="heldout").picture(0)
        for size in (32, 64)
    )
    shrunk = cv2.resize(large, (32, 32), interpolation=cv2.INTER_AREA)
    assert small.shape == (32, 32, 3) and np.abs(small.astype(int) - shrunk).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--labels", "nowhere.csv"], "no such file"),
        (["--labels", "portraits"], "none of the 819 pictures"),
        (["--alignment", "0.9,0.5,0.1,0.5"], "each eye's place"),
        (["--alignment", "big"], "portrait, celeba, close"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), astronaut()[:300, 80:380])
    command = [sys.executable, "-m", "edgegan", "data", "faces", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and words in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out").exists()


def test_a_folder_without_faces_says_what_was_wrong_with_each(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "wall.png"), np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(InputError, match=r"none of 1 photographs shows a usable face\nno face found: 1"):
        write_faces(tmp_path / "in", tmp_path / "out", labels="", size=64, alignment=GEOMETRY.alignment)
    assert not (tmp_path / "out").exists()


def test_our_own_table_ships_with_the_package() -> None:
    table = find_table("portraits")
    assert len(table.files) == 819 and set(table.splits) == {"train", "heldout", "judge"}
    hair = [table.names.index(n) for n in ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")]
    assert table.values[:, hair].sum(1).max() == 1
    assert set(table.notes["skin"]) == {"light", "medium", "dark"}
