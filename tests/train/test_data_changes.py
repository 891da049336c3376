"""Resuming on other pictures is noticed and named; and a run finds its pictures from any directory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image
from support.training.small_training import resume_small, train_small

from edgegan import families
from edgegan.data._files.fingerprint import compare_streams
from edgegan.families._generation import GenerationConfig
from edgegan.runtime.errors import InputError
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run, open_run, publish_run
from edgegan.train.validation import describe_held_out


def write_folders(top: Path, count: int = 4, seed: int = 0, edge: int = 16) -> Path:
    rng = np.random.default_rng(seed)
    for domain in ("cats", "dogs"):
        (top / domain).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            Image.fromarray(rng.integers(0, 256, (edge, edge, 3), np.uint8)).save(top / domain / f"{i}.png")
    return top


SETTINGS = ("attributes=['cats', 'dogs']", "kind=one_hot", "balance=[]", "exclusive=[]", "hides={}", "focus=[]")


def start(folder: Path, data: str) -> None:
    assert train_small(folder, "--images", "4", data=data, settings=SETTINGS) == 0


def test_the_same_pictures_elsewhere_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(tmp_path / "run", f"folders:{write_folders(tmp_path / 'pets')}")
    (tmp_path / "pets").rename(tmp_path / "animals")
    capsys.readouterr()
    assert resume_small(tmp_path / "run", "--images", "8", "--data", f"folders:{tmp_path / 'animals'}") == 0
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize("change", ["more", "other files", "other pixels", "labels", "size"])
def test_what_changed_is_named_and_the_best_is_sought_anew(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pets, folder = write_folders(tmp_path / "pets"), tmp_path / "run"
    start(folder, f"folders:{pets}")
    run = open_run(folder)
    found = run.latest()
    found.header["best"] = {"figure": "l1", "value": 0.1, "images": 4}
    checkpoint.save(found.path, found.header, found.tensors)
    more: tuple[str, ...] = ()
    words = change
    if change == "more":
        write_folders(pets, count=6)
        words = "pictures, "
    elif change == "other files":
        (pets / "cats" / "0.png").rename(pets / "cats" / "z.png")
    elif change == "other pixels":
        # Stored without compression, pictures of one shape have files of one size.
        for file in pets.rglob("*.png"):
            Image.open(file).save(file, compress_level=0)
        start(tmp_path / "second", f"folders:{pets}")
        folder = tmp_path / "second"
        for file in pets.rglob("*.png"):
            Image.fromarray(255 - np.asarray(Image.open(file))).save(file, compress_level=0)
        words = "show other pictures"
    elif change == "labels":
        (pets / "cats" / "0.png").rename(pets / "dogs" / "x.png")
    else:
        more, words = ("--set", "centre_crop=8"), "show other pictures"
    capsys.readouterr()
    assert resume_small(folder, "--images", "8", *more) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "warning" in said and words in said and "best checkpoint is sought anew" in said
    assert open_run(folder).latest().header["best"] is None


@pytest.mark.parametrize("change", ["more", "other pixels", "none", "unmeasured"])
def test_other_held_out_pictures_are_named_and_the_best_is_sought_anew(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pets, folder = tmp_path / "pets", tmp_path / "run"
    for number, split in enumerate(("train", "test")):
        write_folders(pets / split, seed=number)
    settings = (*SETTINGS, "train.validate_images=4")
    assert train_small(folder, "--images", "4", data=f"folders:{pets}", settings=settings) == 0
    assert open_run(folder).latest().header["best"]["images"] == 4
    if change == "more":
        write_folders(pets / "test", count=5, seed=1)
    elif change != "none":
        write_folders(pets / "test", seed=2)
    more = ("--set", "train.validate_images=0") if change == "unmeasured" else ()
    capsys.readouterr()
    assert resume_small(folder, "--images", "8", *more) == 0
    said = " ".join(capsys.readouterr().out.split())
    if change in ("none", "unmeasured"):
        assert "warning" not in said
    else:
        assert "warning" in said and "held-out: " in said and "best checkpoint is sought anew" in said
        assert open_run(folder).latest().header["best"]["images"] == 8


@pytest.mark.parametrize("name", [n for n in families.names() if issubclass(families.get(n).Config, GenerationConfig)])
def test_families_that_draw_from_noise_know_their_held_out_pictures(name: str, tmp_path: Path) -> None:
    pets, cfg = tmp_path / "pets", families.get(name).tiny()
    for number, split in enumerate(("train", "test")):
        write_folders(pets / split, seed=number)
    changes: dict[str, object] = {"attributes": ("cats", "dogs"), "groups": ()} if name == "cgan" else {}
    cfg = replace(cfg, **changes, train=replace(cfg.train, validate_images=4))
    run = Run(tmp_path / "run", name, cfg, f"folders:{pets}")
    before = describe_held_out(run)
    write_folders(pets / "train", seed=7)
    assert compare_streams(before, describe_held_out(run)) == []
    write_folders(pets / "test", seed=8)
    assert compare_streams(before, describe_held_out(run))


def test_held_out_pictures_that_cannot_be_had_are_said_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pets = tmp_path / "pets"
    write_folders(pets / "train")
    write_folders(pets / "test", count=1)
    for file in (pets / "test").rglob("*.png"):
        file.write_bytes(b"no picture")
    settings = (*SETTINGS, "train.validate_images=100")
    assert train_small(tmp_path / "run", data=f"folders:{pets}", settings=settings) == 2
    assert "0 images" not in capsys.readouterr().out and not (tmp_path / "run").exists()


def test_a_relative_folder_is_found_from_another_directory_and_after_a_move_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    write_folders(here / "pets")
    elsewhere.mkdir()
    monkeypatch.chdir(here)
    start(Path("runs/one"), "folders:pets")
    document = json.loads((here / "runs/one/config.json").read_text())
    assert document["data"] == "folders:pets"  # as it was given
    monkeypatch.chdir(elsewhere)
    assert open_run(here / "runs/one").data == f"folders:{here / 'pets'}"
    assert resume_small(here / "runs/one", "--images", "8") == 0
    assert open_run(here / "runs/one").given_data == "folders:pets"
    shutil.move(here, tmp_path / "there")
    moved = open_run(tmp_path / "there/runs/one")
    assert moved.data == f"folders:{tmp_path / 'there/pets'}" and "reading" in moved.note
    shutil.move(tmp_path / "there/pets", tmp_path / "hidden")
    capsys.readouterr()
    assert resume_small(tmp_path / "there/runs/one", "--images", "12") == 2
    said = capsys.readouterr()
    assert str(here / "pets") in said.err and "--data names where" in " ".join(said.out.split())


def test_published_weights_tell_nobody_where_the_pictures_lay(tmp_path: Path) -> None:
    start(tmp_path / "run", f"{write_folders(tmp_path / 'secret')}")
    path = publish_run(tmp_path / "run", tmp_path / "small")
    assert "absolute" not in (tmp_path / "small/config.json").read_text()
    assert b'"places"' not in path.read_bytes()[:4000]


def test_pictures_that_vanish_while_training_cost_nothing_of_what_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pets, folder = write_folders(tmp_path / "pets"), tmp_path / "run"

    def vanish(*_: object) -> dict[str, float]:
        shutil.rmtree(pets)
        raise InputError("the pictures went away")

    monkeypatch.setattr(families.get("stargan"), "validate", vanish)
    settings = (*SETTINGS, "train.validate_images=100")
    assert train_small(folder, "--images", "4", data=f"folders:{pets}", settings=settings) == 2
    assert open_run(folder).latest().header["images"] == 4
