"""Translators: what the measures must say of those whose quality is known."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.tiny_models import rewrite_card, write_editor, write_whole_frame

from edgegan.cli import main
from edgegan.data import normalise, open_pairs
from edgegan.eval import Request, measure, open_subject, open_subjects, pairs
from edgegan.eval.judge import Judge, read
from edgegan.eval.subject import Subject
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec

SIZE = 32
SPEC = TensorSpec(
    name="image", dtype="float32", shape=(1, 3, SIZE, SIZE), layout="NCHW", colour="RGB", value_range=(-1.0, 1.0)
)


def subject(answer, direction="AtoB", data="avatars-seasons"):
    """A translator that gives `answer(picture)` for each normalised picture."""
    card = ModelCard(
        name="known",
        family="tiny",
        task="translate",
        direction=direction,
        inputs=(SPEC,),
        outputs=(SPEC,),
        size=SizeRule(hw=(SIZE, SIZE)),
    )
    return Subject(lambda inputs: np.stack([answer(p) for p in inputs["image"]]), card, "known", data)


def oracle(direction):
    domains = open_pairs("avatars-seasons", size=SIZE, split="heldout")
    sides = (domains.a, domains.b) if direction == "AtoB" else (domains.b, domains.a)
    known = {normalise(sides[0].picture(i)).tobytes(): normalise(sides[1].picture(i)) for i in range(len(sides[0]))}
    return subject(lambda picture: known[picture.tobytes()], direction)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Dark and light are told apart soon."""
    monkeypatch.setattr("edgegan.eval.judge.DOMAIN_ROUNDS", 25)


@pytest.fixture
def no_judge(monkeypatch):
    def refuse(spec, size):
        raise InputError("there are no pictures for a judge")

    monkeypatch.setattr(pairs, "domain_judge", refuse)


@pytest.fixture
def quick(monkeypatch):
    """Without the network of features: sliced Wasserstein distance alone."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two domains of unequal length, and pictures of their own for a judge: A is dark, B is light."""
    rng = np.random.default_rng(0)
    for name, level, count in (
        ("trainA", 40, 9), ("trainB", 215, 12), ("testA", 40, 10), ("testB", 215, 14), ("valA", 40, 8), ("valB", 215, 8)
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        for i in range(count):
            pixels = rng.integers(level - 40, level + 40, (SIZE, SIZE, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_a_perfect_translator_scores_full_marks_both_ways(no_judge):
    report = measure((oracle("AtoB"), oracle("BtoA")), Request(count=12))
    assert list(report.figures["directions"]) == ["AtoB", "BtoA"]
    for found in report.figures["directions"].values():
        assert (found["psnr_db"], found["psnr_worst_db"], found["ssim"], found["l1"]) == (60.0, 60.0, 1.0, 0.0)
        assert found["better_than_input"] == 1.0 and found["input_psnr_db"] < 25 and found["pictures"] == 12
    assert "there are no pictures for a judge" in report.notes[0]


def test_returning_the_input_scores_what_the_input_scores(no_judge):
    found = measure((subject(lambda p: p),), Request(count=12)).figures["directions"]["AtoB"]
    assert all(found[key] == found[f"input_{key}"] for key in ("psnr_db", "ssim", "l1"))
    assert found["better_than_input"] == 0.0 and found["psnr_worst_db"] < found["psnr_db"]


def test_the_judge_tells_the_domains_apart(folders, quick):
    spec = f"unaligned:{folders}"
    turned, kept = subject(lambda p: -p), subject(lambda p: p)
    figures = [measure((s,), Request(data=spec)).figures for s in (turned, kept)]
    assert figures[0]["judge_accuracy"] == {"A": 1.0, "B": 1.0}
    assert [f["directions"]["AtoB"]["in_target_domain"] for f in figures] == [1.0, 0.0]
    back = measure((replace(turned, card=subject(None, "BtoA").card),), Request(data=spec)).figures
    assert back["directions"]["BtoA"]["in_target_domain"] == 1.0


def test_a_judge_reads_back_from_its_cache_as_it_was(folders):
    def train() -> Judge:
        return pairs.domain_judge(f"unaligned:{folders}", SIZE)

    images = np.random.default_rng(0).uniform(-1, 1, (4, 3, SIZE, SIZE)).astype(np.float32)
    assert (read(train(), images) == read(train(), images)).all()


def test_unpaired_outputs_are_compared_with_the_target_domain(folders, quick, no_judge):
    report = measure((subject(lambda p: -p, data=f"unaligned:{folders}"),), Request())
    found = report.figures["directions"]["AtoB"]
    assert not report.figures["paired"] and "psnr_db" not in found
    assert (found["pictures"], found["output"]["reference_pictures"], found["output"]["floor_pictures"]) == (10, 14, 7)
    assert "testB" in found["output"]["reference"]
    assert "floor" in report.notes[-1]


def test_the_command_scores_an_exported_translator(folders, quick, tmp_path, capsys):
    model = write_whole_frame(tmp_path / "model", hw=(SIZE, SIZE), direction="AtoB")
    out, sheet = tmp_path / "eval.json", tmp_path / "sheet.png"
    command = ["eval", str(model), "--backend", "onnxruntime", "--data", f"unaligned:{folders}"]
    with pytest.raises(SystemExit) as done:
        main([*command, "--json", str(out), "--sheet", str(sheet)])
    assert done.value.code == 0, capsys.readouterr().err
    figures = json.loads(out.read_text())
    assert figures["model"] == "model.onnx, onnxruntime"
    assert figures["directions"]["AtoB"]["in_target_domain"] == 1.0  # the negative of dark is light
    with Image.open(sheet) as drawn:
        assert drawn.width > 6 * SIZE
    assert "SWD x 1000" in capsys.readouterr().out


def test_words_for_what_cannot_be_scored(tmp_path, capsys):
    model = write_whole_frame(tmp_path / "whole", hw=(SIZE, SIZE))
    with open_subject(model, "onnxruntime") as opened, pytest.raises(InputError, match="what it was trained on"):
        measure((opened,), Request())
    with open_subject(model, "onnxruntime") as opened, pytest.raises(InputError, match="avatars has no two domains"):
        measure((opened,), Request(data="avatars"))
    wide = write_whole_frame(tmp_path / "wide", hw=(SIZE, 48))
    with open_subject(wide, "onnxruntime") as opened, pytest.raises(InputError, match="32x48"):
        measure((opened,), Request(data="avatars-seasons"))
    editor = write_editor(tmp_path / "editor")
    with open_subject(editor, "onnxruntime") as opened, pytest.raises(InputError, match="only drawn faces"):
        measure((opened,), Request(data="avatars-seasons"))
    rewrite_card(editor, task="classify")
    with open_subjects(editor, "onnxruntime") as opened, pytest.raises(InputError, match="'classify'"):
        measure(opened, Request())
