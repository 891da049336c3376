"""`edgegan data`: what it writes is what the loaders read, and it is whole or absent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan.data import open_domains, open_labelled, open_pairs
from edgegan.data._written.avatar_folder import LAYOUTS
from edgegan.runtime.drawn import avatars, seasons
from edgegan.runtime.errors import InputError

COUNT, HELDOUT, SIZE = 14, 6, 32
pytest.importorskip("dicebear", reason="needs the avatars extra")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(*arguments: object, what: str = "avatars") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgegan", "data", what, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    places = {layout: tmp_path_factory.mktemp("data") / layout for layout in LAYOUTS}
    for layout, out in places.items():
        done = run("--count", COUNT, "--heldout", HELDOUT, "--size", SIZE, "--layout", layout, "--out", out)
        assert done.returncode == 0, done.stderr
        assert f"--data {layout}:{out}" in done.stdout
        assert [p.name for p in out.parent.iterdir()] == [layout]
    return places


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_the_celeba_loader_reads_what_was_written(data_sets: dict[str, Path]) -> None:
    for split, count in (("train", COUNT), ("heldout", HELDOUT)):
        pictures = open_labelled(str(data_sets["celeba"]), size=SIZE, names=(), split=split)
        assert pictures.name.startswith("celeba:")
        assert len(pictures) == count and pictures.names == avatars.ATTRIBUTES and pictures.groups == avatars.GROUPS
        for i, seed in enumerate(avatars.seeds(split, count)):
            face = avatars.sample_face(seed)
            assert np.array_equal(pictures.picture(i), avatars.render_rgb(face, SIZE))
            assert pictures.label(i).tolist() == face.vector()


def test_the_folder_loader_reads_what_was_written(data_sets: dict[str, Path]) -> None:
    total = 0
    for split, count in (("train", COUNT), ("heldout", HELDOUT)):
        pictures = open_labelled(str(data_sets["folders"]), size=SIZE, names=(), split=split)
        assert pictures.name.startswith("folders:") and len(pictures) == count
        for i, file in enumerate(pictures.files):  # type: ignore[attr-defined]
            number = int(file.stem) - 1
            face = avatars.sample_face(avatars.seeds(split, count)[number - (COUNT if split == "heldout" else 0)])
            domain = pictures.names[int(pictures.label(i).argmax())]
            assert face.label[domain] and (domain == "Wearing_Hat") == face.label["Wearing_Hat"]
            total += 1
    assert total == COUNT + HELDOUT


def test_the_loaders_of_domains_and_of_pairs_read_the_seasons_that_were_written(tmp_path: Path) -> None:
    out = tmp_path / "seasons"
    done = run("--count", COUNT, "--heldout", HELDOUT, "--size", SIZE, "--out", out, what="seasons")
    assert done.returncode == 0, done.stderr
    assert f"--data unaligned:{out}" in done.stdout
    for split, count in (("train", COUNT), ("heldout", HELDOUT)):
        domains = open_domains(str(out), size=SIZE, split=split)
        for pictures, season in ((domains.a, seasons.SUMMER), (domains.b, seasons.WINTER)):
            people = seasons.people(split, count, season, paired=split == "heldout")
            assert len(pictures) == count
            for i, someone in enumerate(people):
                assert np.array_equal(pictures.picture(i), seasons.render_rgb(someone, SIZE))
    assert len(open_pairs(str(out), size=SIZE, split="heldout").a) == HELDOUT
    with pytest.raises(InputError, match="no partner"):  # the training people of A and of B are different ones
        open_pairs(str(out), size=SIZE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_single_edit_of_each_heldout_face_has_its_true_picture(data_sets: dict[str, Path], layout: str) -> None:
    out = data_sets[layout]
    truths = json.loads((out / "truth.json").read_text())
    assert [t["seed"] for t in truths] == list(avatars.seeds("heldout", HELDOUT))
    for truth in truths:
        face = avatars.sample_face(truth["seed"])
        assert truth["label"] == face.label
        assert np.array_equal(pixels(out / truth["file"]), avatars.render_rgb(face, SIZE))
        edits = {(name, on): edited for name, on, edited in face.edits()}
        assert {(e["attribute"], e["on"]) for e in truth["edits"]} == edits.keys() and len(edits) == 7
        for edit in truth["edits"]:
            expected = f"truth/{Path(truth['file']).stem}/{edit['attribute']}_{'on' if edit['on'] else 'off'}.png"
            assert edit["file"] == expected
            picture = pixels(out / edit["file"])
            assert np.array_equal(picture, avatars.render_rgb(edits[edit["attribute"], edit["on"]], SIZE))
            same = np.array_equal(picture, pixels(out / truth["file"]))
            assert same == edit["hidden"] == (edit["attribute"] in avatars.HAIR and face.label["Wearing_Hat"])
    assert len(list((out / "truth").rglob("*.png"))) == 7 * HELDOUT


def test_the_lists_have_the_published_form(data_sets: dict[str, Path]) -> None:
    lines = (data_sets["celeba"] / "list_attr_celeba.txt").read_text().splitlines()
    assert lines[0] == str(COUNT + HELDOUT) and lines[1].split() == list(avatars.ATTRIBUTES)
    assert all(set(line.split()[1:]) <= {"1", "-1"} for line in lines[2:])
    parts = dict(line.split() for line in (data_sets["celeba"] / "list_eval_partition.txt").read_text().splitlines())
    assert list(parts.values()) == ["0"] * COUNT + ["2"] * HELDOUT


def test_train_and_heldout_seeds_never_meet() -> None:
    ranges = [avatars.seeds(split, 1_000_000) for split in avatars.SPLITS]  # the most that the command allows
    for i, one in enumerate(ranges):
        assert all(one.stop <= other.start or other.stop <= one.start for other in ranges[i + 1 :])


def test_a_folder_with_something_in_it_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("mine")
    done = run("--count", 1, "--heldout", 1, "--size", 16, "--out", out)
    assert done.returncode == 2 and "is not an empty folder" in done.stderr and done.stderr.count("\n") <= 3
    assert (out / "letter.txt").read_text() == "mine" and sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    (out / "letter.txt").unlink()
    assert run("--count", 1, "--heldout", 1, "--size", 16, "--out", out).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("--count", "0"), "count"), (("--layout", "flat"), "layout"), (("--out", "/proc/none/x"), "cannot write")],
)
def test_wrong_options_give_plain_lines_and_exit_code_2(tmp_path: Path, arguments: tuple[str, str], says: str) -> None:
    done = run("--out", tmp_path / "x", "--heldout", 1, "--size", 16, "--count", 1, *arguments)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") <= 3
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgegan", "data", "avatars", "--count", "20000", "--out", str(tmp_path / "x")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        while not any(tmp_path.rglob("*.png")) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_a_failed_drawing_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgegan.data._written import avatar_folder as _avatar_folder

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_avatar_folder, "_draw", full_disk)
    with pytest.raises(InputError, match="No space left"):
        _avatar_folder.write_avatars(tmp_path / "x", count=2, heldout=1, size=16, layout="celeba")
    assert not list(tmp_path.iterdir())
