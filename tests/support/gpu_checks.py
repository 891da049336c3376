"""What every GPU backend must do. The checks know no backend: ONNX Runtime on the CPU passes them as well."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from edgegan.runtime.backends import Backend, OnDevice, Selection, Shareable, backend_class, begin
from edgegan.runtime.model import fidelity, golden
from edgegan.runtime.model.artefact import Artefact


@dataclass(frozen=True)
class Case:
    """An artefact on a backend."""

    artefact: Artefact
    backend: str
    device: str = "cuda"

    def open(self) -> Backend:
        return backend_class(self.backend)(self.artefact, device=self.device)

    def inputs(self, index: int = 0) -> dict[str, np.ndarray]:
        """Those of one golden pair, in the artefact's own types."""
        assert self.artefact.golden is not None
        pairs = golden.read(self.artefact.golden, golden.stem(self.artefact.path))
        assert pairs is not None
        given, _ = list(pairs.calls())[index]
        return fidelity.cast(given, self.artefact.card.inputs)

    def memory(self) -> float:
        """MiB in use: on the GPU, by everyone; on the CPU, the most this process ever had."""
        if self.device == "cpu":
            resource = pytest.importorskip("resource")  # Windows has none
            peak: float = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            return peak
        from cuda.bindings import runtime

        _, free, total = runtime.cudaMemGetInfo()
        return (total - free) / 2**20


def near(case: Case, a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    """Whether two answers are one, but for the order in which a GPU adds: 1e-3 of the range, or one grey level."""
    for spec in case.artefact.card.outputs:
        low, high = spec.value_range or (0.0, 1.0)
        allowed = 1.0 if spec.dtype == "uint8" else 1e-3 * (high - low)
        if np.abs(a[spec.name].astype(np.float64) - b[spec.name].astype(np.float64)).max() > allowed:
            return False
    return True


# --- the checks ---


def reproduces_pytorch(case: Case) -> None:
    with case.open() as network:
        found = fidelity.verify(network.run, case.artefact)
    assert found is not None and found.status == "passed", found


def answers_do_not_depend_on_what_ran_before(case: Case) -> None:
    """The first run is made without a graph, and later ones replay it."""
    one, two = case.inputs(0), case.inputs(1)
    with case.open() as network:
        answers = [network.run(inputs) for inputs in (one, two, one, two, one)]
    assert near(case, answers[0], answers[2]) and near(case, answers[0], answers[4])
    assert near(case, answers[1], answers[3]) and not near(case, answers[0], answers[1])


def runs_from_another_thread(case: Case) -> None:
    found: list[dict[str, np.ndarray]] = []
    with case.open() as network:
        found.append(network.run(case.inputs()))
        other = threading.Thread(target=lambda: found.append(network.run(case.inputs())))
        other.start()
        other.join()
        found.append(network.run(case.inputs()))
    assert len(found) == 3 and near(case, found[0], found[1]) and near(case, found[0], found[2])


def memory_does_not_grow(case: Case) -> None:
    with case.open() as network:
        inputs = case.inputs()
        for _ in range(20):
            network.run(inputs)
        before = case.memory()
        for _ in range(500):
            network.run(inputs)
        assert case.memory() - before < 4.0


def closing_gives_memory_back(case: Case) -> None:
    for _ in range(2):
        with case.open() as network:
            network.run(case.inputs())
    before = case.memory()
    for _ in range(4):
        with case.open() as network:
            network.run(case.inputs())
    assert case.memory() - before < 16.0


def gives_each_its_own_answer_with_two_runs_under_way(case: Case) -> None:
    one, two = case.inputs(0), case.inputs(1)
    with case.open() as network:
        expected = [network.run(one), network.run(two)]
        for _ in range(3):  # the first time without graphs
            begun = [begin(network, one), begin(network, two)]
            assert all(near(case, a, b.result()) for a, b in zip(expected, begun, strict=True))


def serves_others_from_one_network(case: Case) -> None:
    """Side by side in two threads, and after the first is closed."""
    with case.open() as network:
        if not isinstance(network, Shareable):
            return
        network.selection = Selection(backend=network.name, device=network.device, why="")
        expected = network.run(case.inputs())
        others = [network.another(), network.another()]
        found: list[dict[str, np.ndarray]] = []
        threads = [
            threading.Thread(target=lambda o=other: found.extend(o.run(case.inputs()) for _ in range(20)))
            for other in others
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 40 and all(near(case, expected, each) for each in found)
    for other in others:
        assert near(case, expected, other.run(case.inputs()))
        other.close()


def takes_arrays_where_they_lie(case: Case) -> None:
    """PyTorch's on the GPU: in a stream of its own, as windows of larger arrays, whose rows lie apart."""
    torch = pytest.importorskip("torch")

    def window(array: np.ndarray) -> Any:
        source = torch.from_numpy(array)
        wide = torch.zeros((*array.shape[:-1], array.shape[-1] + 3), dtype=source.dtype, device=case.device)
        wide[..., :-3] = source.to(case.device)
        return wide[..., :-3]

    stream = torch.cuda.Stream()
    with case.open() as network:
        assert isinstance(network, OnDevice)
        expected = [network.run(case.inputs(i)) for i in (0, 1)]
        for i in (0, 1, 0, 1):
            with torch.cuda.stream(stream):
                given = {name: window(array) for name, array in case.inputs(i).items()}
                out = {name: window(np.zeros_like(array)) for name, array in expected[i].items()}
                network.run_on_device(given, out, stream=stream.cuda_stream)
                found = {name: array.cpu().numpy() for name, array in out.items()}
            assert near(case, expected[i], found)


CHECKS = (
    reproduces_pytorch,
    answers_do_not_depend_on_what_ran_before,
    runs_from_another_thread,
    memory_does_not_grow,
    closing_gives_memory_back,
    gives_each_its_own_answer_with_two_runs_under_way,
    serves_others_from_one_network,
)


def takes_several_shapes(case: Case, reference: Case) -> None:
    """For open axes: sizes and batches in turn, each as the fp32 file gives them on the CPU."""
    card, rng = case.artefact.card, np.random.default_rng(0)
    low = card.size.min_hw or card.size.hw
    with case.open() as network, reference.open() as truth:
        for batch, hw in ((1, card.size.hw), (1, low), (card.batch[1], card.size.hw), (1, card.size.hw)):
            axes = {"batch": batch, "height": hw[0], "width": hw[1]}
            shapes = {s.name: [a if isinstance(a, int) else axes[a] for a in s.shape] for s in card.inputs}
            given = {
                s.name: rng.uniform(*(s.value_range or (-1, 1)), shapes[s.name]).astype(np.float32) for s in card.inputs
            }
            seen = network.run(fidelity.cast(given, card.inputs))
            expected = truth.run(fidelity.cast(given, reference.artefact.card.inputs))
            for spec in card.outputs:
                found = fidelity.compare(expected[spec.name], seen[spec.name], spec.value_range)
                assert seen[spec.name].shape == expected[spec.name].shape and found["psnr_db"] > 35.0, (hw, found)
