"""Real, tiny, trained runs for the tests: one of each family, made once a session."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from rich.console import Console
from support import commands
from support.models import editors, exports
from support.web import browser, page
from support.web import site as pages
from torch import Tensor, nn

from edgegan import families
from edgegan.export import Exported, Request, export_run
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter

settings.register_profile("any pace", deadline=None)  # a machine with other work takes its time
settings.load_profile("any pace")
pytest.register_assert_rewrite("support.contract", "support.gpu_checks")
opened, page_editor = page.opened, page.page_editor
shared_editor, face_editor = editors.shared_editor, editors.face_editor
any_size, scene = editors.any_size, editors.scene
trained = exports.trained
run = commands.run
chromium, live, tab = browser.chromium, browser.live, browser.tab
site = pages.site
os.environ.setdefault("EDGEGAN_OPENVINO_CACHE", "")  # tiny models of one test are of no use to another
os.environ.setdefault("EDGEGAN_AUTO", "card")  # what a test takes does not hang on how busy the machine is


@pytest.fixture(scope="session", params=families.names())
def tiny_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run of the family's tiny config, trained for a few pictures, whose networks' outputs vary."""
    folder: Path = tmp_path_factory.mktemp(request.param) / "run"
    cfg = families.get(request.param).tiny()
    run = Run(folder, request.param, cfg, cfg.train.data)
    folder.mkdir()
    run.write_config()
    images = 2 * cfg.train.batch
    with Reporter(run, images, 0, Console(quiet=True)) as reporter:
        Trainer(run, torch.device("cpu")).train(Budget(images), reporter)
    _spread(run)
    yield run


@pytest.fixture(scope="session")
def tiny_export(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The export of `tiny_run`, verified on 6 pictures, with an engine where `tensorrt_rtx` is installed; read only."""
    with_engine = importlib.util.find_spec("tensorrt_rtx") is not None
    folder = tmp_path_factory.mktemp("export") / "out"
    return export_run(Request(tiny_run.folder, folder, trt=with_engine, pictures=6))


def _spread(run: Run) -> None:
    """Scales the last weights of every network until its outputs vary: near zero, every error looks small."""
    found = run.latest()
    nets = run.family.networks(run.cfg)
    for name, net in nets.items():
        if not any(True for _ in net.parameters()):
            continue  # state, such as an image pool
        section = f"ema/{name}" if name in run.family.EMA else f"net/{name}"
        found.load_into(net, section)
        if _answer(run, name, net).numel() < 2:
            continue  # one score of one picture: nothing varies
        key, last = [(k, p) for k, p in net.named_parameters() if p.dim() > 1][-1]
        with torch.no_grad():
            for _ in range(60):
                if _answer(run, name, net).std() > 0.5:
                    break
                last.mul_(1.3)
        found.tensors[f"{section}/{key}"] = last.detach()
    checkpoint.save(found.path, found.header, found.tensors)


def _answer(run: Run, name: str, net: nn.Module) -> Tensor:
    """The last output of a network for the pictures that describe it."""
    with torch.no_grad():
        answer = net.eval()(*run.family.example_inputs(run.cfg, name))
    return answer[-1] if isinstance(answer, tuple) else answer
