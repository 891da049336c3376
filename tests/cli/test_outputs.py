"""No command writes over what it reads, or begins an hour of work whose result it could not write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image
from support.training.small_training import run_command, train_small

from edgegan.runtime.shipped import list_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(list_models()["avatars"].parent, tmp_path_factory.mktemp("export") / "export"))


@pytest.mark.parametrize("spelling", ["model.onnx", "model.onnx.card.json", "golden.npz", "there/model.onnx"])
@pytest.mark.parametrize(
    "command",
    [
        ("bench", "MODEL", "--json", "OUT"),
        ("bench", "MODEL", "--markdown", "OUT"),
        ("eval", "MODEL", "--json", "OUT"),
        ("live", "MODEL", "--source", "synthetic:64x48", "--frames", "1", "--sink", "null", "--stats-json", "OUT"),
        ("verify", "MODEL", "--worst", "OUT"),
    ],
)
def test_a_file_of_the_model_is_not_written_to(
    model: Path, command: tuple[str, ...], spelling: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (model / "there").exists():
        (model / "there").symlink_to(model, target_is_directory=True)
    before = {path: path.read_bytes() for path in model.iterdir() if path.is_file()}
    assert run_command(*(str({"MODEL": model, "OUT": model / spelling}.get(word, word)) for word in command)) == 2
    assert "the model and a place to write to" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in model.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("bench", "MODEL", "--json", "both", "--markdown", "./both"), "twice|once more"),
        (("eval", "MODEL", "--json", "both.png", "--sheet", "both.png"), "twice"),
        (("eval", "MODEL", "--json", "file/eval.json"), "cannot write"),
        (("eval", "MODEL", "--sheet", "sheet"), "not a PNG"),
        (("verify", "MODEL", "--worst", "worst.jpg"), "not a PNG"),
        (("eval", "MODEL", "--data", "flat:pets", "--sheet", "pets/a.png"), "one of the files in pets"),
        (
            ("train", "fastgan", "--preset", "avatars-100", "--data", "flat:pets", "--out", "./pets"),
            "the training",
        ),
    ],
)
def test_outputs_are_looked_at_before_any_work(
    model: Path,
    command: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "pets").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "pets" / "a.png")
    before = (tmp_path / "pets" / "a.png").read_bytes()
    assert run_command(*(str(model) if word == "MODEL" else word for word in command)) == 2
    said = capsys.readouterr().err
    assert any(word in said for word in words.split("|")), said
    assert (tmp_path / "pets" / "a.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pets"]


def test_a_demo_does_not_remove_the_model_that_it_is_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    assert train_small(folder, "--images", "4") == 0
    (folder / ".demo").touch()
    assert run_command("demo", "--out", str(folder), "--model", str(tmp_path / "." / "demo")) == 2
    assert "the model" in capsys.readouterr().err
    assert list((folder / "checkpoints").glob("*.safetensors"))


def test_a_demo_that_cannot_be_written_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_small(tmp_path / "run", "--images", "4") == 0
    (tmp_path / "file").touch()  # no folder can be made below it, by root neither
    folder = tmp_path / "file" / "demo"
    assert run_command("demo", "--out", str(folder), "--model", str(tmp_path / "run")) == 2
    assert f"cannot write {folder}: Not a directory" in " ".join(capsys.readouterr().err.split())
