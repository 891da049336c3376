"""Two domains and pairs, from files and drawn: what belongs together, what is refused and in which words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan.data import kinds, open_domains, open_labelled, open_pairs, open_pictures
from edgegan.runtime.drawn import avatars, drawing, seasons
from edgegan.runtime.errors import InputError

SIZE = 16
RED, BLUE = (200, 20, 20), (20, 20, 200)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def save(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (20, 14), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path)


def fill(folder: Path, count: int, colour: tuple[int, int, int], suffix: str = ".png") -> Path:
    """Pictures whose green channel is ten times their number."""
    for i in range(count):
        save(folder / f"{i:03d}{suffix}", (colour[0], 10 * i, colour[2]))
    return folder


def side_by_side(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        pixels = np.zeros((14, 40, 3), np.uint8)
        pixels[:, :20], pixels[:, 20:] = (RED[0], 10 * i, RED[2]), (BLUE[0], 10 * i, BLUE[2])
        Image.fromarray(pixels).save(folder / f"{i:03d}.png")


def layout(top: Path, *, test: bool = True, a: int = 12, b: int = 12, suffix: str = ".png") -> Path:
    for part in ("train", "test")[: 1 + test]:
        fill(top / f"{part}A", a if part == "train" else 3, RED)
        fill(top / f"{part}B", b if part == "train" else 3, BLUE, suffix)
    return top


def number(picture: np.ndarray) -> int:
    return round(float(picture[..., 1].mean()) / 10)


def is_red(picture: np.ndarray) -> bool:
    return bool(picture[..., 0].mean() > picture[..., 2].mean())


# Unpaired files


def test_domains_of_unequal_length_each_show_their_own_side(tmp_path: Path) -> None:
    layout(tmp_path, a=12, b=5)
    (tmp_path / "trainA" / "more").mkdir()
    save(tmp_path / "trainA" / "more" / "x.png", RED)  # searched with what is below
    for spec in (f"unaligned:{tmp_path}", str(tmp_path)):
        domains = open_domains(spec, size=SIZE)
        assert (len(domains.a), len(domains.b)) == (13, 5) and domains.name.startswith("unaligned:")
        assert all(is_red(domains.a.picture(i)) for i in range(13))
        assert not any(is_red(domains.b.picture(i)) for i in range(5))
    heldout = open_domains(str(tmp_path), size=SIZE, split="heldout")
    assert (len(heldout.a), len(heldout.b)) == (3, 3)
    with pytest.raises(InputError, match="no third split"):
        open_domains(str(tmp_path), size=SIZE, split="judge")
    fill(tmp_path / "valA", 2, RED)
    fill(tmp_path / "valB", 1, BLUE)
    assert len(open_domains(str(tmp_path), size=SIZE, split="judge").a) == 2


@pytest.mark.parametrize("names", [("trainA", "trainB"), ("A", "B")])
def test_without_test_folders_one_in_ten_is_held_out(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, colour in zip(names, (RED, BLUE), strict=True):
        for i in range(60):
            save(tmp_path / name / f"{i:03d}.png", colour, (2, 2))
    of = {s: open_domains(str(tmp_path), size=4, split=s) for s in ("train", "heldout")}
    for side in ("a", "b"):
        train, heldout = (set(getattr(of[s], side).files) for s in ("train", "heldout"))
        assert not train & heldout and len(train | heldout) == 60 and 1 <= len(heldout) <= 14


def test_pictures_are_shown_whole_and_labelled_ones_cropped(tmp_path: Path) -> None:
    """A red left edge of a wide picture survives only if the picture is squeezed."""
    pixels = np.zeros((10, 40, 3), np.uint8)
    pixels[:, :8] = RED
    for folder in ("trainA", "trainB", "flat"):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "x.png")
    domains = open_domains(str(tmp_path), size=10)
    expected = np.asarray(Image.fromarray(pixels).resize((10, 10), Image.Resampling.BICUBIC))
    assert np.array_equal(domains.a.picture(0), expected) and expected[:, 0, 0].min() > 150
    assert np.array_equal(open_pictures(f"flat:{tmp_path / 'flat'}", size=10).picture(0), expected)
    labelled = open_labelled(f"flat:{tmp_path / 'flat'}", size=10, names=())
    assert not labelled.picture(0).any()


def test_one_picture_in_a_domain_trains_and_is_held_out_too(tmp_path: Path) -> None:
    layout(tmp_path, a=1, b=1, test=False)
    for split in ("train", "heldout"):
        domains = open_domains(str(tmp_path), size=SIZE, split=split)
        assert (len(domains.a), len(domains.b)) == (1, 1)
    for kind in ("flat", "folders"):
        top = tmp_path / "trainA" if kind == "flat" else tmp_path
        assert len(open_labelled(f"{kind}:{top}", size=SIZE, names=())) == (1 if kind == "flat" else 2)


# Pairs


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
@pytest.mark.parametrize("test", [True, False])
def test_equal_names_are_pairs(tmp_path: Path, suffix: str, test: bool) -> None:
    layout(tmp_path, a=30, b=30, test=test, suffix=suffix)
    total = 0
    for split in ("train", "heldout"):
        pairs = open_pairs(str(tmp_path), size=SIZE, split=split)
        assert len(pairs.a) == len(pairs.b) > 0
        total += len(pairs.a)
        for i in range(len(pairs.a)):
            a, b = pairs.a.picture(i), pairs.b.picture(i)
            assert is_red(a) and not is_red(b) and number(a) == number(b)
    assert total == (33 if test else 30)


def test_left_and_right_halves_are_pairs(tmp_path: Path) -> None:
    side_by_side(tmp_path / "top" / "train", 6)
    side_by_side(tmp_path / "top" / "val", 3)
    for split, count in (("train", 6), ("heldout", 3)):
        for opened in (open_pairs, open_domains):
            pairs = opened(str(tmp_path / "top"), size=SIZE, split=split)
            assert pairs.name.startswith("paired:") and len(pairs.a) == len(pairs.b) == count
            for i in range(count):
                a, b = pairs.a.picture(i), pairs.b.picture(i)
                assert a.shape == (SIZE, SIZE, 3) and is_red(a) and not is_red(b) and number(a) == number(b) == i
                assert not (a[..., 0] < 150).any() and not (b[..., 0] > 60).any()  # nothing of the other half
    side_by_side(tmp_path / "top" / "test", 2)
    assert len(open_pairs(str(tmp_path / "top"), size=SIZE, split="heldout").a) == 2
    assert len(open_pairs(str(tmp_path / "top"), size=SIZE, split="judge").a) == 3


def test_a_picture_without_a_partner_is_named(tmp_path: Path) -> None:
    layout(tmp_path)
    (tmp_path / "trainB" / "004.png").unlink()
    save(tmp_path / "trainB" / "extra.png", BLUE)
    with pytest.raises(InputError, match=r"no partner for \S*trainA/004.png, \S*trainB/extra.png\n"):
        open_pairs(str(tmp_path), size=SIZE)
    save(tmp_path / "trainA" / "extra.png", RED)
    save(tmp_path / "trainA" / "extra.bmp", RED)
    with pytest.raises(InputError, match="have one name"):
        open_pairs(str(tmp_path), size=SIZE)


def test_a_damaged_file_takes_its_partner_with_it(tmp_path: Path) -> None:
    layout(tmp_path)
    (tmp_path / "trainA" / "004.png").write_bytes(b"")
    (tmp_path / "trainB" / "007.png").write_bytes(b"")
    pairs = open_pairs(str(tmp_path), size=SIZE)
    numbers = [(number(pairs.a.picture(i)), number(pairs.b.picture(i))) for i in range(len(pairs.a))]
    assert numbers == [(i, i) for i in range(12) if i not in (4, 7)] and len(pairs.b) == 10


def test_sets_without_pairs_or_domains_say_so(tmp_path: Path) -> None:
    layout(tmp_path)
    with pytest.raises(InputError, match=r"unaligned has no pairs\nkinds with pairs: avatars-seasons, paired$"):
        open_pairs(f"unaligned:{tmp_path}", size=SIZE)
    with pytest.raises(InputError, match=r"avatars has no two domains\nkinds with two domains: avatars-seasons, pai"):
        open_domains("avatars", size=SIZE)
    with pytest.raises(InputError, match=r"unaligned has no labels\nkinds with labels: avatars, celeba"):
        open_labelled(str(tmp_path), size=SIZE, names=())
    with pytest.raises(InputError, match="no split is called 'dev'"):
        open_pairs(str(tmp_path), size=SIZE, split="dev")
    with pytest.raises(InputError, match="neither a folder nor a kind"):
        open_pictures("nothing-like-it", size=SIZE)


# Any kind as pictures, and bad files in every kind that reads files


def celeba(top: Path) -> Path:
    fill(top / "img_align_celeba", 12, RED)
    rows = "".join(f"{i:03d}.png {1 - 2 * (i % 2)}\n" for i in range(12))
    (top / "list_attr_celeba.txt").write_text(f"12\nSmiling\n{rows}")
    (top / "list_eval_partition.txt").write_text("".join(f"{i:03d}.png 0\n" for i in range(12)))
    return top / "img_align_celeba"


def rafd(top: Path) -> Path:
    for i, expression in enumerate(("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad")):
        save(top / f"Rafd090_01_Caucasian_male_{expression}_frontal.png", (RED[0], 10 * i, RED[2]))
    for i, gaze in enumerate(("frontal", "left", "right")):
        save(top / f"Rafd090_01_Caucasian_male_surprised_{gaze}.png", (RED[0], 10 * i, RED[2]))
    return top


def domains(top: Path) -> Path:
    fill(top / "bee", 12, BLUE)
    return fill(top / "ant", 12, RED)


# What lays out at least ten pictures of each kind; it returns the folder in which to damage them.
FILES: dict[str, Callable[[Path], Path]] = {
    "celeba": celeba,
    "flat": lambda top: fill(top, 12, RED),
    "folders": domains,
    "paired": lambda top: side_by_side(top / "train", 12) or top / "train",  # type: ignore[func-returns-value]
    "rafd": rafd,
    "unaligned": lambda top: layout(top) / "trainA",
}


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


def test_an_empty_domain_and_portraits_instead_of_pairs_are_named(tmp_path: Path) -> None:
    fill(tmp_path / "trainA", 2, RED)
    (tmp_path / "trainB").mkdir()
    for opened in (open_domains, open_pairs):
        with pytest.raises(InputError, match=r"trainB holds no pictures"):
            opened(str(tmp_path), size=SIZE)
    save(tmp_path / "faces" / "x.png", RED, (17, 21))
    with pytest.raises(InputError, match=r"x.png: 17x21 pixels, taller than wide\ntwo pictures side by side"):
        open_pairs(str(tmp_path / "faces"), size=SIZE)


# Drawn domains


def test_seasons_are_unpaired_in_training_and_the_same_people_held_out() -> None:
    pytest.importorskip("resvg_py", reason="needs the avatars extra")
    seeds = {s: [p.face.seed for p in seasons.people("train", 50, s, paired=False)] for s in ("summer", "winter")}
    assert not set(seeds["summer"]) & set(seeds["winter"])
    assert not set(seeds["winter"]) & set(avatars.seeds("judge", 10**6))
    train = open_domains("avatars-seasons:4", size=32)
    assert (len(train.a), len(train.b)) == (4, 4) and train.a.picture(0).shape == (32, 32, 3)
    pairs = open_pairs("avatars-seasons:4", size=32)
    assert np.array_equal(pairs.a.picture(2), train.a.picture(2))
    assert not any(np.array_equal(pairs.b.picture(i), train.b.picture(i)) for i in range(4))
    summer, winter = (seasons.people("heldout", 3, s, paired=True) for s in (seasons.SUMMER, seasons.WINTER))
    assert [p.face.seed for p in summer] == [p.face.seed for p in winter] == list(avatars.seeds("heldout", 3))


def look(someone: seasons.Person) -> str:
    """All of a person that can be seen, but for the pose."""
    unseen = {"hairColor"} if someone.season == seasons.WINTER else {"hatColor"}
    shown = seasons.options(replace(someone, face=replace(someone.face, pose=avatars.Pose())))
    return repr({key: value for key, value in shown.items() if key not in unseen})


def test_the_other_season_follows_from_the_picture_and_the_person_stays() -> None:
    """Whoever looks the same in one season looks the same in the other: the edit has one answer, both ways."""
    people = [seasons.people("heldout", 4000, s, paired=True) for s in (seasons.SUMMER, seasons.WINTER)]
    looks = [[look(someone) for someone in season] for season in people]
    assert len(set(looks[0])) == len(set(looks[1])) == len(set(zip(*looks, strict=True))) > 500
    pytest.importorskip("resvg_py", reason="needs the avatars extra")
    seen = np.zeros((64, 64), int)
    for summer, winter in zip(*(s[:12] for s in people), strict=True):
        a, b = (seasons.render_rgb(p, 64).astype(int) for p in (summer, winter))
        changed = np.abs(a - b).max(2) > 20
        seen += changed
        assert 0.3 < changed.mean() < 0.9  # clearly visible: hat, clothes and ground
    assert not seen[30:40, 28:36].any()  # the face


def test_every_free_style_is_offered_and_others_are_refused_with_their_licence() -> None:
    pytest.importorskip("dicebear_styles", reason="needs the avatars extra")
    free = [name for name, licence in drawing.styles().items() if licence == "CC0 1.0"]
    assert {"lorelei", "voxel-art", "notionists", "thumbs", "pixel-art"} <= set(free) and "avataaars" not in free
    with pytest.raises(InputError, match="no such style\nstyles under CC0 1.0: ") as caught:
        open_pictures("dicebear:pixels", size=SIZE)
    assert all(name in str(caught.value) for name in free)
    with pytest.raises(InputError, match=r"its licence is not CC0 1.0, but: CC BY 4.0"):
        open_pictures("dicebear:micah", size=SIZE)
    with pytest.raises(InputError, match="dicebear:thumbs:few: not a number"):
        open_pictures("dicebear:thumbs:few", size=SIZE)
    pictures = open_pictures("dicebear:thumbs:5", size=SIZE)
    assert len(pictures) == 5 and "CC0 1.0" in pictures.name
    assert len({pictures.picture(i).tobytes() for i in range(5)}) == 5
    again = open_pictures("dicebear:thumbs:5", size=SIZE)
    assert all(np.array_equal(pictures.picture(i), again.picture(i)) for i in range(5))


def test_all_pairs_are_looked_at_and_doubtful_shapes_are_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    top = tmp_path / "photos"
    top.mkdir()
    for i in range(20):
        Image.new("RGB", (160, 120) if i == 7 else (160, 80), (i, i, i)).save(top / f"{i:02d}.png")
    with caplog.at_level(logging.WARNING, "edgegan.data"):
        for split in ("train", "heldout", "train"):
            open_pairs(f"paired:{top}", size=16, split=split)
    (said,) = (record.getMessage() for record in caplog.records)
    assert "07.png: 160x120" in said and "read as pairs: left 80x120, right 80x120" in said and "1 of " in said
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.new("RGB", (160, 80)).save(top / "99.jpg", exif=exif)
    with pytest.raises(InputError, match=r"99.jpg: 80x160 pixels, taller than wide"):
        for split in ("train", "heldout"):
            open_pairs(f"paired:{top}", size=16, split=split)
