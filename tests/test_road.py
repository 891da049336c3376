"""The whole road, through the command line as a user goes it, for every family: train, export, check, score, run."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from edgegan import cli, config, families
from edgegan.runtime.model.artefact import load

TRAINABLE = [
    (name, preset)
    for name in families.names()
    for preset in config.presets(name)
    if config.load(families.get(name).Config, name, preset).train.data
]


def _edgegan(*words: object) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main([str(word) for word in words])
    assert not done.value.code, words


def _settings(family: str) -> list[str]:
    """The family's tiny config as `--set` words."""
    values = msgspec.to_builtins(families.get(family).tiny())
    train = {f"train.{key}": value for key, value in values.pop("train").items()}
    pairs = {**values, **train}
    return [w for k, v in pairs.items() if not isinstance(v, dict | None) for w in ("--set", f"{k}={json.dumps(v)}")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", families.names())
def test_every_family_goes_the_whole_road(family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    preset = next(preset for name, preset in TRAINABLE if name == family)
    _edgegan("train", family, "--preset", preset, "--out", run, *_settings(family), "--images", 64, "--device", "cpu")
    assert list((run / "samples").glob("*.png")) and (run / "metrics.jsonl").stat().st_size

    _edgegan("export", run, "--pictures", 2, "--precision", "fp32")
    models = sorted((run / "export").rglob("model.onnx"))
    for model in models:
        _edgegan("verify", model)
        _edgegan("info", model)
        assert load(model).card.verification["onnxruntime"].status == "passed"

    _edgegan("bench", models[0], "--iterations", 2, "--starts", 1, "--backend", "onnxruntime")
    film = tmp_path / "film.mp4"
    source = () if load(models[0]).card.task == "generate" else ("--source", "synthetic")
    _edgegan("live", models[0], *source, "--sink", film, "--frames", 5)
    assert film.stat().st_size > 500
    if load(models[0]).card.task == "generate":
        _edgegan("sample", run, "--count", 2, "--out", tmp_path / "drawn")
        assert len(list((tmp_path / "drawn").glob("picture_*.png"))) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("family", "preset"), TRAINABLE)
def test_a_preset_that_needs_no_download_trains_for_two_minutes(family: str, preset: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    _edgegan("train", family, "--preset", preset, "--out", run, "--minutes", 2, "--device", "cpu")
    assert list((run / "checkpoints").glob("*.safetensors"))
