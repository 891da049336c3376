"""RaFD: expressions and persons read from file names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan.data import open_labelled
from edgegan.data.rafd import EXPRESSIONS
from edgegan.runtime.errors import InputError

PEOPLE = range(1, 31)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 people, all expressions, from the front and, of those who look straight ahead, from the left."""
    top = tmp_path_factory.mktemp("rafd")
    (top / "more").mkdir()
    for person in PEOPLE:
        for number, expression in enumerate(EXPRESSIONS):
            for angle, gaze in (("090", "frontal"), ("045", "frontal"), ("090", "left")):
                kind = "Kid_female" if person % 3 else "Moroccan_male"
                name = f"Rafd{angle}_{person:02d}_{kind}_{expression}_{gaze}.jpg"
                place = top / "more" if person % 2 else top
                Image.new("RGB", (10, 15), (person * 8, number * 30, int(angle))).save(place / name, quality=100)
    (top / "readme.txt").write_text("licence")
    return top


def test_labels_are_the_expressions_in_the_file_names(folder: Path) -> None:
    pictures = open_labelled(str(folder), size=8, names=())
    assert pictures.name.startswith("rafd:")
    assert pictures.names == EXPRESSIONS and pictures.groups == (EXPRESSIONS,)
    for i, file in enumerate(pictures.files):  # type: ignore[attr-defined]
        assert file.name.startswith("Rafd090_")
        assert pictures.label(i).sum() == 1 and f"_{pictures.names[int(pictures.label(i).argmax())]}_" in file.name
        assert abs(int(pictures.picture(i)[4, 4, 1]) - 30 * int(pictures.label(i).argmax())) <= 3


def test_nobody_is_in_training_and_held_out(folder: Path) -> None:
    of = {s: open_labelled(f"rafd:{folder}", size=8, names=(), split=s) for s in ("train", "heldout")}
    people = {s: {f.name.split("_")[1] for f in p.files} for s, p in of.items()}  # type: ignore[attr-defined]
    assert not people["train"] & people["heldout"] and len(people["train"] | people["heldout"]) == len(PEOPLE)
    assert 1 <= len(people["heldout"]) <= 6
    assert sum(map(len, of.values())) == len(PEOPLE) * 8 * 2


def test_chosen_expressions_come_in_the_wanted_order(folder: Path) -> None:
    pictures = open_labelled(f"rafd:{folder}", size=8, names=("sad", "angry"))
    assert pictures.names == ("sad", "angry") and pictures.groups == (("sad", "angry"),)
    sad = [np.argmax(pictures.label(i)) == 0 for i in range(len(pictures))]
    files = pictures.files  # type: ignore[attr-defined]
    assert [("_sad_" in f.name) for f in files] == sad and 0 < sum(sad) < len(sad)


def test_other_camera_angles_can_be_named(folder: Path) -> None:
    front, left, both = (len(open_labelled(f"rafd:{folder}{a}", size=8, names=())) for a in ("", "@045", "@045+090"))
    assert front == 2 * left and both == front + left


@pytest.mark.parametrize(
    ("place", "names", "split", "says"),
    [
        ("", ("sad", "glad"), "train", "no expression 'glad'.*\n.*contemptuous"),
        ("", ("sad",), "train", "only one: sad"),
        ("@180", (), "train", "angle 180\nthere are: 045, 090"),
        ("/nowhere", (), "train", "no such folder"),
        ("", (), "judge", "no third split"),
    ],
)
def test_what_is_not_there_is_named(folder: Path, place: str, names: tuple[str, ...], split: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        open_labelled(f"rafd:{folder}{place}", size=8, names=names, split=split)


def test_files_of_other_names_and_missing_expressions_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "angry.png")
    with pytest.raises(InputError, match=r"1 files, the first is angry.png\nnames such as Rafd090_"):
        open_labelled(f"rafd:{tmp_path}", size=8, names=())
    for expression in EXPRESSIONS[:-1]:
        Image.new("RGB", (9, 9)).save(tmp_path / f"Rafd090_01_Caucasian_female_{expression}_frontal.jpg")
    with pytest.raises(InputError, match="no picture is surprised"):
        open_labelled(f"rafd:{tmp_path}", size=8, names=())


def test_one_person_trains(tmp_path: Path) -> None:
    for expression in EXPRESSIONS:
        Image.new("RGB", (9, 9)).save(tmp_path / f"Rafd090_01_Caucasian_female_{expression}_frontal.jpg")
    assert len(open_labelled(f"rafd:{tmp_path}", size=8, names=())) == len(EXPRESSIONS)
