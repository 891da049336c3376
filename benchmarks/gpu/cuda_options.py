"""What ONNX Runtime's CUDA options bring for a model: graph or not, channels first or last.

    python benchmarks/gpu/cuda_options.py runs/stargan/export/model.fp16.onnx [MODEL ...]

Each combination runs the golden pairs, then a few hundred calls, copies included. The default that edgegan takes is
marked; where another row is faster by more than its spread, the default is wrong for this GPU.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from pathlib import Path

from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime
from edgegan.runtime.backends.onnxruntime.cuda import CudaOptions, has_open_axes
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.model import fidelity, golden
from edgegan.runtime.model.artefact import Artefact, load

CALLS, WARM_UP = 300, 30


def main() -> None:
    """Prints a Markdown table for each model named on the command line."""
    try:
        for path in sys.argv[1:]:
            artefact = load(path)
            print(f"\n{Path(path).name}: {artefact.card.name}, {artefact.card.precision}\n")
            print("| graph | layout | p50 ms | p10 to p90 ms | PSNR dB worst | |\n|---|---|---:|---:|---:|---|")
            for graph, nhwc in itertools.product((False, True), repeat=2):
                if not (graph and has_open_axes(artefact.card)):
                    print(row(artefact, CudaOptions(graph=graph, nhwc=nhwc)))
    except EdgeganError as error:
        print(f"cuda_options: {error}", file=sys.stderr)
        sys.exit(2)


def row(artefact: Artefact, options: CudaOptions) -> str:
    """One line of the table. Raises CardError where no golden pairs lie beside the model."""
    pairs = golden.beside(artefact)
    assert pairs is not None, "an export has golden pairs"
    given = fidelity.cast(next(pairs.calls())[0], artefact.card.inputs)
    with OnnxRuntime(artefact, device="cuda", cuda=options) as network:
        found = fidelity.verify(network.run, artefact)
        for _ in range(WARM_UP):
            network.run(given)
        times = []
        for _ in range(CALLS):
            began = time.perf_counter()
            network.run(given)
            times.append(1000 * (time.perf_counter() - began))
    tenths = statistics.quantiles(times, n=10)
    default = "default" if options == CudaOptions.fitting(artefact.card) else ""
    layout = "NHWC" if options.nhwc else "NCHW"
    worst = f"{found.psnr_worst_db:.1f}" if found is not None and found.psnr_worst_db is not None else "-"
    return (
        f"| {'yes' if options.graph else 'no'} | {layout} | {statistics.median(times):.3f} "
        f"| {tenths[0]:.3f} to {tenths[-1]:.3f} | {worst} | {default} |"
    )


if __name__ == "__main__":
    main()
