"""`edgegan import` as typed: an official StarGAN becomes a run that exports, runs live and is never trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from support.official import stargan as published

from edgegan.cli import main
from edgegan.eval import counterfactual
from edgegan.eval.judge import Judge
from edgegan.runtime import Editor, load, open_backend
from edgegan.runtime.files import sha256
from edgegan.runtime.live.sources.synthetic import Synthetic
from edgegan.train.folder.run import open_trained

SIZE = 32


@dataclass(frozen=True)
class Files:
    """The authors' two files and the run imported from them."""

    g: Path
    d: Path
    run: Path


def command(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    code = stopped.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("official")
    found = Files(folder / "200000-G.ckpt", folder / "200000-D.ckpt", folder / "runs" / "celeba")
    torch.save(published.generator_state(), found.g)
    torch.save(published.discriminator_state(SIZE), found.d)
    assert command("import", found.g, found.d, "--out", found.run) == 0
    assert command("export", found.run, "--pictures", "2") == 0
    return found


def test_it_says_what_was_found_inferred_and_dropped(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert command("import", files.g, files.d, "--domain", "studio portraits", "--out", out) == 0
    said = capsys.readouterr().out
    for words in (
        "stargan: generator, discriminator",
        "width 4 with 2 blocks",
        f"for size {SIZE}",
        "Black_Hair, Blond_Hair, Brown_Hair, Male, Young",
        "18 running statistics dropped",
        f"sha256 {sha256(files.g)}  200000-G.ckpt",
        f"edgegan export {out}",
    ):
        assert words in said
    header = open_trained(out)[2].header
    assert header["imported"]["files"] == {p.name: sha256(p) for p in (files.g, files.d)}
    assert header["config"]["domain"] == "studio portraits"


def test_the_exported_model_is_the_published_network(files: Files) -> None:
    """And the classifier's probabilities are those of the published class head."""
    image, label = torch.rand(1, 3, SIZE, SIZE) * 2 - 1, torch.tensor([[0.0, 1, 0, 1, 0]])
    for stem, want in (
        ("model", published.generate(torch.load(files.g), image, label)),
        ("classifier", torch.sigmoid(published.classify(torch.load(files.d), image))),
    ):
        model = load(files.run / "export" / f"{stem}.onnx")
        with open_backend(model, backend="onnxruntime") as opened:
            inputs = {"image": image.numpy(), "label": label.numpy()}
            got = opened.run({spec.name: inputs[spec.name] for spec in model.card.inputs})
        np.testing.assert_allclose(next(iter(got.values())), want.numpy(), atol=1e-4)


def test_it_runs_live_on_a_frame_and_changes_the_face(files: Files) -> None:
    with Editor.open(files.run, backend="onnxruntime") as editor:
        assert editor.card.faces and editor.card.companions == {"classifier": "classifier.onnx"}
        assert str(editor.card.training["imported"]).startswith("200000-G.ckpt (sha256 ")
        assert not any("no classifier" in notice for notice in editor.notices)
        with Synthetic() as source:
            frame = next(iter(source)).image_bgr
        edited = editor.edit(frame, {"Blond_Hair": 1.0})
    assert edited.shape == frame.shape and np.abs(edited.astype(int) - frame).max() > 8


def test_without_the_discriminator_everything_works_and_says_what_is_missing(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert command("import", files.g, "--size", "36", "--out", out) == 0
    assert "no classifier" in capsys.readouterr().out
    run, nets, _ = open_trained(out)
    assert set(nets) == {"generator"}
    (spec,) = run.family.exportable(run.cfg, nets, run.data)
    assert spec.card.companions == {} and spec.card.size.hw == (36, 36)
    assert command("publish", out, "--out", tmp_path / "small") == 0
    assert open_trained(tmp_path / "small")[2].header["imported"]["files"]


def test_an_imported_run_is_not_resumed(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(files.run.rglob("*"))
    assert command("train", "stargan", "--out", files.run, "--resume") == 2
    said = capsys.readouterr().err
    assert "published weights" in said and "train anew" in said
    assert sorted(files.run.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments,words",
    [
        (("{g}", "--out", "{run}"), "exists and is not an empty folder"),
        (("{g}", "{g}", "--out", "{new}"), "two files are called 200000-G.ckpt"),
        (("{d}", "--out", "{new}"), "one generator"),
        (("{g}", "--family", "nosuchgan", "--out", "{new}"), "no family is called 'nosuchgan'"),
        (("{g}", "--attributes", "Male,Young", "--out", "{new}"), "--attributes names 2"),
        (("{g}.missing", "--out", "{new}"), "there is no such file"),
        (("{g}", "--bn", "perhaps", "--out", "{new}"), "perhaps"),
        (("{g}",), "--out"),
    ],
)
def test_what_cannot_be_imported_is_said_and_leaves_nothing(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    config = json.loads((files.run / "config.json").read_bytes())
    named = {"g": files.g, "d": files.d, "run": files.run, "new": tmp_path / "new"}
    assert command("import", *(a.format(**named) for a in arguments)) == 2
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert json.loads((files.run / "config.json").read_bytes()) == config


def test_eval_scores_the_edits_that_drawings_can_show(
    files: Files, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a judge that has learnt nothing: a trained one takes a minute, and which edits are scored is the same."""
    monkeypatch.setattr(counterfactual, "attribute_judge", lambda size, names: Judge(len(names)).eval())
    report = files.run.with_name("eval.json")
    assert command("eval", files.run, "--count", "6", "--json", report, "--sheet", report.with_suffix(".png")) == 0
    assert "not scored, since no drawing has it: Male, Young" in capsys.readouterr().out
    figures = json.loads(report.read_bytes())
    assert {row["attribute"] for row in figures["by_edit"]} <= {"Black_Hair", "Blond_Hair", "Brown_Hair"}
    assert figures["edits"] > 6 and np.isfinite(figures["all"]["preserved"])
