"""The CelebA loader: the published files, their errors by line number, and both splits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.training.celeba_files import FORTY, attribute_text, labels, make

from edgegan.data import SPLITS, open_labelled
from edgegan.data.celeba import find_attributes, paper_split, read_attributes
from edgegan.runtime.errors import InputError


def level(picture: np.ndarray) -> int:
    assert picture.std() < 1
    return round(float(picture.mean()))


def test_forty_names_as_published_are_parsed(tmp_path: Path) -> None:
    path = tmp_path / "list_attr_celeba.txt"
    on = labels(300, 40)
    path.write_text(attribute_text(on, FORTY))
    read = read_attributes(path)
    assert read.names == tuple(FORTY) and read.files[299] == "000300.jpg" and np.array_equal(read.on, on)
    path.write_bytes(b"\xef\xbb\xbf" + attribute_text(on, FORTY).replace("\n", "\r\n").encode())
    assert np.array_equal(read_attributes(path).on, on)


def test_pictures_labels_and_official_splits_belong_together(tmp_path: Path) -> None:
    on = make(tmp_path, 25)
    wanted = ("Young", "Black_Hair", "Blond_Hair", "Male")
    seen = []
    for split, parts in (("train", (0, 1, 2)), ("judge", (3,)), ("heldout", (4,))):
        pictures = open_labelled(f"celeba:{tmp_path}", size=32, names=wanted, split=split, centre_crop=178)
        assert pictures.names == wanted and pictures.groups == (("Black_Hair", "Blond_Hair"),)
        for i in range(len(pictures)):
            row = level(pictures.picture(i))
            seen.append(row)
            assert row % 5 in parts and pictures.picture(i).shape == (32, 32, 3)
            assert pictures.label(i).tolist() == on[row, [FORTY.index(n) for n in wanted]].tolist()
    assert sorted(seen) == list(range(25))


@pytest.mark.parametrize("names", [["Male"], ["Smiling", "Made_Up_Name"], FORTY])
def test_any_number_of_names_and_none_wanted_means_all(tmp_path: Path, names: Sequence[str]) -> None:
    on = make(tmp_path, 6, names=names)
    pictures = open_labelled(str(tmp_path), size=16, names=())
    assert pictures.names == tuple(names) and pictures.label(1).tolist() == on[1].tolist()


def test_an_unknown_attribute_is_refused_with_those_there_are(tmp_path: Path) -> None:
    make(tmp_path, 6, names=["Male", "Young"])
    with pytest.raises(InputError, match=r"no attribute 'Blonde'[\s\S]*Male, Young"):
        open_labelled(f"celeba:{tmp_path}", size=16, names=("Male", "Blonde"))


@pytest.mark.parametrize(
    ("line", "row", "says"),
    [
        (5, "000003.jpg -1  1", "line 5: 2 values after the file name, for 3 names"),
        (5, "000003.jpg -1  1  1  1", "line 5: 4 values"),
        (6, "000004.jpg -1  0  1", "line 6: B is '0', not 1 or -1"),
        (7, "000001.jpg -1  1  1", "line 7: 000001.jpg stands on line 3 already"),
        (4, "../../etc/000002.jpg 1 1 1", "line 4: '../../etc/000002.jpg' is not a plain file name"),
        (4, "", "line 4: 0 values"),
        (1, "many", "line 1: 'many'"),
        (1, "9", r"has 8 rows\n9, as its first line says"),
        (1, "7", r"has 8 rows\n7, as its first line says"),
        (2, "A B A", "line 2: a name stands twice"),
        (2, "", "line 2: empty"),
    ],
)
def test_a_bad_row_is_named_by_its_line_number(tmp_path: Path, line: int, row: str, says: str) -> None:
    path = tmp_path / "list_attr_celeba.txt"
    lines = attribute_text(labels(8, 3), ["A", "B", "C"]).splitlines()
    path.write_text("\n".join(lines))
    read_attributes(path)
    lines[line - 1] = row
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=says) as caught:
        read_attributes(path)
    assert str(path) in str(caught.value) and str(caught.value).count("\n") <= 2


def test_a_file_that_is_no_text_or_ends_early_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list_attr_celeba.txt"
    for data in (b"\xff\xfe\x00\x01", b"", b"5\n"):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"list_attr_celeba\.txt"):
            read_attributes(path)


def test_a_bad_or_incomplete_partition_is_refused(tmp_path: Path) -> None:
    make(tmp_path, 6)
    path = tmp_path / "list_eval_partition.txt"
    good = path.read_text()
    path.write_text(good.replace("000003.jpg 0", "000003.jpg 3"))
    with pytest.raises(InputError, match="line 3: '000003.jpg 3'"):
        open_labelled(f"celeba:{tmp_path}", size=16, names=())
    path.write_text(good.replace("000003.jpg 0\n", ""))
    with pytest.raises(InputError, match="no row for 000003.jpg"):
        open_labelled(f"celeba:{tmp_path}", size=16, names=())


def test_without_a_partition_the_split_is_that_of_the_paper_code() -> None:
    lines = [f"{i:06d}.jpg" for i in range(3, 5003)]  # the code of the paper, word for word in what matters
    random.seed(1234)
    random.shuffle(lines)
    train, test = [], []
    for i, line in enumerate(lines):
        (test if (i + 1) < 2000 else train).append(line)
    rows = [f"{i:06d}.jpg" for i in range(3, 5003)]
    assert [[rows[i] for i in part] for part in paper_split(5000)] == [train, test]
    assert len(test) == 1999 and len(set(train) | set(test)) == 5000


def test_the_paper_split_needs_enough_rows_and_has_no_judge(tmp_path: Path) -> None:
    make(tmp_path, 6, partition=False)
    with pytest.raises(InputError, match=r"6 rows; the paper's split holds out 1999\nput CelebA's list_eval"):
        open_labelled(f"celeba:{tmp_path}", size=16, names=())
    with pytest.raises(InputError, match="no third split"):
        open_labelled(f"celeba:{tmp_path}", size=16, names=(), split="judge")


def test_missing_pictures_are_named_and_their_labels_go_with_them(tmp_path: Path) -> None:
    on = make(tmp_path, 60)
    (tmp_path / "img_align_celeba" / "000002.jpg").unlink()
    pictures = open_labelled(f"celeba:{tmp_path}", size=16, names=("Male",))
    assert [r.reason for r in pictures.refused] == ["no such file"]  # type: ignore[attr-defined]
    assert len(pictures) == 35
    for i in range(len(pictures)):
        assert pictures.label(i)[0] == on[level(pictures.picture(i)), FORTY.index("Male")]


@pytest.mark.parametrize(
    ("attributes", "pictures"),
    [
        ("", "images"),
        ("Anno", "Img/img_align_celeba"),
        ("Anno", "Img/img_align_celeba/img_align_celeba"),
        ("Anno", "Anno/images"),
    ],
)
def test_the_usual_places_are_found(tmp_path: Path, attributes: str, pictures: str) -> None:
    make(tmp_path / "made", 6)
    top = tmp_path / "top"
    for place in (top / attributes, (top / pictures).parent):
        place.mkdir(parents=True, exist_ok=True)
    (tmp_path / "made" / "list_attr_celeba.txt").rename(top / attributes / "list_attr_celeba.txt")
    (tmp_path / "made" / "list_eval_partition.txt").rename(top / attributes / "list_eval_partition.txt")
    (tmp_path / "made" / "img_align_celeba").rename(top / pictures)
    assert find_attributes(top) == top / attributes / "list_attr_celeba.txt"
    assert len(open_labelled(str(top), size=16, names=())) == 4


def test_a_folder_without_pictures_or_list_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no list_attr_celeba\.txt"):
        open_labelled(f"celeba:{tmp_path}", size=16, names=())
    make(tmp_path, 6)
    (tmp_path / "img_align_celeba").rename(tmp_path / "pictures")
    with pytest.raises(InputError, match="img_align_celeba or images"):
        open_labelled(f"celeba:{tmp_path}", size=16, names=())


def as_kaggle(folder: Path) -> None:
    """Turns the published lists into Kaggle's CSV files, and nests the pictures as its archive does."""
    attributes, partition = folder / "list_attr_celeba.txt", folder / "list_eval_partition.txt"
    _, names, *rows = attributes.read_text().splitlines()
    lines = [",".join(["image_id", *names.split()]), *(",".join(row.split()) for row in rows)]
    attributes.with_suffix(".csv").write_text("\n".join(lines) + "\n")
    rows = partition.read_text().splitlines()
    partition.with_suffix(".csv").write_text("\n".join(["image_id,partition", *(",".join(r.split()) for r in rows)]))
    attributes.unlink()
    partition.unlink()
    (folder / "img_align_celeba").rename(folder / "inner")
    (folder / "img_align_celeba").mkdir()
    (folder / "inner").rename(folder / "img_align_celeba" / "img_align_celeba")


@pytest.mark.parametrize("bare", [False, True])
def test_kaggles_csv_files_are_the_published_lists(tmp_path: Path, bare: bool) -> None:
    make(tmp_path / "c", 20)
    published = {}
    for split in SPLITS:
        opened = open_labelled(f"celeba:{tmp_path / 'c'}", size=16, names=(), split=split)
        published[split] = [(opened.picture(i), opened.label(i)) for i in range(len(opened))]
    as_kaggle(tmp_path / "c")
    for split, items in published.items():
        kaggle = open_labelled(f"{'' if bare else 'celeba:'}{tmp_path / 'c'}", size=16, names=(), split=split)
        assert kaggle.names == tuple(FORTY) and len(kaggle) == len(items)
        for i, (picture, label) in enumerate(items):
            assert np.array_equal(kaggle.label(i), label) and np.array_equal(kaggle.picture(i), picture)


def test_a_bad_row_of_a_csv_file_is_named(tmp_path: Path) -> None:
    make(tmp_path / "c", 20)
    as_kaggle(tmp_path / "c")
    partition = tmp_path / "c" / "list_eval_partition.csv"
    partition.write_text(partition.read_text().replace("000003.jpg,0", "000003.jpg,7"))
    with pytest.raises(InputError, match="line 4: '000003.jpg,7'"):
        open_labelled(f"celeba:{tmp_path / 'c'}", size=16, names=())
    attributes = tmp_path / "c" / "list_attr_celeba.csv"
    attributes.write_text(
        attributes.read_text().replace("000002.jpg,1", "000002.jpg,").replace("000002.jpg,-1", "000002.jpg,")
    )
    with pytest.raises(InputError, match="not known of all pictures"):
        open_labelled(f"celeba:{tmp_path / 'c'}", size=16, names=())
