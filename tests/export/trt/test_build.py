"""A real TensorRT engine, built on the CPU: float16 by proof, pure bytes, and honest about not having run."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import types
from pathlib import Path
from typing import Any

import msgspec
import onnx
import pytest
from onnx import TensorProto, helper
from support.needed import needed

from edgegan.export import EngineOptions, Exported, Request, engine_from_onnx, export_run
from edgegan.export.graph import fp16, trace, variants
from edgegan.export.trt import gpu
from edgegan.export.trt.build import Job, build_engine, library
from edgegan.export.trt.options import TARGETS, capabilities
from edgegan.export.trt.subprocess import build_apart
from edgegan.runtime import load
from edgegan.runtime.backends.nvidia import extras
from edgegan.runtime.errors import BackendError, CardError, InputError, MissingExtraError, VerifyError
from edgegan.runtime.files import sha256
from edgegan.runtime.model.artefact import Artefact
from edgegan.train.folder.run import Run

needed("tensorrt_rtx", "rtx")
SINGLE = ("InstanceNormalization", "Conv", "ConvTranspose")  # operators that are one layer of a network of TensorRT's
COMPUTING = (*SINGLE, "Gemm", "MatMul")
OPTIONS = EngineOptions(compute_capabilities=("8.6", "8.9"))


@pytest.fixture(scope="module")
def trt() -> Any:
    return library("tensorrt_rtx")


def count_computing(path: Path) -> int:
    return sum(node.op_type in COMPUTING for node in onnx.load(path).graph.node)


def job(path: Path, *keep: str) -> Job:
    return Job(path, keep_fp32=keep, options=OPTIONS)


def test_the_engine_is_built_proven_and_said_not_to_have_run(tiny_export: Exported) -> None:
    if isinstance(gpu.find_gpu(), gpu.Gpu):
        pytest.skip("there is a GPU here, so the engine was run")
    artefact = load(tiny_export.main.parent / "model.fp16.engine")  # checks the hash
    card = artefact.card
    found = card.verification["tensorrt"]
    assert found.status == "not_run" and "not run" in found.reason and found.tolerance["min_psnr_db"] >= 45
    assert found.psnr_worst_db is None and found.max_abs is None
    assert card.precision == "fp16" and card.built_with.engine.half_layers >= count_computing(tiny_export.main)
    assert card.parent_sha256 == sha256(tiny_export.main.parent / "model.fp16.onnx")
    assert card.built_with.engine.compute_capabilities == TARGETS
    assert card.inputs == load(tiny_export.main.parent / "model.onnx").card.inputs
    assert artefact.golden is not None  # what the first load on a GPU runs
    row = next(r for r in tiny_export.rows if r.path == artefact.path)
    assert row.verification.status == "not_run"
    assert any("not run" in note for note in tiny_export.notes)


def test_the_file_is_the_engine_and_nothing_else(tiny_export: Exported, trt: Any, tmp_path: Path) -> None:
    parent = load(tiny_export.main.parent / "model.fp16.onnx")
    artefact, built = engine_from_onnx(parent, tmp_path / "model.fp16.engine")
    assert artefact.path.read_bytes() == built.data and artefact.card.payload_sha256 == sha256(artefact.path)
    runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
    validity, _ = runtime.get_engine_validity(built.data)
    malformed = runtime.get_engine_validity(b"card" + built.data)
    assert malformed[1] != runtime.get_engine_validity(built.data)[1], validity


def test_a_float32_file_is_no_float16_engine(tiny_export: Exported, trt: Any) -> None:
    with pytest.raises(VerifyError, match="not a float16 network") as refused:
        build_engine(trt, job(tiny_export.main.parent / "model.onnx"))
    assert "FLOAT" in refused.value.expected


def test_one_float32_layer_is_refused_unless_it_was_meant(tiny_export: Exported, trt: Any, tmp_path: Path) -> None:
    model = onnx.load(tiny_export.main.parent / "model.onnx")
    node = next(n.name for n in model.graph.node if n.op_type in SINGLE)
    path = tmp_path / "mixed.onnx"
    onnx.save(fp16.to_fp16(model, {node: "a test"}, "mixed").model, path)
    with pytest.raises(VerifyError, match=r"1 of its \d+ computing layers") as refused:
        build_engine(trt, job(path))
    assert node in refused.value.expected
    built = build_engine(trt, job(path, node))
    assert built.proof.float_layers == (node,) and built.proof.half_layers >= count_computing(path) - 1


def test_kept_nodes_travel_on_the_card_of_the_onnx_file(tiny_export: Exported, tmp_path: Path) -> None:
    model = onnx.load(tiny_export.main.parent / "model.onnx")
    node = next(n.name for n in model.graph.node if n.op_type in SINGLE)
    card = load(tiny_export.main.parent / "model.fp16.onnx").card
    card = msgspec.structs.replace(card, built_with=msgspec.structs.replace(card.built_with, fp32_nodes=(node,)))
    parent = trace.save(fp16.to_fp16(model, {node: "a test"}, "m").model, card, tmp_path / "model.fp16.onnx")
    artefact, built = engine_from_onnx(parent, tmp_path / "model.fp16.engine")
    assert built.proof.float_layers == (node,) and artefact.card.built_with.fp32_nodes == (node,)


def test_bytes_and_open_axes_are_built_for_the_range_of_the_card(tiny_run: Run, trt: Any, tmp_path: Path) -> None:
    spec = tiny_run.family.exportable(tiny_run.cfg, tiny_run.family.networks(tiny_run.cfg), tiny_run.data)[0]
    spec = variants.with_bytes(variants.with_open_axes(spec, batch=True, size=spec.dynamic_multiple is not None))
    model = fp16.to_fp16(trace.to_onnx(spec), {}, spec.name).model
    parent = trace.save(model, msgspec.structs.replace(spec.card, precision="fp16"), tmp_path / "model.fp16.onnx")
    card = engine_from_onnx(parent, tmp_path / "model.fp16.engine", options=OPTIONS)[0].card
    ranges = {"batch": card.batch}
    if card.size.min_hw and card.size.max_hw:
        ranges |= dict(zip(("height", "width"), zip(card.size.min_hw, card.size.max_hw, strict=True), strict=True))
    for port in card.inputs:
        low, _, high = card.built_with.engine.profile[port.name]
        for i, shape in enumerate((low, high)):
            assert shape == tuple(a if isinstance(a, int) else ranges[a][i] for a in port.shape)
    assert any(port.dtype == "uint8" for port in (*card.inputs, *card.outputs))


def test_an_axis_without_a_range_is_refused(tiny_export: Exported, tmp_path: Path) -> None:
    parent = load(tiny_export.main.parent / "model.fp16.onnx")
    first = msgspec.structs.replace(parent.card.inputs[0], shape=("frames", *parent.card.inputs[0].shape[1:]))
    card = msgspec.structs.replace(parent.card, inputs=(first, *parent.card.inputs[1:]))
    with pytest.raises(CardError, match="how large 'frames'"):
        engine_from_onnx(Artefact(parent.path, card), tmp_path / "model.fp16.engine", options=OPTIONS)
    assert not (tmp_path / "model.fp16.engine").exists()


def test_a_float32_artefact_gives_no_engine(tiny_export: Exported, tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"model\.onnx is fp32"):
        engine_from_onnx(load(tiny_export.main.parent / "model.onnx"), tmp_path / "model.engine")


def test_an_unreadable_node_is_named(trt: Any, tmp_path: Path) -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Strange", ["x"], ["y"], name="the_strange_one", domain="elsewhere")],
        "g",
        [value("x", TensorProto.FLOAT16, [1, 3, 8, 8])],
        [value("y", TensorProto.FLOAT16, [1, 3, 8, 8])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("elsewhere", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "strange.onnx")
    with pytest.raises(InputError, match="the_strange_one"):
        build_engine(trt, job(tmp_path / "strange.onnx"))
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "strange.onnx").read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cannot read cut\.onnx"):
        build_engine(trt, job(tmp_path / "cut.onnx"))


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def children() -> list[int]:
    """The building processes that this one has started and that still run."""
    pids = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(p) for p in pids if "edgegan.export.trt.subprocess" in Path(f"/proc/{p}/cmdline").read_text()]


def test_progress_is_told_and_ctrl_c_stops_the_build(tiny_export: Exported, trt: Any) -> None:
    path = tiny_export.main.parent / "model.fp16.onnx"
    told: list[tuple[str, int, int]] = []
    built = build_apart("tensorrt_rtx", job(path), on_progress=lambda *step: told.append(step))
    assert told and all(1 <= done <= total for _, done, total in told)
    assert built.data[:4] == build_engine(trt, job(path)).data[:4] and built.proof.half_layers > 3
    with pytest.raises(KeyboardInterrupt):
        build_apart("tensorrt_rtx", job(path), on_progress=interrupt)
    assert not children()


def test_errors_of_the_building_process_arrive_as_they_were(tiny_export: Exported, trt: Any) -> None:
    with pytest.raises(VerifyError, match="is not a float16 network"):
        build_apart("tensorrt_rtx", job(tiny_export.main.parent / "model.onnx"))


def test_a_crash_while_building_is_an_error_not_the_end(tiny_export: Exported, trt: Any) -> None:
    def kill_the_child(*_: object) -> None:
        for pid in children():
            os.kill(pid, signal.SIGSEGV)

    with pytest.raises(BackendError, match="SIGSEGV"):
        build_apart("tensorrt_rtx", job(tiny_export.main.parent / "model.fp16.onnx"), on_progress=kill_the_child)


def test_ctrl_c_during_the_build_leaves_no_export(tiny_run: Run, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if ".engine" in what:
            interrupt()

    with pytest.raises(KeyboardInterrupt):
        export_run(Request(tiny_run.folder, tmp_path / "out", trt=True, pictures=1), stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["8.6.1", "10.2.0", "12.0.0.1"])
def test_unfit_versions_of_tensorrt_are_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", types.SimpleNamespace(__version__=version))
    with pytest.raises(BackendError, match=r"10\.3 to 11"):
        library("tensorrt")


@pytest.mark.parametrize("version", ["10.3.0", "10.13.3.9", "11.5.0.7"])
def test_fit_versions_are_taken(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.SimpleNamespace(__version__=version)
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    assert library("tensorrt") is module


def test_the_library_fits_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here, installed = gpu.Gpu("a GPU", "8.9", ""), {"tensorrt", "tensorrt_rtx"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in installed else None)
    assert gpu.choose_library(here) == "tensorrt" and gpu.choose_library("no GPU") == "tensorrt_rtx"
    installed.remove("tensorrt")
    assert gpu.choose_library(here) == "tensorrt_rtx"
    installed.clear()
    for found, extra in ((here, "gpu"), ("no GPU", "rtx")):
        with pytest.raises(MissingExtraError, match=rf"edgegan\[{extra}\]"):
            gpu.choose_library(found)


@pytest.mark.parametrize("capability", ["7.2", "8.7", "11.0"])
def test_a_jetson_is_never_given_to_tensorrt_for_rtx(
    capability: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It has no kernels for Orin (8.7): none of its compute capabilities is a Jetson's."""
    assert capability not in capabilities(library("tensorrt_rtx"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name == "tensorrt_rtx" else None)
    with pytest.raises(MissingExtraError, match="'tensorrt'"):
        gpu.choose_library(gpu.Gpu("Orin", capability, ""))
    (tmp_path / "release").touch()
    monkeypatch.setattr(extras, "JETSON", tmp_path / "release")
    with pytest.raises(MissingExtraError, match="comes with JetPack.*--system-site-packages"):
        gpu.choose_library("cuda-python is missing")


def test_an_engine_without_its_hash_is_not_loaded(tiny_export: Exported, tmp_path: Path) -> None:
    source = load(tiny_export.main.parent / "model.fp16.engine")
    copy = tmp_path / "model.fp16.engine"
    copy.write_bytes(source.path.read_bytes()[:-1] + b"\0")
    source.card.write(copy)
    with pytest.raises(Exception, match="SHA-256"):
        load(copy)
    assert isinstance(source, Artefact)
