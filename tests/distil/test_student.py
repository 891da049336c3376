"""A student is smaller than its teacher, comes closer to it, resumes exactly, and is a run like any other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.training.small_training import run_command
from support.training.teachers import FAMILIES, begin, make_student, make_teacher

from edgegan.distil.fidelity import Fidelity
from edgegan.distil.student import TEACHER, StudentRun, side_by_side
from edgegan.distil.teacher import Teacher
from edgegan.families import Step
from edgegan.runtime.model.artefact import load
from edgegan.sheet import Sheet
from edgegan.train.fine_tune import start_from
from edgegan.train.folder.run import open_run, open_trained
from edgegan.train.loop import Budget
from edgegan.train.reporter import Silence

pytest.importorskip("dicebear", reason="needs the avatars extra")


class Log(Silence):
    """Keeps the losses and the figures."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.figures: list[dict[str, float]] = []
        self.sheets: list[Sheet] = []

    def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
        self.losses.append(parts["S/total"])

    def validation(self, images: int, figures: dict[str, float], best: bool) -> None:
        self.figures.append(figures)

    def sheet(self, images: int, sheet: Sheet) -> None:
        self.sheets.append(sheet)


def parameters(run_or_teacher: StudentRun | Teacher) -> int:
    if isinstance(run_or_teacher, Teacher):
        return sum(p.numel() for m in run_or_teacher.modules.values() for p in m.parameters())
    family = run_or_teacher.family
    nets = family.networks(run_or_teacher.cfg)
    return sum(p.numel() for name in family.EMA for p in nets[name].parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_student_is_smaller_and_comes_closer_to_its_teacher(family: str, tmp_path: Path) -> None:
    teacher = make_teacher(tmp_path / "teacher", family)
    batch = teacher.run.cfg.train.batch
    run = make_student(
        tmp_path / "student", teacher, images=60 * batch, validate_images=10 * batch, sample_images=10**6
    )
    assert parameters(run) < parameters(teacher)
    trainer, log = begin(run), Log()
    before = trainer.run.family.validate(run.cfg, {**trainer.nets, **trainer.ema}, run.data)
    assert trainer.train(Budget(60 * batch), log)
    assert np.mean(log.losses[-10:]) < 0.95 * np.mean(log.losses[:10])
    assert log.figures[-1]["error"] < before["error"]
    assert trainer.best is not None and trainer.best.figure == "error"
    assert trainer.best.value == min(figures["error"] for figures in log.figures)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_student_resumes_exactly_with_the_teacher_in_its_folder(family: str, tmp_path: Path) -> None:
    teacher = make_teacher(tmp_path / "teacher", family)
    batch = teacher.run.cfg.train.batch
    quiet = {"images": 4 * batch, "sample_images": 0, "validate_images": 0}
    through = begin(make_student(tmp_path / "through", teacher, **quiet))
    through.train(Budget(4 * batch), Silence())
    half = begin(make_student(tmp_path / "half", teacher, **quiet))
    half.train(Budget(2 * batch), Silence())
    stored = open_run(tmp_path / "half")
    assert stored.distillation is not None
    kept = Teacher(tmp_path / "half" / TEACHER)
    resumed = begin(StudentRun(stored.folder, stored.cfg, stored.data, kept, stored.distillation))
    assert resumed.restore(stored.latest()) == []
    resumed.train(Budget(4 * batch), Silence())
    expected, found = (t.run.latest().tensors for t in (through, resumed))
    assert expected.keys() == found.keys()
    assert [key for key in expected if not torch.equal(expected[key], found[key])] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_student_is_exported_as_any_run_and_its_card_names_the_teacher(family: str, tmp_path: Path) -> None:
    teacher = make_teacher(tmp_path / "teacher", family)
    batch = teacher.run.cfg.train.batch
    run = make_student(tmp_path / "student", teacher, images=4 * batch, sample_images=0, validate_images=2 * batch)
    trainer = begin(run)
    trainer.train(Budget(4 * batch), Silence())
    assert run_command("export", str(run.folder), "--precision", "fp32", "--pictures", "2") == 0
    (model,) = list((run.folder / "export").rglob("model.onnx"))[:1]
    told = load(model).card.training
    assert told["teacher"] == "a tiny one"
    assert told["psnr_to_teacher_db"] == pytest.approx(trainer.figures["teacher_db"], abs=1e-3)
    assert told["measured_at_images"] == 4 * batch
    assert ("edits_landed" in told) == (family == "stargan")
    _, nets, _ = open_trained(run.folder)
    again = Fidelity(Teacher(run.folder / TEACHER)).measure(teacher.run.family, run.cfg, nets, run.data)
    assert again["teacher_db"] == pytest.approx(trainer.figures["teacher_db"], abs=1e-3)


def test_what_does_not_learn_is_the_teachers(tmp_path: Path) -> None:
    """A camera face's own labels are read by the class head, which a student has no other one of."""
    teacher = make_teacher(tmp_path / "teacher", "stargan")
    trainer = begin(make_student(tmp_path / "student", teacher, images=8, sample_images=0, validate_images=0))
    trainer.train(Budget(8), Silence())
    kept = trainer.nets["discriminator"].state_dict()
    assert all(torch.equal(tensor, kept[key]) for key, tensor in teacher.nets["discriminator"].state_dict().items())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_student_may_begin_with_another_ones_generator(family: str, tmp_path: Path) -> None:
    """As when the teacher has learned more since; what does not learn is the new teacher's."""
    teacher = make_teacher(tmp_path / "teacher", family)
    quiet = {"images": 2 * teacher.run.cfg.train.batch, "sample_images": 0, "validate_images": 0}
    first = begin(make_student(tmp_path / "first", teacher, **quiet))
    first.train(Budget(quiet["images"]), Silence())
    for net in teacher.nets.values():
        for tensor in net.state_dict().values():
            tensor.mul_(2)
    second = begin(make_student(tmp_path / "second", teacher, **quiet))
    assert start_from(tmp_path / "first", second).fresh == 0
    _, known, _ = open_trained(tmp_path / "first")
    frozen = teacher.nets.keys() - set(second.run.family.EMA)
    for nets, expected, names in (
        (second.nets, known, second.run.family.EMA),
        (second.ema, known, second.run.family.EMA),
        (second.nets, teacher.nets, frozen if family == "stargan" else ()),
    ):
        for name in names:
            found = nets[name].state_dict()
            assert [k for k, t in expected[name].state_dict().items() if not torch.equal(t, found[k])] == []


def test_a_student_that_goes_on_has_weights_of_its_own(tmp_path: Path) -> None:
    assert run_command("distil", "--out", str(tmp_path), "--resume", "--from", "avatars") == 2


def test_the_teacher_compared_with_itself_loses_nothing(tmp_path: Path) -> None:
    teacher = make_teacher(tmp_path / "teacher", "stargan")
    run = teacher.run
    figures = Fidelity(teacher).measure(run.family, run.cfg, teacher.nets, run.data)
    assert figures["error"] == 0.0 and figures["teacher_db"] == 200.0 and figures["landed"] == 1.0


def test_labels_at_random_are_valid_and_are_the_pictures_own(tmp_path: Path) -> None:
    """Of an exclusive group at most one is on; a part of the pictures go a part of the way, as a slider does."""
    teacher = make_teacher(tmp_path / "teacher", "stargan")
    cfg = teacher.run.cfg
    stream = teacher.run.family.streams(cfg, teacher.run.data)["real"]
    items = [stream.item(i, np.random.default_rng(i)) for i in range(16)]
    batch = {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in items[0]}

    def labels(rows: slice) -> torch.Tensor:
        step = Step({"real": {key: t[rows] for key, t in batch.items()}}, first_image=rows.start, seed=3)
        found = teacher.distillation.inputs(cfg, step)["generator"]
        assert torch.equal(found[0], batch["image"][rows])
        return found[1]

    whole = labels(slice(0, 16))
    assert whole.min() >= 0 and whole.max() <= 1
    assert len({tuple(row) for row in whole.tolist()}) > 8
    assert ((whole > 0) & (whole < 1)).any(1).sum() in range(1, 9)
    hard = whole[((whole == 0) | (whole == 1)).all(1)]
    places = [cfg.attributes.index(name) for name in cfg.groups[0]]
    assert (hard[:, places].sum(1) <= 1).all()


def test_a_sheet_shows_the_teacher_above_the_student_and_the_truth_once() -> None:
    def picture(value: int) -> np.ndarray:
        return np.full((2, 2, 3), value, np.uint8)

    teacher = Sheet(["a", "b"], [[picture(0), picture(1)], [None, picture(9)]], ["edited", "truth"])
    student = Sheet(["a", "b"], [[picture(0), picture(2)], [None, picture(9)]], ["edited", "truth"])
    sheet = side_by_side(teacher, student)
    assert list(sheet.row_names) == ["teacher", "student", "truth"]
    assert [row[1][0, 0, 0] for row in sheet.rows if row[1] is not None] == [1, 2, 9]


def test_the_header_says_whose_student_it_is(tmp_path: Path) -> None:
    teacher = make_teacher(tmp_path / "teacher", "fastgan")
    begin(make_student(tmp_path / "student", teacher, images=4))
    stored = json.loads((tmp_path / "student" / "config.json").read_text())
    assert stored["distillation"]["teacher"] == "a tiny one" and stored["config"]["ngf"] < 16
