"""What is gained where copies and network overlap: two runs under way, several lanes, arrays of the GPU."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

from figures import Figures, Probe


def overlap(probe: Probe) -> None:
    """Calls of one network per second, by the way of calling; `--model` is an export folder or a file."""
    from edgegan.runtime.backends import OnDevice, Pending, Shareable, begin, open_backend
    from edgegan.runtime.model import fidelity, golden
    from edgegan.runtime.model.artefact import load

    assert probe.model is not None, "--model was asked for"
    artefact = load(probe.model)
    pairs = golden.beside(artefact)
    assert pairs is not None, "an export has golden pairs"
    calls = 4 if probe.tiny else 400
    with open_backend(artefact, device=probe.device) as network:
        card = artefact.card if network.selection.artefact is None else network.selection.artefact.card
        given = fidelity.cast(next(pairs.calls())[0], card.inputs)
        answer = network.run(given)

        def per_second(count: int, began: float) -> Figures:
            return {"calls_per_s": count / (time.perf_counter() - began), "backend": network.name}

        def one_by_one() -> Figures:
            network.run(given)
            began = time.perf_counter()
            for _ in range(calls):
                network.run(given)
            return per_second(calls, began)

        def two_under_way() -> Figures:
            begun: deque[Pending] = deque(begin(network, given) for _ in range(2))
            began = time.perf_counter()
            for _ in range(calls):
                begun.popleft().result()
                begun.append(begin(network, given))
            for pending in begun:
                pending.result()
            return per_second(calls + 2, began)

        def side_by_side(count: int) -> Figures:
            if not isinstance(network, Shareable):
                return {"calls_per_s": None, "backend": network.name}
            lanes = [network.another() for _ in range(count)]

            def work(lane: Any) -> None:
                for _ in range(calls):
                    lane.run(given)

            for lane in lanes:
                lane.run(given)
            threads = [threading.Thread(target=work, args=(lane,)) for lane in lanes]
            began = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            found = per_second(calls * count, began)
            for lane in lanes:
                lane.close()
            return found

        def on_the_gpu() -> Figures:
            import torch

            assert isinstance(network, OnDevice), f"{network.name} takes no arrays on a GPU"
            arrays = {name: torch.from_numpy(array).to(probe.device) for name, array in given.items()}
            out = {name: torch.from_numpy(array).to(probe.device) for name, array in answer.items()}
            stream = torch.cuda.current_stream().cuda_stream
            for _ in range(2):
                network.run_on_device(arrays, out, stream=stream)
            torch.cuda.synchronize()
            began = time.perf_counter()
            for _ in range(calls):
                network.run_on_device(arrays, out, stream=stream)
            torch.cuda.synchronize()
            return per_second(calls, began)

        probe.attempt("one by one", one_by_one)
        probe.attempt("two under way", two_under_way)
        for count in (1, 2, 4):
            probe.attempt("side by side", lambda count=count: side_by_side(count), lanes=count)
        if probe.device != "cpu":
            probe.attempt("on the GPU", on_the_gpu)
