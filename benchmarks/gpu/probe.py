"""What can be asked of a GPU directly, one JSON line for each answer, written as it comes.

    python benchmarks/gpu/probe.py host|engine|pool|frames|torch|train OUT.jsonl [--device cuda] [--tiny]
    python benchmarks/gpu/probe.py overlap OUT.jsonl --model runs/stargan/export/model.fp16.engine

host: the CUDA calls of the TensorRT backend on a true driver. engine: that backend whole, with PyTorch in the place of
TensorRT. pool: many threads on one pool, whose networks record CUDA graphs. frames: pictures that lie on the GPU,
edited there and by way of the host. torch: the generators in PyTorch, by precision, layout and way of launching. train:
images per second. overlap: a network one by one, with two runs under way, in several lanes, and on arrays that lie on
the GPU.
On a CPU, `--device cpu --tiny` runs what makes sense there, to try the script itself.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

import numpy as np
from engine import engine
from figures import Figures, Probe
from frames import frames
from overlap import overlap
from pytorch import generators, train


def host(probe: Probe) -> None:
    """The CUDA runtime as the TensorRT backend calls it."""
    from edgegan.runtime.backends.nvidia.cuda import Cuda, Held, Rows
    from edgegan.runtime.errors import EdgeganError

    def refusal(number: int) -> Figures:
        try:
            Cuda(number).close()
        except EdgeganError as error:
            return {"said": error.seen}
        raise AssertionError(f"GPU {number} was not refused")

    def copies() -> Figures:
        gpu, held = Cuda(0), Held()
        try:
            address, pinned = gpu.buffer((1024, 1024), np.dtype(np.float32), held)
            other, back = gpu.buffer((1024, 1024), np.dtype(np.float32), held)
            pinned[:] = 3.0

            def work() -> None:
                gpu.to_device(address, pinned)
                gpu.copy(Rows(other, 4096, 1024, 4096), Rows(address, 4096, 1024, 4096))
                gpu.to_host(back, other)

            work()
            gpu.wait()
            graph = gpu.capture(work, held)
            pinned[:] = 4.0
            gpu.replay(graph)
            gpu.wait()
            assert (back == 4.0).all() and other != address, "the graph copied something else"
            return probe.time(lambda: (gpu.replay(graph), gpu.wait()))
        finally:
            gpu.finish()
            held.free()
            gpu.close()

    def streams() -> Figures:
        """One stream fills, the other reads every second row after an event; the host waits for an event alone."""
        first, second, held = Cuda(0), Cuda(0), Held()
        try:
            address, pinned = first.buffer((2048, 512), np.dtype(np.float32), held)
            other, back = second.buffer((1024, 512), np.dtype(np.float32), held)
            filled, done = first.event(held), second.event(held)
            for value in range(20):
                pinned[:] = 0.0
                pinned[::2] = value
                first.to_device(address, pinned)
                first.mark(filled)
                second.follow(filled)
                second.copy(Rows(other, 2048, 1024, 2048), Rows(address, 2048, 1024, 4096))
                second.to_host(back, other)
                second.mark(done)
                second.wait_for(done)
                assert (back == value).all(), "an event was not waited for"
            assert first.number_of(address) == 0
            return {"shares_memory": first.shares_memory}
        finally:
            first.finish()
            second.finish()
            held.free()
            first.close()
            second.close()

    def describe() -> Figures:
        gpu = Cuda(0)
        found = {"name": gpu.gpu_name, "capability": gpu.compute_capability, "cuda": gpu.version}
        gpu.close()
        return found

    probe.attempt("device", describe)
    probe.attempt("a GPU that is not there is refused", lambda: refusal(99))
    probe.attempt("4 MiB to the GPU and back through a graph", copies)
    probe.attempt("two streams that wait for each other", streams)


def pool(probe: Probe) -> None:
    """Threads on a pool of networks: no error, and every answer the same."""
    from edgegan.runtime import EditorPool

    def many() -> Figures:
        crop = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)
        wrong: list[str] = []
        with EditorPool.open(size=2 if probe.tiny else 4, device=probe.device) as pooled:
            first = pooled.translate(crop, {"Eyeglasses": 1.0}).astype(int)

            def work() -> None:
                for _ in range(2 if probe.tiny else 40):
                    try:
                        off = np.abs(pooled.translate(crop, {"Eyeglasses": 1.0}) - first).max()
                    except Exception as error:
                        wrong.append(f"{type(error).__name__}: {error}"[:200])
                    else:
                        if off > 1:
                            wrong.append(f"another picture, by {off} grey levels")

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert not wrong, f"{len(wrong)} calls went wrong: {sorted(set(wrong))[:3]}"
        return {"threads": len(threads)}

    for trial in range(1 if probe.tiny else 3):
        probe.attempt("pool", many, trial=trial)


def main() -> None:
    """Ends with 1 if any attempt failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    probes = {"host": host, "engine": engine, "pool": pool, "frames": frames}
    probes |= {"torch": generators, "train": train, "overlap": overlap}
    parser.add_argument("probe", choices=probes)
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a call or two of the smallest, to try the script")
    parser.add_argument("--model", type=Path, help="for overlap: a model file or an export folder")
    options = parser.parse_args()
    if options.probe == "overlap" and options.model is None:
        parser.error("overlap needs --model")
    probe = Probe(options.out, options.device, options.tiny, options.model)
    probes[options.probe](probe)
    sys.exit(1 if probe.failed else 0)


if __name__ == "__main__":  # drawing pictures starts processes, which load this file again
    main()
