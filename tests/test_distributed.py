"""Several processes train what one would; one of them speaks, and all of them end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from support.training import doubled_training
from torch import Tensor

from edgegan import distributed, families
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import open_run

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "300", "TORCHELASTIC_ERROR_FILE": "/dev/null"}
TINY = ("conv_dim=4", "blocks=1", "d_conv_dim=4", "train.batch=4", "n_critic=2")


def launch(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=ONE_THREAD, capture_output=True, text=True, timeout=240)


def cli(folder: Path, *more: str) -> list[str]:
    command = [*TORCHRUN, "-m", "edgegan", "train", "stargan", "--out", str(folder), "--device", "cpu"]
    return [*command, *more]


def fresh(*more: str) -> list[str]:
    return ["--preset", "avatars-64", "--data", "avatars:8", *(f"--set={s}" for s in (*TINY, *more))]


def test_two_processes_with_half_the_batch_equal_one(tmp_path: Path) -> None:
    """Gradient penalty, permuted labels, Adam and a resume included; in float64, to 1e-9."""
    script = str(Path(doubled_training.__file__))
    done = launch([*TORCHRUN, script, str(tmp_path / "two"), "1"])
    assert done.returncode == 0, done.stderr
    alone = launch([sys.executable, script, str(tmp_path / "one"), "1"])
    assert alone.returncode == 0, alone.stderr
    path = f"checkpoints/{doubled_training.ROUNDS * doubled_training.BATCH:010d}.safetensors"
    one, two = (checkpoint.load(tmp_path / name / path) for name in ("one", "two"))
    assert one.tensors.keys() == two.tensors.keys()
    compared = [key for key, t in one.tensors.items() if t.dtype == torch.float64]
    assert any(key.startswith("net/generator") for key in compared)
    assert any(key.startswith("optimiser/D") for key in compared)
    for key in compared:
        torch.testing.assert_close(two.tensors[key], one.tensors[key], rtol=0, atol=1e-9, msg=key)
    start = families.get("stargan").networks(families.get("stargan").tiny())["generator"]
    moved = one.tensors["net/generator/main.0.weight"].float() - start.state_dict()["main.0.weight"]
    assert moved.abs().max() > 1e-4, "nothing was trained"


def test_ctrl_c_a_resume_and_an_error_are_told_once_and_end_all(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = cli(folder, *fresh("train.sample_images=100000"), "--images", "100000")
    # torchrun gives each process a session of its own and passes the signal on.
    child = subprocess.Popen(command, env=ONE_THREAD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    metrics = folder / "metrics.jsonl"
    deadline = time.monotonic() + 200
    while not (metrics.is_file() and metrics.stat().st_size):
        assert child.poll() is None and time.monotonic() < deadline, child.communicate()[0]
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=120)
    assert child.returncode != 0
    assert said.count("--resume") == 1, said
    (saved,) = [int(p.stem) for p in open_run(folder).checkpoints()]

    resumed = launch(cli(folder, "--resume", "--images", str(saved + 8)))
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.count(f"resuming {folder} at {saved} images") == 1
    assert resumed.stdout.count("next: edgegan export") == 1
    assert int(open_run(folder).latest().header["images"]) == saved + 8
    assert json.loads(metrics.read_text().splitlines()[-1])["images"] == saved + 8
    assert len(list((folder / "tensorboard").iterdir())) == 2  # one for each launch

    refused = launch(cli(folder, "--resume", "--set", "train.batch=5", "--images", "100000"))
    assert refused.returncode != 0
    assert refused.stderr.count("edgegan: a batch of 5, for 2 processes") == 1
    assert refused.stderr.count("Traceback") == 1  # torchrun's own


def test_a_permutation_of_the_whole_batch_is_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process takes its share of one permutation: together they have every row once."""
    rows = torch.arange(8.0)
    alone = families.Step({}, first_image=16, seed=3, first_of_all=16).permute(rows)
    assert sorted(alone.tolist()) == rows.tolist() and not torch.equal(alone, rows)

    def gather(own: Tensor) -> Tensor:
        return rows

    monkeypatch.setattr(distributed, "gather", gather)
    halves = [
        families.Step({}, first_image=f, seed=3, first_of_all=16).permute(own)
        for f, own in ((16, rows[:4]), (20, rows[4:]))
    ]
    assert torch.equal(torch.cat(halves), alone)
    assert not np.array_equal(alone, families.Step({}, first_image=24, seed=3).permute(rows))
