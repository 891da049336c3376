"""The host's side of the TensorRT backend on a true driver, also where there is no TensorRT.

PyTorch adds a label to a picture in the engine's place, in our stream and our buffers; all else is the backend itself.
With `--device cpu` the GPU, too, is the tests' fake, to try the script.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from itertools import cycle
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from figures import Figures, Probe

sys.path.append(str(Path(__file__).parents[2] / "tests"))  # for what stands in

LABEL = np.array([[0.5, 0.0]], np.float32)


def engine(probe: Probe) -> None:
    """Answers, shapes in turn, runs under way, threads, memory and arrays on the GPU; and the time of a call."""
    from edgegan.runtime.backends.tensorrt.backend import TensorRT
    from edgegan.runtime.errors import NoMemoryError

    with tempfile.TemporaryDirectory() as folder:
        artefact, free_bytes = _stand_in(Path(folder), probe.device)
        with closing(TensorRT(artefact, device="cuda")) as backend:

            def add(value: float, size: int) -> bool:
                return bool((backend.run(_inputs(value, size))["edited"] == value + 0.5).all())

            def answers() -> Figures:
                wrong = [(size, v) for size in (8, 64, 8, 16, 32, 64, 8) for v in range(4) if not add(float(v), size)]
                assert not wrong, f"wrong at (size, value) {wrong}"
                return {"notices": list(backend.notices)}  # a graph that could not be recorded is one

            def under_way() -> Figures:
                tickets = [backend.submit(_inputs(float(v), 16)) for v in range(8)]
                assert all((t.result()["edited"] == v + 0.5).all() for v, t in enumerate(tickets))
                return {}

            def threads() -> Figures:
                lock, right = threading.Lock(), []

                def work(number: int) -> None:
                    for value in range(25):
                        with lock:
                            right.append(add(float(value + number), 16))

                workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
                assert len(right) == 100 and all(right)
                return {}

            def turns() -> Figures:
                sizes = cycle((32, 64))
                return probe.time(lambda: add(1.0, next(sizes)))

            def no_room() -> Figures:
                from edgegan.runtime.backends.nvidia.cuda import Cuda, Held

                with closing(Cuda(0)) as gpu:
                    held = Held()
                    try:
                        gpu.memory(1 << 45, held)
                    except NoMemoryError as error:
                        gpu.memory(1 << 20, held)
                        gpu.finish()
                        held.free()
                        return {"said": error.seen}
                raise AssertionError("32 TiB were given")

            def growth() -> Figures:
                add(1.0, 64), add(1.0, 32)
                before = free_bytes()
                for _ in range(4 if probe.tiny else 100):
                    add(1.0, 64), add(1.0, 32)
                return {"grew_mib": (before - free_bytes()) / 2**20}

            probe.attempt("answers, shapes, graphs", answers)
            probe.attempt("two under way", under_way)
            probe.attempt("threads in turn", threads)
            probe.attempt("a call of 64 px", lambda: probe.time(lambda: add(1.0, 64)))
            probe.attempt("two shapes in turn", turns)
            probe.attempt("no memory is said, and what is smaller still given", no_room)
            probe.attempt("memory", growth)
            if probe.device != "cpu":
                probe.attempt("arrays on the GPU", lambda: _on_the_gpu(backend))
                probe.attempt("the thread keeps its GPU", lambda: _keeps_gpu(artefact))


def _inputs(value: float, size: int) -> dict[str, np.ndarray]:
    return {"image": np.full((1, 3, size, size), value, np.float32), "label": LABEL}


def _stand_in(folder: Path, device: str) -> tuple[Any, Callable[[], int]]:
    """An engine's artefact, with what runs it in TensorRT's place; and how to ask for the GPU's free bytes."""
    from support.fakes import engines
    from support.fakes.gpu import FakeCuda
    from support.fakes.tensorrt import fake_tensorrt

    from edgegan.runtime.backends.nvidia import bindings
    from edgegan.runtime.backends.nvidia.cuda import Cuda
    from edgegan.runtime.backends.processor import system

    if device == "cpu":
        fake = FakeCuda(room=1 << 30)
        bindings.import_runtime = lambda: fake  # type: ignore[assignment]
        sys.modules["tensorrt"] = fake_tensorrt(fake, size=None)  # type: ignore[assignment]
        free = lambda: fake.room - sum(map(len, fake.memory.values()))  # type: ignore[arg-type,misc]  # noqa: E731
    else:
        sys.modules["tensorrt"] = _on_pytorch(fake_tensorrt)
        free = lambda: int(bindings.import_runtime().cudaMemGetInfo()[1])  # noqa: E731
    with closing(Cuda(0)) as gpu:
        facts = {"capabilities": (gpu.compute_capability,), "gpu": gpu.gpu_name}
    return engines.engine(folder, system=system(), **facts), free


def _on_pytorch(fake_tensorrt: Any) -> ModuleType:
    """The tests' TensorRT, whose network is one addition of PyTorch's on the buffers that it is given."""
    import torch

    class Everything(dict[int, Any]):
        def __contains__(self, key: object) -> bool:
            return True

    module = fake_tensorrt(SimpleNamespace(open=["stream"], memory=Everything(), streams=Everything()), size=None)
    context = module.IExecutionContext

    def tensor(self: Any, name: str) -> Any:
        shape = tuple(self.get_tensor_shape(name))
        found = {"shape": shape, "typestr": "<f4", "data": (self.addresses[name], False), "version": 3, "strides": None}
        return torch.as_tensor(SimpleNamespace(__cuda_array_interface__=found), device="cuda")

    def execute(self: Any, stream: int) -> bool:
        with torch.cuda.stream(torch.cuda.ExternalStream(stream)):
            torch.add(tensor(self, "image"), tensor(self, "label")[0, 0], out=tensor(self, "edited"))
        return True

    context.execute_async_v3 = execute
    context.set_device_memory = lambda self, address, count: setattr(self, "scratch", (address, count))
    context.set_tensor_address = lambda self, name, address: self.addresses.__setitem__(name, address) is None
    found: ModuleType = module
    return found


def _on_the_gpu(backend: Any) -> Figures:
    """In the caller's stream, more shapes than are kept: none is freed before its run has ended."""
    import torch

    stream = torch.cuda.Stream()
    right = []
    for _ in range(3):
        with torch.cuda.stream(stream):
            for size in (8, 16, 24, 32, 64):
                image = torch.full((1, 3, size, size), 2.0, device="cuda")
                out = torch.zeros_like(image)
                backend.run_on_device({"image": image, "label": LABEL}, {"edited": out}, stream=stream.cuda_stream)
                right.append((out == 2.5).all())
    stream.synchronize()
    assert all(bool(each) for each in right)
    return {"runs": len(right)}


def _keeps_gpu(artefact: Any) -> Figures:
    """With two GPUs: the network on the second, PyTorch's current one stays the first."""
    import torch

    from edgegan.runtime.backends.tensorrt.backend import TensorRT

    if torch.cuda.device_count() < 2:
        return {"gpus": torch.cuda.device_count()}
    torch.cuda.set_device(0)
    with closing(TensorRT(artefact, device="cuda:1")):
        assert torch.cuda.current_device() == 0
    assert torch.cuda.current_device() == 0
    return {"gpus": torch.cuda.device_count()}
