"""A StarGAN small enough to be trained by typed commands within a second or two."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgegan.cli import main

SMALL = ("conv_dim=4", "blocks=1", "d_conv_dim=4", "d_layers=3", "size=16", "n_critic=2", "train.batch=4")
SMALL += ("train.sample_images=0", "train.validate_images=0")


def run_command(*arguments: str) -> int:
    """The exit status of `edgegan ARGUMENTS`."""
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def train_small(folder: Path, *more: str, data: str = "avatars:8", settings: tuple[str, ...] = ()) -> int:
    """The exit status of `edgegan train stargan`, begun in `folder`."""
    given = [word for setting in (*SMALL, *settings) for word in ("--set", setting)]
    command = ["train", "stargan", "--preset", "avatars-64", "--data", data, *given, "--out", str(folder)]
    return run_command(*command, "--device", "cpu", *more)


def resume_small(folder: Path, *more: str) -> int:
    """The exit status of `edgegan train stargan --resume` in `folder`."""
    return run_command("train", "stargan", "--out", str(folder), "--resume", "--device", "cpu", *more)
