"""Runs that failed before they saved anything, and what they say; locks and resumes as typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from support.training.small_training import resume_small, train_small

from edgegan import families
from edgegan.config import BaseConfig
from edgegan.families import Networks, Phase
from edgegan.runtime.errors import InputError
from edgegan.train.folder import checkpoint
from edgegan.train.folder.lock import hold_run_folder
from edgegan.train.folder.run import open_run, open_trained, publish_run


def failing_phases(monkeypatch: pytest.MonkeyPatch, call: int, failure: Exception | None = None) -> None:
    """StarGAN whose D has a loss of NaN, or raises `failure`, in one call of its loss."""
    family = families.get("stargan")
    original = family.phases

    def poison(cfg: BaseConfig, nets: Networks) -> tuple[Phase, ...]:
        first, *rest = original(cfg, nets)
        calls = [0]

        def loss_fn(step: families.Step) -> families.Loss:
            calls[0] += 1
            loss, parts = first.loss_fn(step)
            if calls[0] == call:
                if failure is not None:
                    raise failure
                return loss * float("nan"), parts
            return loss, parts

        return (replace(first, loss_fn=loss_fn), *rest)

    monkeypatch.setattr(family, "phases", poison)


@pytest.mark.parametrize("again", ["train", "resume"])
def test_a_run_that_failed_before_its_first_checkpoint_can_be_started_again(
    again: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    with monkeypatch.context() as patched:
        failing_phases(patched, 3)
        assert train_small(folder, "--images", "16") == 2
    said = capsys.readouterr().err
    assert "nothing was saved yet" in said and "--resume" not in said and "checkpoint" not in said
    assert (folder / "config.json").is_file() and not open_run(folder).has_checkpoints
    (folder / "metrics.jsonl").write_text('{"images": 8}\n')
    (folder / "notes.txt").write_text("mine")
    assert (train_small(folder, "--images", "16") if again == "train" else resume_small(folder)) == 0
    assert open_run(folder).latest().header["images"] == 16
    assert [json.loads(line)["images"] for line in (folder / "metrics.jsonl").read_text().splitlines()] == [16]
    assert (folder / "notes.txt").read_text() == "mine"
    assert train_small(folder, "--images", "16") == 2
    assert "already holds a run" in capsys.readouterr().err


def test_after_a_checkpoint_the_words_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_phases(monkeypatch, 3)
    assert train_small(tmp_path / "run", "--images", "16", settings=("train.checkpoint_images=8",)) == 2
    said = capsys.readouterr().err
    assert "checkpoint at 8 images is good" in said and "--resume" in said


def test_a_checkpoint_that_is_not_finite_itself_is_not_called_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert train_small(folder, "--images", "8") == 0
    (path,) = open_run(folder).checkpoints()
    found = checkpoint.load(path)
    name = next(key for key in found.tensors if key.startswith("net/generator"))
    checkpoint.save(path, found.header, {**found.tensors, name: found.tensors[name] * float("nan")})
    capsys.readouterr()
    assert resume_small(folder, "--images", "16") == 2
    said = capsys.readouterr().err
    assert "is good" not in said and f"remove {path}" in " ".join(said.split())
    path.unlink()
    assert train_small(folder, "--images", "8") == 0  # as advised


@pytest.mark.parametrize(
    "failure",
    [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("can't allocate memory: 9 TB")],
)
def test_a_lack_of_memory_is_said_in_words(
    failure: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_phases(monkeypatch, 1, failure)
    assert train_small(tmp_path / "run", "--images", "16") == 2
    said = capsys.readouterr().err
    assert "out of memory" in said and "train.batch" in said and "Traceback" not in said


def test_a_run_that_had_saved_nothing_begins_again_with_the_weights_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train_small(Path("old"), "--images", "8") == 0
    given = ("--images", "16", "--from", "old")
    assert train_small(Path("whole"), *given) == 0
    with monkeypatch.context() as patched:
        failing_phases(patched, 1)
        assert train_small(Path("run"), *given) == 2
    assert not open_run(Path("run")).has_checkpoints
    capsys.readouterr()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume_small(tmp_path / "run") == 0
    assert "begins with" in capsys.readouterr().out
    (_, whole, _), (_, run, _) = (open_trained(tmp_path / name) for name in ("whole", "run"))
    for name, net in whole.items():
        assert all(torch.equal(tensor, run[name].state_dict()[key]) for key, tensor in net.state_dict().items())
    assert resume_small(tmp_path / "run", "--images", "24") == 0
    assert "begins with" not in capsys.readouterr().out, "it goes on with its own weights"
    publish_run(tmp_path / "run", tmp_path / "published")
    for path in (p for p in (tmp_path / "published").rglob("*") if p.is_file()):
        assert str(tmp_path).encode() not in path.read_bytes(), path


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_phases(monkeypatch, 1, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert train_small(tmp_path / "run", "--images", "16") == 1
    assert "Traceback" in capsys.readouterr().err


def test_held_out_data_that_fail_at_the_end_cost_nothing_of_what_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(cfg: BaseConfig, nets: Networks, data: str) -> dict[str, float]:
        raise InputError("the held-out pictures went away")

    monkeypatch.setattr(families.get("stargan"), "validate", fail)
    folder = tmp_path / "run"
    assert train_small(folder, "--images", "8", settings=("train.validate_images=100",)) == 2
    assert open_run(folder).latest().header["images"] == 8


def test_the_best_checkpoint_serves_where_no_other_was_saved(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert train_small(folder, "--images", "8") == 0
    run = open_run(folder)
    (saved,) = run.checkpoints()
    saved.rename(run.best_path)
    assert run.has_checkpoints and run.latest().header["images"] == 8
    assert resume_small(folder, "--images", "12") == 0
    assert open_run(folder).latest().header["images"] == 12


@pytest.mark.parametrize(
    "text",
    ["{", "", "[]", "{}", "\xff", '{"family": "stargan", "data": 1, "config": {}}', '{"family": "no"}']
    + ['{"family": "no", "data": "", "config": {}}', '{"family": "stargan", "data": "", "config": {"size": 0}}'],
)
def test_a_configuration_that_is_damaged_is_refused_in_words(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    assert resume_small(tmp_path) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and any(word in said for word in ("config.json", "family", "size"))
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize("header", ["{", "[]", "{}", '{"format": "1"}', '{"format": 1}', '{"format": 1, "family": 3}'])
def test_a_checkpoint_whose_header_is_damaged_is_refused_in_words(header: str, tmp_path: Path) -> None:
    path = tmp_path / "0.safetensors"
    save_file({"net/generator/weight": torch.zeros(1)}, str(path), metadata={checkpoint.HEADER_KEY: header})
    with pytest.raises(InputError, match="its header"):
        open_trained(path)


@pytest.mark.parametrize("again", ["train", "resume"])
def test_a_folder_in_use_is_refused_at_once_and_nothing_in_it_changes(
    again: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    if again == "resume":
        assert train_small(folder, "--images", "8") == 0
    with hold_run_folder(folder):
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        assert (train_small(folder) if again == "train" else resume_small(folder, "--images", "16")) == 2
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert "another training is running" in capsys.readouterr().err


def test_the_checkpoint_just_written_is_never_the_one_removed(tmp_path: Path) -> None:
    """A damaged newest checkpoint sends a resume back: what it writes then is older by its number."""
    folder = tmp_path / "run"
    settings = ("train.keep=1", "train.checkpoint_images=4")
    assert train_small(folder, "--images", "16", settings=settings) == 0
    run = open_run(folder)
    good = run.checkpoint_path(8)
    (newest,) = run.checkpoints()
    newest.rename(good)
    found = open_run(folder).latest()
    found.header["images"] = 8
    checkpoint.save(good, found.header, found.tensors)
    newest.write_bytes(b"damaged")
    assert resume_small(folder, "--images", "12") == 0
    assert open_run(folder).latest().header["images"] == 12


def test_what_a_killed_run_trained_after_its_checkpoint_leaves_no_second_line_and_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert train_small(folder, "--images", "8") == 0
    metrics = folder / "metrics.jsonl"
    first = metrics.read_text()
    metrics.write_text(first + '{"images": 10, "round": 3}\n{"images": 12, "he')
    left = [folder / "checkpoints/.0000000012.a1_b2c3d.safetensors", folder / ".config.a1_b2c3d.json"]
    mine = [folder / ".notes.json", folder / "checkpoints/.mine.safetensors"]
    for path in (*left, *mine):
        path.write_bytes(b"half")
    assert resume_small(folder, "--images", "12") == 0
    assert metrics.read_text().startswith(first)
    assert [json.loads(line)["images"] for line in metrics.read_text().splitlines()] == [8, 12]
    assert not any(path.exists() for path in left) and all(path.exists() for path in mine)
