"""Export folders: what an older export left goes, and reproduce.sh makes the same again."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from edgegan import cli
from edgegan.export import Exported, Request, export_run, staging
from edgegan.runtime.files import sha256
from edgegan.runtime.model.card import ModelCard
from edgegan.train.folder.run import Run


def test_a_new_export_removes_what_came_from_older_weights_and_nothing_else(tmp_path: Path) -> None:
    stage, out = tmp_path / "stage", tmp_path / "out"
    names = {
        stage: ("model.onnx", "model.onnx.card.json", "golden.npz"),
        out: (
            *("model.onnx", "model.onnx.card.json", "model.int8.xml", "model.int8.bin", "model.int8.xml.card.json"),
            *("model.int8.md", "model.fp16.md"),
            *("notes.txt", "other.md", "other.int8.md", "other.onnx", "other.onnx.card.json"),
        ),
    }
    for folder, files in names.items():
        folder.mkdir()
        for name in files:
            (folder / name).write_text(folder.name)
    assert staging.publish(stage, out) == ["model.fp16.md", "model.int8.md", "model.int8.xml"]
    there = {p.name: p.read_text() for p in out.iterdir()}
    assert there == dict.fromkeys(names[stage], "stage") | dict.fromkeys(names[out][-5:], "out")
    assert not list(stage.iterdir())


@pytest.mark.parametrize("again", [True, False])
def test_a_folder_that_is_one_artefact_comes_and_goes_whole(tmp_path: Path, again: bool) -> None:
    stage, out = tmp_path / "stage", tmp_path / "out"
    for folder, parts in ((stage, ("weights/new.bin", "Manifest.json")), (out, ("weights/old.bin", "Manifest.json"))):
        for part in parts if again or folder == out else ():
            path = folder / "model.mlpackage" / part
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(folder.name)
        for name in ("model.onnx.card.json", *(["model.mlpackage.card.json"] if again or folder == out else [])):
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(folder.name)
    assert staging.publish(stage, out) == ([] if again else ["model.mlpackage"])
    there = {p.relative_to(out / "model.mlpackage").as_posix() for p in out.rglob("*") if p.suffix != ".json"}
    assert there == ({".", "weights", "weights/new.bin"} if again else set())
    assert {p.read_text() for p in out.rglob("*.json")} == {"stage"}


def test_what_a_killed_export_left_goes_and_that_of_one_under_way_stays(tmp_path: Path) -> None:
    out = tmp_path / "export"
    killed, mine = tmp_path / ".export.exporting-abcdefgh", tmp_path / ".export.mine"
    for folder in (killed, mine):
        folder.mkdir()
        (folder / "model.onnx").touch()
    with staging.staging(out) as one:
        assert not killed.exists() and mine.exists()
        with staging.staging(out) as two:
            assert one.exists() and one != two
    assert list(tmp_path.iterdir()) == [mine]


def test_reproduce_sh_makes_the_same_bytes_again(
    tiny_run: Run, tiny_export: Exported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tiny_export.main.with_name("reproduce.sh")
    source = tiny_run.checkpoints()[-1]
    check = script.read_text().splitlines()[-2]
    assert subprocess.run(["sh", "-n", script]).returncode == 0
    assert sha256(source) in check
    _again(script.read_text(), tiny_run, tmp_path)
    made = {p.relative_to(tmp_path) for p in tmp_path.rglob("*")}
    assert made == {p.relative_to(tiny_export.folder) for p in tiny_export.folder.rglob("*")}
    for path in tiny_export.folder.rglob("*"):
        again = tmp_path / path.relative_to(tiny_export.folder)
        if path.suffix in (".onnx", ".npz", ".md"):
            assert again.read_bytes() == path.read_bytes(), path.name
        elif path.name.endswith(".engine.card.json"):  # the bytes of an engine differ, its figures do not
            cards = [ModelCard.from_json(p.read_bytes()) for p in (path, again)]
            assert cards[0].built_with == cards[1].built_with
        elif path.name.endswith(".card.json"):
            cards = [ModelCard.from_json(p.read_bytes()) for p in (path, again)]
            timed = [[v.latency_ms for v in card.verification.values()] for card in cards]
            assert all(timed) and _drop_times(cards[0]) == _drop_times(cards[1])
    assert "edgegan bench" in capsys.readouterr().out


@pytest.mark.parametrize("tiny_run", ["stargan"], indirect=True)
def test_int8_files_have_the_same_bytes_again(
    tiny_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = Request(tiny_run.folder, tmp_path / "out", pictures=1, min_psnr_db=20.0)
    done = export_run(replace(request, precisions=("int8",), formats=("onnx", "openvino")))
    script = (done.folder / "reproduce.sh").read_text()
    packages = {"torch", "onnx", "onnxruntime", "openvino", "nncf", "numpy", "opencv-python"}
    assert packages <= {word.partition("==")[0] for word in script.splitlines()[3].split()}
    _again(script, tiny_run, tmp_path / "again")
    for name in ("model.int8.onnx", "model.int8.bin", "model.int8.xml", "model.int8.md"):
        assert (tmp_path / "again" / name).read_bytes() == (done.folder / name).read_bytes(), name


def _again(script: str, run: Run, out: Path) -> None:
    """Runs the last line of a reproduce.sh in this process."""
    known = {"$checkpoint": str(run.checkpoints()[-1]), "${2:-again}": str(out)}
    with pytest.raises(SystemExit) as done:
        cli.main([known.get(word, word) for word in shlex.split(script.splitlines()[-1])][1:])
    assert done.value.code in (0, None)


def _drop_times(card: ModelCard) -> ModelCard:
    figures = {name: msgspec.structs.replace(v, latency_ms=None) for name, v in card.verification.items()}
    return msgspec.structs.replace(card, verification=figures)


def test_another_checkpoint_is_refused_by_reproduce_sh(tiny_export: Exported, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"another")
    script = tiny_export.main.with_name("reproduce.sh")
    done = subprocess.run([script, tmp_path / "other"], capture_output=True)
    assert done.returncode != 0 and b"FAILED" in done.stdout
