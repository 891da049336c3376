"""What PyTorch reaches on a GPU: the generators by precision, layout and way of launching, and the training loop."""

from __future__ import annotations

import copy
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from figures import Figures, Probe

sys.path.append(str(Path(__file__).parents[1]))  # `supervised` and `throughput` lie one folder up

MODELS = ("stargan-128", "cyclegan-256", "pix2pix-256", "fastgan-256")


def generators(probe: Probe) -> None:
    """Generators at full width with fresh weights: what PyTorch itself reaches."""
    import torch
    from supervised import SUBJECTS

    from edgegan import config, families

    on_gpu = probe.device.startswith("cuda")
    sync = torch.cuda.synchronize if on_gpu else (lambda: None)
    kinds = [
        "fp32",
        "tf32",
        "bf16",
        "fp16",
        "fp16 nhwc",
        "fp16 nhwc graph",
        "fp16 nhwc compile",
        "fp16 nhwc max-autotune",
    ]
    for name in MODELS[:1] if probe.tiny else MODELS:
        subject = next(s for s in SUBJECTS if s.name == name)
        family = families.get(subject.family)
        small = ("conv_dim=8", "blocks=2") if probe.tiny else ()
        settings = (*subject.settings, *small, f"train.data={subject.data}")
        cfg = config.load(family.Config, subject.family, subject.preset, settings)
        torch.manual_seed(0)
        nets, key = family.networks(cfg), family.EMA[0]
        net, inputs = nets[key].eval(), family.example_inputs(cfg, key)
        for kind in kinds if on_gpu else kinds[:1]:
            for batch in (1,) if "max-autotune" in kind or probe.tiny else (1, 8):

                def one(kind: str = kind, batch: int = batch, net: Any = net, inputs: Any = inputs) -> Figures:
                    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
                    torch.backends.cudnn.benchmark = True
                    dtypes = {"bf16": torch.bfloat16, "fp16": torch.float16}
                    dtype = dtypes.get(kind.split()[0], torch.float32)
                    layout = torch.channels_last if "nhwc" in kind else torch.contiguous_format
                    module = copy.deepcopy(net).to(probe.device, dtype).to(memory_format=layout)
                    given = [t.repeat(batch, *[1] * (t.dim() - 1)).to(probe.device, dtype) for t in inputs]
                    given = [t.to(memory_format=layout) if t.dim() == 4 else t for t in given]
                    if "compile" in kind or "max-autotune" in kind:
                        module = torch.compile(module, mode="max-autotune" if "max-autotune" in kind else None)
                    with torch.inference_mode():
                        began = time.perf_counter()
                        module(*given)
                        sync()
                        first_s = time.perf_counter() - began
                        run: Callable[[], object] = lambda: module(*given)  # noqa: E731 - replaced below
                        if "graph" in kind:
                            run = _graph(module, given).replay
                        return {**probe.time(run, sync), "first_s": first_s}

                probe.attempt(name, one, kind=kind, batch=batch)


def _graph(module: Any, given: list[Any]) -> Any:
    """A torch.cuda.CUDAGraph of one call."""
    import torch

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            module(*given)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        module(*given)
    return graph


@contextmanager
def _training(family: str, settings: tuple[str, ...], device: str) -> Iterator[Iterator[int]]:
    import torch
    from throughput import PRESETS, _ours

    from edgegan import config, families
    from edgegan.train.folder.run import Run
    from edgegan.train.loop import Trainer

    cfg = config.load(families.get(family).Config, family, PRESETS[family], settings)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        trainer = Trainer(Run(Path(folder), family, cfg, cfg.train.data), torch.device(device))
        yield _ours(trainer, stack, [])


def train(probe: Probe) -> None:
    """Images per second of the training loop."""
    from throughput import PRESETS

    choices: tuple[tuple[str, ...], ...] = (
        (),
        ("train.precision=fp32", "train.channels_last=false"),
        ("train.compile=true",),
    )
    small = (("conv_dim=8", "blocks=1", "train.batch=2", "train.data=avatars:20"),)
    seconds = 0.5 if probe.tiny else 4.0
    for family in list(PRESETS)[:1] if probe.tiny else PRESETS:
        for settings in small if probe.tiny else choices:

            def one(family: str = family, settings: tuple[str, ...] = settings) -> Figures:
                with _training(family, settings, probe.device) as loop:
                    began = time.perf_counter()
                    for _ in range(1 if probe.tiny else 10):
                        next(loop)
                    first_s, shown, began = time.perf_counter() - began, 0, time.perf_counter()
                    while time.perf_counter() - began < seconds:
                        shown += next(loop)
                    return {"images_per_s": shown / (time.perf_counter() - began), "first_s": first_s}

            probe.attempt(family, one, settings=settings)
