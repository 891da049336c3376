"""`edgegan train` and its friends as typed: what is printed, what is refused, and that nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgegan.cli import main
from edgegan.config import presets
from edgegan.train.run import open_trained

SMALL = ["--data", "avatars:8", "--set", "conv_dim=4", "--set", "blocks=1", "--set", "d_conv_dim=4"]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    code = stopped.value.code
    assert isinstance(code, int)
    return code


def train(folder: Path, *more: str) -> int:
    return run(
        "train", "stargan", "--preset", "avatars-64", *SMALL, "--set", "train.batch=4", "--out", str(folder), *more
    )


def test_a_run_leaves_what_it_promises_and_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert train(folder, "--images", "8") == 0
    assert f"edgegan export {folder}" in capsys.readouterr().out.replace("\n", "")
    assert {p.name for p in folder.iterdir()} == {
        "config.json",
        "checkpoints",
        "metrics.jsonl",
        "samples",
        "tensorboard",
    }
    assert train(folder, "--images", "8") == 2
    assert "already holds a run" in capsys.readouterr().err
    assert run("train", "stargan", "--out", str(folder), "--resume", "--images", "12") == 0
    assert open_trained(folder)[2].header["images"] == 12


def test_published_weights_make_the_same_pictures_and_cannot_be_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, small = tmp_path / "run", tmp_path / "small"
    assert train(folder, "--images", "8") == 0
    assert run("publish", str(folder), "--out", str(small)) == 0
    big, little = open_trained(folder), open_trained(small)
    assert little[2].path.stat().st_size < big[2].path.stat().st_size / 2
    state = little[1]["generator"].state_dict()
    assert all((state[k] == v).all() for k, v in big[1]["generator"].state_dict().items())
    capsys.readouterr()
    assert run("train", "stargan", "--out", str(small), "--resume") == 2
    assert "published weights" in capsys.readouterr().err
    assert run("publish", str(folder), "--out", str(small)) == 2


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path / "run", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "parameters" in said and "GMAC" in said and "MiB" in said and '"conv_dim": 4' in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments,words",
    [
        (["train", "stargan"], "avatars-64"),
        (["train", "stargam", "--preset", "x"], "stargan"),
        (["train", "stargan", "--preset", "nope"], "avatars-64"),
        (["train", "stargan", "--preset", "avatars-64", "--set", "widht=3"], "widht"),
        (["train", "stargan", "--preset", "celeba-128"], "--data"),
        (["train", "stargan", "--preset", "celeba-128", "--data", "celeba:/nowhere"], "/nowhere"),
        (["train", "stargan", "--preset", "avatars-64", "--data", "nonsense"], "avatars"),
        (["train", "stargan", "--preset", "avatars-64", "--images", "0"], "--images"),
        (["train", "stargan", "--preset", "avatars-64", "--device", "cuda"], "cuda"),
        (["train", "stargan", "--resume"], "not a run folder"),
        (["export", "/nowhere"], "/nowhere"),
        (["bench", "/nowhere"], "/nowhere"),
        (["eval", "/nowhere"], "/nowhere"),
        (["info", "/nowhere"], "/nowhere"),
        (["publish", "/nowhere", "--out", "x"], "/nowhere"),
        (["demo", "--model", "/nowhere"], "/nowhere"),
        (["nosuchcommand"], "nosuchcommand"),
        (["train", "stargan", "--nosuchoption"], "--nosuchoption"),
    ],
)
def test_what_the_user_can_mend_is_said_in_a_few_plain_lines(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert "Traceback" not in said
    listing = arguments == ["train", "stargan"]  # one line per preset
    assert len(said.splitlines()) <= (2 + len(presets("stargan")) if listing else 3), said
    assert not [p for p in tmp_path.rglob("*") if p.is_file()], "something was left behind"


def test_help_has_examples_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("train", "export", "bench", "live", "eval", "info", "data", "publish", "demo"):
        assert run(command, "--help") == 0
        if command != "data":
            assert "Example" in capsys.readouterr().out, command
