"""Which student is taken, by measured time, and what is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import torch
from support.training.small_training import run_command
from support.training.teachers import make_teacher

from edgegan.distil.candidates import Budget, Timed, choose, measure
from edgegan.distil.session import describe
from edgegan.families import stargan
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import sha256

pytest.importorskip("dicebear", reason="needs the avatars extra")


def candidate(ms: float, macs: float) -> Timed:
    return Timed(stargan.tiny(), ms, "onnxruntime", macs, 1)


def test_the_largest_student_that_keeps_the_budget_is_taken() -> None:
    students = [candidate(6.0, 9.0), candidate(2.5, 3.0), candidate(2.0, 4.0), candidate(1.0, 1.0)]
    assert choose(Budget.parse("4x"), candidate(10.0, 20.0), students).macs == 4.0
    assert choose(Budget.parse("1.5ms"), candidate(10.0, 20.0), students).macs == 1.0


def test_a_budget_that_nobody_keeps_is_refused_with_what_can_be_had() -> None:
    with pytest.raises(InputError, match="fastest takes 1.00 ms, 10.0x the teacher's speed") as refused:
        choose(Budget.parse("50x"), candidate(10.0, 20.0), [candidate(2.0, 1.0), candidate(1.0, 1.0)])
    assert "at most 10x" in (refused.value.expected or "")


@pytest.mark.parametrize("text", ["fast", "0x", "10", "-1ms", "nanx"])
def test_a_budget_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--budget"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["10x", "5ms", "2.5ms"])
def test_a_budget_is_told_as_it_was_given(text: str) -> None:
    assert str(Budget.parse(text)) == text


def test_a_student_without_what_the_others_have_is_told_by_its_shape() -> None:
    """Of two that differ in one truth alone, the one where it does not hold had no words."""
    plain, depthwise = (
        Timed(msgspec.structs.replace(stargan.tiny(), conv_dim=24, depthwise=truth), 1.0, "onnxruntime", 1.0, 1)
        for truth in (False, True)
    )
    teacher = candidate(10.0, 20.0)
    assert describe(plain, teacher, (plain, depthwise)) == "conv_dim=24"
    assert describe(depthwise, teacher, (plain, depthwise)) == "depthwise"


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_candidates_are_timed_as_they_would_run(device: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs the cpu extra")
    teacher = make_teacher(tmp_path / "teacher", "pix2pix")
    students = sorted(teacher.distillation.students(teacher.run.cfg), key=lambda cfg: cfg.ngf)[:1]
    found = measure(teacher, students, device, 1, lambda what, done, total: None)
    assert [each.cfg for each in found] == [teacher.run.cfg, *students]
    assert all(0 < each.ms < 1000 and each.backend for each in found)
    if device == "cpu" or not torch.cuda.is_available():  # else it would be compared with others on the GPU
        assert found[0].eager_ms is not None and 0 < found[0].eager_ms < 1000 and found[1].eager_ms is None
    assert found[1].macs < found[0].macs and found[1].parameters < found[0].parameters


def test_the_command_trains_and_resumes_a_student_and_says_what_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole road, as typed: one candidate, since the others are fixed by --set."""
    pytest.importorskip("onnxruntime", reason="needs the cpu extra")
    teacher = make_teacher(tmp_path / "teacher", "stargan").run.folder
    one = [w for s in ("conv_dim=4", "blocks=1", "stem_stride=1", "depthwise=false") for w in ("--set", s)]
    out = ["--out", str(tmp_path / "student"), "--device", "cpu", "--threads", "1"]
    assert run_command("distil", str(teacher), "--budget", "10000x", *one, *out) == 2
    said = capsys.readouterr().err
    assert "no student is that fast here" in said and "at most" in said
    assert not (tmp_path / "student").exists()
    quick = ["--set", "train.batch=4", "--set", "train.sample_images=0", "--budget", "0.001x", "--images", "8"]
    assert run_command("distil", str(teacher), *one, *quick, *out) == 0
    assert "next: edgegan export" in capsys.readouterr().out
    about = json.loads((tmp_path / "student" / "config.json").read_text())["distillation"]
    (taught,) = (teacher / "checkpoints").glob("*.safetensors")
    assert about["teacher_eager_ms"] > 0
    assert sha256(taught) in about["teacher"] and about["macs"] < about["teacher_macs"]
    assert run_command("distil", str(teacher), *one, *quick, *out) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert run_command("train", "stargan", *out, "--resume") == 2
    assert "edgegan distil --out" in capsys.readouterr().err
    assert run_command("distil", *out, "--resume", "--images", "16") == 0
    assert sorted(p.name for p in (tmp_path / "student" / "checkpoints").glob("0*")) == [
        "0000000008.safetensors",
        "0000000016.safetensors",
    ]


def test_what_is_no_teacher_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from support.training.untrained import make_run

    out = ["--out", str(tmp_path / "student")]
    assert run_command("distil", str(tmp_path / "nothing"), *out) == 2
    assert "there is no run at" in capsys.readouterr().err
    (tmp_path / "model.onnx").write_bytes(b"x")
    assert run_command("distil", str(tmp_path / "model.onnx"), *out) == 2
    assert "not from an artefact" in capsys.readouterr().err
    assert run_command("distil", str(make_run(tmp_path / "progan", "progan").folder), *out) == 2
    assert "has no students" in capsys.readouterr().err
    assert run_command("distil", *out) == 2
    assert "whose student?" in capsys.readouterr().err
    teacher = make_teacher(tmp_path / "teacher", "stargan").run.folder
    assert run_command("distil", str(teacher), "--data", f"folders:{tmp_path / 'no'}", *out) == 2
    assert "no" in capsys.readouterr().err
    for setting, words in (
        ("distil.l2=1", "there are: distil.l1"),
        ("distil.ssim", "not of the form key=value"),
        ("distil.ssim=nan", "ssim is a number from 0"),
        ("distil.lr=2", "lr is a number from 0 to 1"),
        ("distil.lr.x=2", "lr is a number from 0 to 1"),
    ):
        assert run_command("distil", str(teacher), "--set", setting, *out) == 2
        assert words in capsys.readouterr().err
    assert run_command("distil", str(teacher), "--images", str(10**16), *out) == 2
    assert f"train.images={10**16}" in capsys.readouterr().err
    assert run_command("distil", "--resume", "--out", str(teacher)) == 2
    assert "not a student's run" in capsys.readouterr().err
