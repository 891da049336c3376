"""float16: what overflows stays float32, is told with its reason, and nothing else stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from edgegan import cli
from edgegan.export import Exported, verify_artefact
from edgegan.export.graph import fp16, trace
from edgegan.runtime import load
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.model import fidelity, golden
from edgegan.runtime.model.golden import Golden


def _chain(scales: tuple[float, float]) -> Any:
    """x * scale * scale -> instance norm -> instance norm with the same constants -> y."""
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["big"], name="mul"),
        helper.make_node("Mul", ["big", "more"], ["bigger"], name="again"),
        helper.make_node("InstanceNormalization", ["bigger", "one", "zero"], ["normal"], name="first"),
        helper.make_node("InstanceNormalization", ["normal", "one", "zero"], ["y"], name="second"),
    ]
    constants = {"scale": scales[0], "more": scales[1], "one": np.ones(2), "zero": np.zeros(2)}
    shape = [1, 2, 8, 8]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(a, np.float32), n) for n, a in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model)


def _run(model: Any, x: Any) -> Any:
    import onnxruntime as ort

    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.mark.parametrize(
    ("scales", "kept"), [((1, 1), set()), ((1, 300), {"first"}), ((1000, 1000), {"again", "first"})]
)
def test_what_overflows_half_stays_fp32_and_nothing_else(scales: tuple[float, float], kept: set[str]) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (4, 2, 8, 8)).astype(np.float32)
    model = _chain(scales)
    found = fp16.find_hurt_by_half(
        model, fp16.measure_ranges(model, Golden({"x": x}, {"y": x})), ("InstanceNormalization",)
    )
    assert set(found) == kept
    half = fp16.to_fp16(model, found, "chain")
    assert set(half.kept) == kept
    assert fidelity.compare(_run(model, x[:1]), _run(half.model, x[:1]), (-2.0, 2.0))["psnr_db"] > 55
    if "again" in kept:  # the reference evaluator computes in half; ONNX Runtime on a CPU only stores weights in it
        with np.errstate(all="ignore"):
            without = ReferenceEvaluator(fp16.to_fp16(model, {}, "chain").model).run(None, {"x": x[:1]})[0]
        assert not np.isfinite(without).all()


def test_the_report_names_each_operator_that_stays_with_its_reason() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (4, 2, 8, 8)).astype(np.float32)
    model = _chain((1000, 1000))
    ranges = fp16.measure_ranges(model, Golden({"x": x}, {"y": x}))
    half = fp16.to_fp16(model, fp16.find_hurt_by_half(model, ranges, ("InstanceNormalization",)), "chain")
    report = fp16.report(half, ranges, "model.fp16.onnx")
    rows = [line.strip("| ").split(" | ") for line in report.splitlines() if line.startswith("|")][2:]
    assert dict(rows) == half.kept and set(half.kept) == {"again", "first"}
    assert f"largest value seen in float32 is {ranges['bigger']:.4g}, in bigger" in report
    assert "{} of {} operators".format(*half.shares.operators) in report


def test_each_fp16_artefact_has_its_report_and_info_points_to_it(
    tiny_export: Exported, capsys: pytest.CaptureFixture[str]
) -> None:
    artefact = load(tiny_export.main.with_name("model.fp16.onnx"))
    report = tiny_export.main.with_name("model.fp16.md").read_text()
    kept = artefact.card.built_with.fp32_nodes
    assert report.startswith("## model.fp16.onnx") and all(f"| {name} |" in report for name in kept)
    assert ("No operator had to stay" in report) != bool(kept)
    with pytest.raises(SystemExit):
        cli.main(["info", str(artefact.path)])
    assert "model.fp16.md beside it" in capsys.readouterr().out


def test_the_notes_of_the_tracer_are_removed() -> None:
    model = _chain((1, 1))
    model.graph.node[0].metadata_props.add(key="pkg.torch.onnx.stack_trace", value="/home/someone/net.py")
    model.graph.node[1].doc_string = "/home/someone/net.py"
    assert b"someone" in model.SerializeToString()
    assert b"someone" not in trace.check_graph(model, "chain").SerializeToString()


def test_the_half_share_is_stated_and_a_float32_file_is_no_fp16_artefact(tiny_export: Exported, tmp_path: Path) -> None:
    half = load(tiny_export.main.with_name("model.fp16.onnx"))
    stated = half.card.built_with
    weights = [t for t in onnx.load(half.path).graph.initializer if t.data_type in (1, 10)]
    share = sum(np.prod(t.dims) for t in weights if t.data_type == 10) / sum(np.prod(t.dims) for t in weights)
    assert stated.half_weights == pytest.approx(share) and share > 0.99
    assert 0 < stated.half_operators[0] <= stated.half_operators[1]
    pretender = trace.save(onnx.load(tiny_export.main), half.card, tmp_path / "model.fp16.onnx")
    with pytest.raises(VerifyError, match=r"is not float16: 0\.00% of the weights"):
        verify_artefact(pretender, golden.beside(half))
    with pytest.raises(VerifyError, match="is not float16"):  # one weight that nothing explains
        mixed = onnx.load(half.path)
        stray = next(t for t in mixed.graph.initializer if t.data_type == TensorProto.FLOAT16)
        stray.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(stray).astype(np.float32), stray.name))
        verify_artefact(trace.save(mixed, half.card, tmp_path / "model.fp16.onnx"), golden.beside(half))


def test_what_the_converter_leaves_in_float32_without_a_reason_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from onnxconverter_common import float16

    monkeypatch.setattr(float16, "convert_float_to_float16", lambda model, **_: model)
    with pytest.raises(VerifyError, match="chain is not float16"):
        fp16.to_fp16(_chain((1, 1)), {}, "chain")
