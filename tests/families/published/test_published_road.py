"""Published generators go the whole road through the commands: imported, exported, sampled, trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.official import gan_zoo, mimicry

from edgegan import cli
from edgegan.runtime import Sampler
from edgegan.runtime.model.artefact import load
from edgegan.train.folder.run import open_trained

pytest.importorskip("dicebear", reason="needs the avatars extra")
LATENTS = 8


def _edgegan(*words: object) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main([str(word) for word in words])
    assert not done.value.code, words


def _zoo(path: Path) -> Any:
    state = gan_zoo.generator_state((8, 6, 4), LATENTS)
    gan_zoo.save(path, {"netG": state, "avgG": state, "netD": gan_zoo.critic_state((8, 6, 4))}, {"alpha": 0.0})
    return lambda z: gan_zoo.generate(state, z).clamp(-1, 1)


def _mimicry(path: Path) -> Any:
    state = mimicry.generator_state((8, 6, 4, 2), LATENTS)
    torch.save({"model_state_dict": state, "optimizer_state_dict": None, "global_step": 5}, path)
    return lambda z: mimicry.generate(state, z)


def _conditional(path: Path) -> Any:
    state = mimicry.generator_state((4, 4, 4, 4), LATENTS, classes=2)
    torch.save({"model_state_dict": state, "global_step": 5}, path)
    return lambda z: mimicry.generate(state, z, torch.tensor([1] * len(z)))


@pytest.mark.parametrize(
    ("family", "write", "options", "more"),
    [
        ("progan", _zoo, (), ("--set", "group=2")),
        ("wgangp", _mimicry, ("--bn", "keep"), ("--set", "bn_latents=16")),
        (
            "cgan",
            _conditional,
            ("--bn", "keep", "--attributes", "Black_Hair,Blond_Hair"),
            ("--set", "bn_latents=16", "--set", "ndf=4"),
        ),
    ],
)
def test_a_published_generator_goes_the_whole_road(
    family: str, write: Any, options: tuple[str, ...], more: tuple[str, ...], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    draw = write(tmp_path / "net.pth")
    run = tmp_path / "run"
    _edgegan("import", tmp_path / "net.pth", "--out", run, *options)
    assert open_trained(run)[0].family_name == family

    _edgegan("export", run, "--pictures", 2, "--precision", "fp32")
    model = run / "export" / "model.onnx"
    assert load(model).card.verification["onnxruntime"].status == "passed"
    z = np.random.default_rng(0).standard_normal((1, LATENTS)).astype(np.float32)
    with Sampler.open(model) as sampler:
        told = np.array([[0.0, 1.0]], np.float32) if family == "cgan" else None
        (picture,) = sampler.generate(z, told)
    expected = (draw(torch.from_numpy(z))[0].permute(1, 2, 0).numpy() + 1) * 127.5
    assert expected.std() > 5 and np.abs(picture[..., ::-1].astype(np.float32) - expected).max() <= 1

    data = ("--data", "avatars:16", "--images", 8, "--device", "cpu", "--set", "train.batch=4")
    _edgegan("train", family, "--from", run, "--out", tmp_path / "more", *data, *more)
    trained = open_trained(tmp_path / "more")
    assert trained[2].header["images"] == 8 and trained[0].cfg.nz == LATENTS
