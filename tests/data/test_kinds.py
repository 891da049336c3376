"""Every kind of data set that reads files, and what it says of files that it cannot use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.training.folders import FILES, RED, SIZE, fill, save

from edgegan.data import kinds, open_domains, open_pictures
from edgegan.runtime.errors import InputError


def test_every_kind_that_reads_files_is_tested_here() -> None:
    drawn, written_by_edgegan = {"avatars", "avatars-seasons", "dicebear"}, {"faces"}
    assert set(FILES) == set(kinds()) - drawn - written_by_edgegan


@pytest.mark.parametrize("kind", FILES)
def test_every_sort_of_picture_file_is_read_by_every_kind(tmp_path: Path, kind: str) -> None:
    folder = FILES[kind](tmp_path)
    files = sorted(f for f in folder.iterdir() if f.suffix == ".png")
    save(files[0], RED, (33, 21), "L")
    save(files[1], RED, (50, 8), "RGBA")
    Image.fromarray(np.full((9, 15), 40_000, np.uint16)).save(files[2])
    save(files[3], RED, (2, 1))
    pictures = open_pictures(str(tmp_path) if kind != "paired" else f"paired:{tmp_path}", size=SIZE)
    assert pictures.name.startswith(kind)
    for i in range(len(pictures)):
        assert pictures.picture(i).shape == (SIZE, SIZE, 3) and pictures.picture(i).dtype == np.uint8
    assert any((pictures.picture(i) == 40_000 >> 8).all() for i in range(len(pictures)))


@pytest.mark.parametrize("kind", FILES)
def test_truncated_files_stop_every_kind_and_are_named(tmp_path: Path, kind: str) -> None:
    folder = FILES[kind](tmp_path)
    files = sorted(f for f in folder.iterdir() if f.suffix == ".png")
    for file in files:
        file.write_bytes(file.read_bytes()[:-25])
    with pytest.raises(InputError, match="files cannot be read: .*truncated") as caught:
        open_pictures(f"{kind}:{tmp_path}", size=SIZE)
    assert any(str(file) in str(caught.value) for file in files) and str(caught.value).count("\n") == 2


@pytest.mark.parametrize("kind", FILES)
def test_an_empty_folder_is_named_by_every_kind(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError) as caught:
        open_pictures(f"{kind}:{tmp_path}", size=SIZE)
    assert str(tmp_path) in str(caught.value)


# The wrong level


@pytest.mark.parametrize(
    ("make", "give", "says"),
    [
        (["trainA"], ".", r"holds trainA/ but no trainB/\ntrainA/ and trainB/"),
        (["trainA", "trainB", "testB"], ".", "holds testB/ but no testA/"),
        (["set/trainA", "set/trainB"], ".", r"holds set/\n.*\nthey lie one level lower: give \S*set$"),
        (["trainA", "trainB"], "trainA", r"holds 000.png, 001.png\n.*\nthey lie one level higher: give "),
        (["horse", "zebra", "cow", "dog", "cat"], ".", r"holds cat/, cow/, dog/, horse/ and 1 more\n"),
    ],
)
def test_the_wrong_level_says_what_was_found_and_expected(
    tmp_path: Path, make: list[str], give: str, says: str
) -> None:
    for name in make:
        fill(tmp_path / "top" / name, 2, RED)
    with pytest.raises(InputError, match=says):
        open_domains(f"unaligned:{tmp_path / 'top' / give}", size=SIZE)
