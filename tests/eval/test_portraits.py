"""Photographed faces scored: what an edit is, what counts away from the head, and what the report says."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.faces.photographs import GEOMETRY, astronaut
from support.needed import needed

from edgegan import eval as evaluation
from edgegan.data import open_labelled
from edgegan.data._faces.folder import write_faces
from edgegan.data.faces import FacePictures
from edgegan.eval import Request
from edgegan.eval.photographs import judge as face_judge
from edgegan.eval.photographs import portraits
from edgegan.eval.photographs.exact import ExactEdits
from edgegan.eval.subject import Arrays, Subject
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition

needed("skimage", "train")
needed("efficientnet_lite_pytorch", "train")
NAMES = ("Black_Hair", "Brown_Hair", "Eyeglasses")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("portraits")
    (place / "in").mkdir()
    rows = []
    splits = ("train", "train", "judge", "judge", "heldout", "heldout", "heldout")
    for number, split in enumerate(splits):
        picture = cv2.convertScaleAbs(astronaut()[:300, 80:380], alpha=1 - number / 12)
        cv2.imwrite(str(place / "in" / f"{number}.png"), picture)
        black, bald = int(number % 2), int(number == 6)
        hair = "0,0" if bald else f"{black},{1 - black}"
        rows.append(f"{number}.png,{split},{hair},{black},{int(number > 4)},{'light' if number < 5 else 'dark'}")
    (place / "labels.csv").write_text("\n".join([f"file,split,{','.join(NAMES)},Male,skin", *rows]) + "\n")
    labels = str(place / "labels.csv")
    write_faces(place / "in", place / "out", labels=labels, size=64, alignment=GEOMETRY.alignment)
    return f"faces:{place / 'out'}"


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(face_judge, "IMAGES", 64)


def subject(edit: object) -> Subject:
    image = TensorSpec(name="image", dtype="float32", shape=(1, 3, 64, 64), layout="NCHW", value_range=(-1.0, 1.0))
    card = ModelCard(
        name="x", family="x", task="translate", domain="x", inputs=(image,), outputs=(image,),
        size=SizeRule(hw=(64, 64)),
        condition=Condition(kind="binary", names=NAMES, groups=(NAMES[:2],), default=(1.0, 0.0, 0.0)),
    )  # fmt: skip
    return Subject(edit, card, "a model")  # type: ignore[arg-type]


def open_heldout(spec: str) -> FacePictures:
    found = open_labelled(spec, size=64, names=NAMES, split="heldout")
    assert isinstance(found, FacePictures)
    return found


def exact_edits(spec: str) -> ExactEdits:
    train = open_labelled(spec, size=64, names=NAMES, split="train")
    assert isinstance(train, FacePictures)
    return ExactEdits(train)


def test_every_decision_of_every_face_is_an_edit_and_who_has_no_hair_gets_none(spec: str) -> None:
    faces = open_heldout(spec)
    cases = portraits.list_cases(subject(None), faces, len(faces))
    assert [(c.face, c.name, c.on) for c in cases] == [
        (0, "Black_Hair", True), (0, "Eyeglasses", True), (1, "Brown_Hair", True), (1, "Eyeglasses", False),
        (2, "Eyeglasses", True),
    ]  # fmt: skip
    assert cases[0].target.tolist() == [1, 0, 0] and cases[0].vector.tolist() == [1, 0, 0]
    assert cases[2].target.tolist() == [0, 1, 1]


def test_returning_the_input_keeps_everything_and_lands_what_the_judge_misread(spec: str) -> None:
    def same(inputs: dict[str, Arrays]) -> Arrays:
        return inputs["image"]

    report = evaluation.measure((subject(same),), Request(data=spec))
    total = report.figures["all"]
    assert total["kept"] == 1.0 and total["psnr_outside_db"] == 60.0 and total["likeness"] > 0.999
    assert total["landed"] == total["input_landed"]
    assert report.figures["faces"] == 3 and report.figures["edits"] == 5
    elsewhere = sum(row["edits"] for row in report.figures["by_edit_other_background"])
    assert elsewhere == 5 * report.figures["backgrounds"] == 20
    assert set(report.figures["by_group"]) == {"skin", "Male"}
    assert {row["skin"] for row in report.figures["by_group"]["skin"]} == {"light", "dark"}
    for where in ("judge_accuracy", "judge_accuracy_other_background"):
        assert "Black_Hair/Brown_Hair" in report.figures[where]
    assert len(report.sheet().rows) == 3 and len(report.tables) == 4


def test_what_changes_away_from_the_head_is_seen_and_what_changes_on_it_is_not(spec: str) -> None:
    faces = open_heldout(spec)
    outside = portraits.find_outside(faces, 0)
    assert 0.05 < outside.mean() < 0.6
    assert not outside[32, 32] and not outside[20, 32]  # nose, forehead

    def edit(where: np.ndarray) -> float:
        def run(inputs: dict[str, Arrays]) -> Arrays:
            return np.where(where, -inputs["image"], inputs["image"])

        rows = portraits.score(
            subject(run), faces, [faces.picture(0)], face_judge.FaceJudge(3).eval(), exact_edits(spec)
        )
        return float(rows[0]["psnr_outside_db"])

    assert edit(outside) < 25 and edit(~outside) == 60.0


def test_exact_edits_change_their_place_alone_and_are_read_beside_the_networks(spec: str) -> None:
    faces, exact = open_heldout(spec), exact_edits(spec)
    before, mask = portraits.normalise(faces.picture(0)), faces.crop_mask(0)
    recoloured, glasses = (exact.edit(faces, 0, faces.picture(0), name) for name in ("Black_Hair", "Eyeglasses"))
    assert recoloured is not None and glasses is not None and mask is not None
    hair = mask == 255
    assert np.abs(recoloured - before)[:, hair].mean() > 0.03
    away = cv2.dilate(hair.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert np.abs(recoloured - before)[:, away].max() < 0.01
    changed = np.abs(glasses - before).max(0) > 0.1
    rows, columns = (np.flatnonzero(changed.any(axis)) for axis in (1, 0))
    assert changed.any() and abs(columns.mean() - 32) < 2  # around the eyes, which lie in the middle of the crop
    assert rows.min() > 24 and rows.max() < 42

    def run(inputs: dict[str, Arrays]) -> Arrays:
        return np.stack([recoloured, glasses])[: len(inputs["image"])]

    scored = portraits.score(subject(run), faces, [faces.picture(0)], face_judge.FaceJudge(3).eval(), exact)
    assert [row["exact_landed"] for row in scored] == [row["landed"] for row in scored]
    assert [row["exact_kept"] for row in scored] == [row["kept"] for row in scored]


def test_another_background_leaves_the_face(spec: str) -> None:
    faces = open_heldout(spec)
    before = faces.picture(0)
    after, again, other = (portraits.replace_background(faces, 0, before, number) for number in (0, 0, 1))
    assert np.array_equal(after, again) and not np.array_equal(after, other)
    assert np.array_equal(before[28:40, 26:38], after[28:40, 26:38])
    mask = faces.crop_mask(0)
    assert mask is not None and np.abs(after.astype(int) - before)[mask == 0].mean() > 5


def test_the_judge_is_trained_once_and_again_when_labels_change(spec: str, tmp_path: Path) -> None:
    train, judge = (open_labelled(spec, size=64, names=NAMES, split=s) for s in ("train", "judge"))
    assert isinstance(train, FacePictures) and isinstance(judge, FacePictures)
    face_judge.train_face_judge(train, judge)
    (kept,) = (tmp_path / "edgegan").glob("face-judge-*")
    written = kept.stat().st_mtime_ns
    face_judge.train_face_judge(train, judge)
    assert kept.stat().st_mtime_ns == written
    judge._labels = 1 - judge._labels
    face_judge.train_face_judge(train, judge)
    assert len(list((tmp_path / "edgegan").glob("face-judge-*"))) == 2
