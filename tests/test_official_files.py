"""Checkpoint files from anywhere: plain weights, or refused with nothing of them run."""

from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.official import stargan as published

from edgegan import official
from edgegan.families import ImportOptions
from edgegan.runtime.errors import InputError
from edgegan.train.folder.run import open_trained


class _Runs:
    """A pickle that runs a program when it is loaded the careless way."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pwned",)


def _web_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><title>Dropbox</title></html>")


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("200000-G.ckpt", "weights")


def _cut(old: bool, keep: float) -> Any:
    def write(path: Path) -> None:
        torch.save(published.generator_state(), path, _use_new_zipfile_serialization=not old)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * keep)])

    return write


@pytest.mark.parametrize(
    "write,words",
    [
        (lambda p: torch.save({"opt": argparse.Namespace(lr=1)}, p), "asks to load argparse.Namespace"),
        (lambda p: torch.save(torch.nn.Linear(2, 2), p), "torch.nn.modules.linear.Linear"),
        (lambda p: torch.save(_Runs(), p), "posix.mkdir"),
        (lambda p: torch.save(_Runs(), p, _use_new_zipfile_serialization=False), "posix.mkdir"),
        (lambda p: p.write_bytes(pickle.dumps(_Runs(), protocol=2)), "posix.mkdir"),
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_bytes(np.random.default_rng(0).bytes(999)), "neither a file of torch.save"),
        (_cut(False, 0.6), "cut short"),
        (_cut(False, 0.01), "cut short"),
        (_cut(True, 0.6), "cut short"),
        (_cut(True, 0.005), "cut short"),
        (_web_page, "web page"),
        (_archive, r"(?s)archive that holds 200000-G.ckpt.*unpack"),
        (lambda p: p.mkdir(), "a folder"),
        (lambda p: None, "there is no such file"),
    ],
)
def test_what_is_not_plain_weights_is_refused_and_nothing_of_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Any, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "G.ckpt")
    with pytest.raises(InputError, match=words) as refused:
        official.import_files([tmp_path / "G.ckpt"], tmp_path / "run", ImportOptions())
    assert len(str(refused.value).splitlines()) <= 3
    assert not (tmp_path / "pwned").exists() and not (tmp_path / "run").exists()


def test_safetensors_are_taken_but_not_cut_ones_nor_our_own(tmp_path: Path) -> None:
    g, out = tmp_path / "G.safetensors", tmp_path / "run"
    save_file(published.generator_state(), g)
    official.import_files([g], out, ImportOptions(size=32), "stargan")
    with pytest.raises(InputError, match=r"(?s)edgegan itself.*edgegan export"):
        official.read(next((out / "checkpoints").iterdir()))
    g.write_bytes(g.read_bytes()[:-9])
    with pytest.raises(InputError, match="not a readable safetensors"):
        official.read(g)


def test_weights_that_do_not_fit_or_are_not_finite_leave_nothing_behind(tmp_path: Path) -> None:
    for broken, words in (("missing", "missing main.4.bias"), ("nan", "main.4.bias holds values that are not finite")):
        state = published.generator_state()
        if broken == "missing":
            del state["main.4.bias"]
        else:
            state["main.4.bias"][0] = torch.nan
        torch.save(state, tmp_path / "G.ckpt")
        with pytest.raises(InputError, match=words):
            official.import_files([tmp_path / "G.ckpt"], tmp_path / "run", ImportOptions(size=32), "stargan")
        assert [p.name for p in tmp_path.iterdir()] == ["G.ckpt"]


def test_weights_that_share_memory_or_are_halves_become_plain_float32(tmp_path: Path) -> None:
    state = {key: t.half() for key, t in published.generator_state().items()}
    state["main.4.bias"] = state["main.4.weight"]
    torch.save(state, tmp_path / "G.ckpt")
    official.import_files([tmp_path / "G.ckpt"], tmp_path / "run", ImportOptions(size=32), "stargan")
    _, _, found = open_trained(tmp_path / "run")
    assert {t.dtype for t in found.tensors.values()} == {torch.float32}
