"""Every family on every GPU backend, against PyTorch's own answers; each check also runs here on the CPU.

The checks know no backend. On a machine with an NVIDIA GPU (`pytest -m gpu`) they meet ONNX Runtime's two GPU
providers and the engines of both TensorRTs; ONNX Runtime on the CPU stands in everywhere, so that the checks are run.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support import tiny_models
from support.gpu_checks import (
    CHECKS,
    Case,
    answers_do_not_depend_on_what_ran_before,
    near,
    reproduces_pytorch,
    takes_arrays_where_they_lie,
    takes_several_shapes,
)

from edgegan import families
from edgegan.export import Exported, Request, engine_from_onnx, export_run
from edgegan.export.trt import artefact as to_trt
from edgegan.export.trt.options import EngineOptions
from edgegan.runtime.backends import describe_library, open_backend
from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime, import_onnxruntime
from edgegan.runtime.backends.onnxruntime.cuda import CudaOptions
from edgegan.runtime.backends.onnxruntime.gpu import CUDA, check_provider
from edgegan.runtime.backends.onnxruntime.tensorrt import engine_folder
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.model.artefact import Artefact, load
from edgegan.runtime.model.card import SizeRule
from edgegan.train.folder.run import Run

HERE = libraries.gpu_count() > 0
on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not HERE, reason="the NVIDIA driver shows no GPU here")]
ENGINES = ("tensorrt", "tensorrt_rtx")  # the libraries; the backend of both is called tensorrt
RUNNERS = ("onnxruntime", "onnxruntime-tensorrt", *ENGINES)
TF32 = "NVIDIA_TF32_OVERRIDE"

# --- on the CPU, so that the checks are known to run ---


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return load(tiny_models.write_editor(tmp_path_factory.mktemp("editor"), classifier=False))


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_passes_on_the_cpu(check: Callable[[Case], None], editor: Artefact) -> None:
    check(Case(editor, "onnxruntime", "cpu"))


def test_a_check_fails_where_it_should(editor: Artefact, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph that replays old inputs, buffers that are given out twice: what the checks are there for."""
    case, run = Case(editor, "onnxruntime", "cpu"), OnnxRuntime.run
    first: list[dict[str, np.ndarray]] = []

    def stale(self: OnnxRuntime, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        first.append(run(self, inputs))
        return first[0]

    monkeypatch.setattr(OnnxRuntime, "run", stale)
    for check in (reproduces_pytorch, answers_do_not_depend_on_what_ran_before):
        first.clear()
        with pytest.raises(AssertionError):
            check(case)


def test_open_axes_on_the_cpu(tmp_path: Path) -> None:
    rule = SizeRule(kind="multiple_of", hw=(32, 48), multiple=4, min_hw=(16, 16), max_hw=(64, 64))
    found = load(tiny_models.write_whole_frame(tmp_path, multiple=4, size=rule))
    takes_several_shapes(Case(found, "openvino", "cpu"), Case(found, "onnxruntime", "cpu"))


@pytest.mark.slow
@pytest.mark.parametrize("tiny_run", ["stargan"], indirect=True)
def test_an_export_with_open_axes_or_bytes_on_the_cpu(tiny_run: Run, tmp_path: Path) -> None:
    opened = variant(tiny_run, tmp_path / "open", open_batch=True, open_size=True)
    takes_several_shapes(Case(opened, "openvino", "cpu"), Case(opened, "onnxruntime", "cpu"))
    bytes_ = variant(tiny_run, tmp_path / "bytes", as_bytes=True)
    assert bytes_.card.inputs[0].dtype == "uint8"
    for check in (reproduces_pytorch, answers_do_not_depend_on_what_ran_before):
        check(Case(bytes_, "onnxruntime", "cpu"))


def variant(run: Run, folder: Path, **options: object) -> Artefact:
    """The fp32 file of another export of `run`; its fp16 file lies beside it."""
    return load(export_run(Request(run.folder, folder, pictures=2, **options)).main)  # type: ignore[arg-type]


# --- on a GPU ---


def on(runner: str, onnx: Path, folder: Path) -> Case:
    """`onnx` on a GPU backend, or as an engine of it; skips with the reason where the runner is not installed."""
    artefact = load(onnx)
    if runner not in ENGINES:
        try:
            describe_library(runner)
            if runner == "onnxruntime":  # it also serves the CPU
                check_provider(import_onnxruntime(), CUDA)
        except EdgeganError as error:
            pytest.skip(f"{runner}: {error.seen}")
        if runner == "onnxruntime-tensorrt" and artefact.card.precision == "fp32" and os.environ.get(TF32) != "0":
            pytest.skip(f"TensorRT rounds float32 to TF32 unless {TF32}=0 is set")
        return Case(artefact, runner)
    if importlib.util.find_spec(runner) is None:
        pytest.skip(f"{runner} is not installed")
    if artefact.card.precision == "fp32":
        pytest.skip("engines are built in half precision")
    return Case(engine(runner, artefact, folder), "tensorrt")


def engine(library: str, parent: Artefact, folder: Path) -> Artefact:
    """The engine of `parent` that `library` builds for this GPU, with the golden pairs beside it."""
    gpu = to_trt.find_gpu()
    assert isinstance(gpu, to_trt.Gpu), gpu
    assert parent.golden is not None
    for file in (parent.golden, parent.path, parent.path.with_name(parent.path.name + ".card.json")):
        shutil.copy(file, folder)
    targets = (gpu.compute_capability,) if library == "tensorrt_rtx" else ()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_trt, "choose_library", lambda gpu: library)
        try:
            made, _ = engine_from_onnx(
                parent, folder / f"{parent.path.stem}.engine", options=EngineOptions(compute_capabilities=targets)
            )
        except EdgeganError as error:
            if library == "tensorrt_rtx" and gpu.compute_capability not in ("7.5", "8.0", "8.6", "8.9", "12.0", "12.1"):
                pytest.skip(f"TensorRT for RTX does not build for compute capability {gpu.compute_capability}: {error}")
            raise
    return made


class TestOnGpu:
    pytestmark = on_gpu

    @pytest.mark.parametrize("file", ["model.onnx", "model.fp16.onnx"])
    @pytest.mark.parametrize("runner", RUNNERS)
    @pytest.mark.parametrize("check", CHECKS)
    def test_every_family(
        self, tiny_export: Exported, runner: str, file: str, check: Callable[[Case], None], tmp_path: Path
    ) -> None:
        check(on(runner, tiny_export.main.with_name(file), tmp_path))

    @pytest.mark.parametrize("runner", RUNNERS)
    def test_arrays_on_the_gpu(self, tiny_export: Exported, runner: str, tmp_path: Path) -> None:
        takes_arrays_where_they_lie(on(runner, tiny_export.main.with_name("model.fp16.onnx"), tmp_path))

    @pytest.mark.parametrize("runner", RUNNERS)
    def test_int8(self, tiny_run: Run, runner: str, tmp_path: Path) -> None:
        """The floor is low: a net trained for two pictures is no measure of what INT8 costs."""
        request = Request(
            tiny_run.folder,
            tmp_path / "export",
            precisions=("int8",),
            formats=("onnx", "engine"),
            min_psnr_db=25.0,
            pictures=6,
        )
        folder = export_run(request).main.parent
        name = "model.int8.onnx" if runner == "onnxruntime" else "model.int8.fp16.onnx"
        (tmp_path / "engine").mkdir()
        case = on(runner, folder / name, tmp_path / "engine")
        for check in (reproduces_pytorch, answers_do_not_depend_on_what_ran_before):
            check(case)

    @pytest.mark.parametrize("runner", RUNNERS)
    @pytest.mark.parametrize("tiny_run", ["stargan", "cyclegan"], indirect=True)
    def test_open_axes(self, tiny_run: Run, runner: str, tmp_path: Path) -> None:
        opened = variant(tiny_run, tmp_path / "open", open_batch=True, open_size=True)
        (tmp_path / "engine").mkdir()
        case = on(runner, opened.path.with_name("model.fp16.onnx"), tmp_path / "engine")
        takes_several_shapes(case, Case(opened, "onnxruntime", "cpu"))

    @pytest.mark.parametrize("runner", RUNNERS)
    @pytest.mark.parametrize("tiny_run", families.names(), indirect=True)
    def test_bytes_in_and_out(self, tiny_run: Run, runner: str, tmp_path: Path) -> None:
        bytes_ = variant(tiny_run, tmp_path / "bytes", as_bytes=True)
        (tmp_path / "engine").mkdir()
        case = on(runner, bytes_.path.with_name("model.fp16.onnx"), tmp_path / "engine")
        for check in (reproduces_pytorch, answers_do_not_depend_on_what_ran_before):
            check(case)

    @pytest.mark.parametrize("nhwc", [False, True])
    def test_a_cuda_graph_gives_what_its_kernels_give(self, tiny_export: Exported, nhwc: bool, tmp_path: Path) -> None:
        case = on("onnxruntime", tiny_export.main.with_name("model.fp16.onnx"), tmp_path)
        answers = []
        for graph in (False, True):
            with OnnxRuntime(case.artefact, device="cuda", cuda=CudaOptions(graph=graph, nhwc=nhwc)) as network:
                answers.append([network.run(case.inputs(i)) for i in (0, 1, 0, 1)])
        assert all(near(case, plain, replayed) for plain, replayed in zip(*answers, strict=True))

    def test_auto_takes_the_gpu(self, tiny_export: Exported, tmp_path: Path) -> None:
        case = on("onnxruntime", tiny_export.main, tmp_path)
        with open_backend(case.artefact) as chosen:
            assert chosen.device == "cuda", chosen.selection.lines()

    def test_the_provider_s_engine_is_built_once(
        self, tiny_export: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import onnxruntime

        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        case = on("onnxruntime-tensorrt", tiny_export.main.with_name("model.fp16.onnx"), tmp_path)
        folder = engine_folder(case.artefact, onnxruntime.__version__)
        written = []
        for _ in range(2):
            with case.open() as network:
                network.run(case.inputs())
            written.append({path.name: path.stat().st_mtime_ns for path in folder.glob("*.engine")})
        assert written[0] and written[0] == written[1]

    @pytest.mark.parametrize("library", ENGINES)
    def test_an_engine_for_another_gpu_is_refused_and_built_again(
        self, tiny_export: Exported, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        found = on(library, tiny_export.main.with_name("model.fp16.onnx"), tmp_path).artefact
        other = msgspec.structs.replace(
            found.card.built_with.engine, compute_capabilities=("5.0",), gpu="another", hardware_compatibility="none"
        )
        foreign = msgspec.structs.replace(found.card.built_with, engine=other)
        card = msgspec.structs.replace(found.card, built_with=foreign)
        card.write(found.path)
        before = found.path.read_bytes()
        with pytest.raises(EdgeganError, match=r"5\.0 \(another\)"):
            open_backend(load(found.path))
        with open_backend(load(found.path), rebuild="auto") as again:
            assert "built again" in " ".join(again.selection.notices)
        assert found.path.read_bytes() == before
