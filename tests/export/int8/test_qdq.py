"""INT8 as Q/DQ in ONNX: only the layers with weights are quantised, on grids that their runtimes take."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.models.byte_products import EXACT

from edgegan.export.graph import fp16
from edgegan.export.graph.trace import check_graph
from edgegan.export.int8 import qdq, ranges
from edgegan.export.int8.search import Goal
from edgegan.export.trt import precision_check
from edgegan.runtime.backends.openvino.library import process_core
from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.model import golden
from edgegan.runtime.model.fidelity import compare
from edgegan.runtime.model.golden import Golden

RANGE = (-1.0, 1.0)


@pytest.fixture(scope="module")
def model(trained):
    return check_graph(onnx.load(str(trained.path)), "trained")


@pytest.fixture(scope="module")
def half(model):
    return fp16.to_fp16(model, {}, "trained").model


@pytest.fixture(scope="module")
def pairs(trained) -> Golden:
    found = golden.read(trained.path.with_name("golden.npz"), "model")
    return Golden({n: a[:6] for n, a in found.inputs.items()}, {n: a[:6] for n, a in found.outputs.items()})


@pytest.fixture(scope="module")
def for_cpu(model, pairs) -> qdq.Calibrated:
    return qdq.calibrate(model, pairs, signed=False)


@pytest.fixture(scope="module")
def for_tensorrt(model, pairs) -> qdq.Calibrated:
    return qdq.calibrate(model, pairs, signed=True)


def constants(model) -> dict[str, np.ndarray]:
    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}


def worst_in_openvino(model, pairs: Golden) -> float:
    core = process_core()
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(core.read_model(model.SerializeToString()), "CPU", options).create_infer_request()
    return min(compare(e["edited"], request.infer(dict(i))[0], RANGE)["psnr_db"] for i, e in pairs.calls())


def test_the_form_for_cpus_is_right_in_both_runtimes_even_behind_a_concat(model, for_cpu, pairs):
    form = qdq.QdqForm(model, for_cpu, Goal(pairs, RANGE, 40.0))
    assert "Concat" in {node.op_type for node in model.graph.node}
    assert form.worst_db((), pairs) > 45.0
    assert worst_in_openvino(form.variant(()), pairs) > 45.0


def test_openvino_runs_every_quantised_layer_in_int8(model, for_cpu):
    core = process_core()
    file = qdq.quantise(model, for_cpu, (), "m").SerializeToString()
    run = core.compile_model(core.read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).get_runtime_model()
    about = [{key: str(op.get_rt_info()[key].value) for key in ("layerType", "primitiveType")} for op in run.get_ops()]
    layers = [a["primitiveType"] for a in about if a["layerType"] in ("Convolution", "Deconvolution")]
    assert len(layers) == 14 and all(kind.upper().endswith("I8") for kind in layers), layers


def test_only_layers_with_weights_read_quantised_values(model, for_cpu):
    found = qdq.quantise(model, for_cpu, (), "m")
    rounded = {n.output[0] for n in found.graph.node if n.op_type == "DequantizeLinear"}
    readers = {node.op_type for node in found.graph.node if rounded & set(node.input)}
    assert readers == {"Conv", "ConvTranspose"}
    kinds = Counter(node.op_type for node in found.graph.node)
    assert kinds["QuantizeLinear"] == 14 and kinds["DequantizeLinear"] == 28  # inputs; inputs and weights
    assert len(for_cpu.layers) == 14
    before = Counter(node.op_type for node in model.graph.node)
    assert {kind: kinds[kind] for kind in before} == dict(before)


def test_layers_in_float_are_as_they_were(model, for_cpu, pairs):
    names = [layer.name for layer in for_cpu.layers]
    assert [n.op_type for n in qdq.quantise(model, for_cpu, names, "m").graph.node] == [
        n.op_type for n in model.graph.node
    ]
    form = qdq.QdqForm(model, for_cpu, Goal(pairs, RANGE, 40.0), skip=names[:1])
    assert form.layers == for_cpu.layers[1:]
    first = next(n for n in form.variant(()).graph.node if n.name == names[0])
    assert list(first.input) == list(next(n for n in model.graph.node if n.name == names[0]).input)
    assert form.worst_db(names, pairs) > 100.0


def test_multiply_accumulates_are_those_of_the_layers(for_cpu):
    macs = {layer.name: layer.macs for layer in for_cpu.layers}
    assert macs["node_Conv_129"] == 32 * 11 * 8 * 8 * 64 * 64  # stride 2 from 128 x 128
    assert macs["node_convolution_2"] == 32 * 4 * 8 * 8 * 64 * 64  # once for each pixel that goes in


def test_tensorrt_gets_symmetric_signed_levels_and_scales_in_half(half, for_tensorrt):
    found = qdq.quantise(half, for_tensorrt, (), "m")
    assert found.opset_import[0].version == qdq.HALF_OPSET
    held = constants(found)
    for node in found.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            assert held[node.input[1]].dtype == np.float16
            assert len(node.input) < 3 or (held[node.input[2]] == np.int8(0) and held[node.input[2]].dtype == np.int8)
    levels = [array for name, array in held.items() if name.endswith(".int8")]
    assert len(levels) == 14
    assert all(a.dtype == np.int8 and a.min() >= -127 and max(a.max(), -a.min()) >= 126 for a in levels)


@pytest.mark.skipif(find_spec("tensorrt_rtx") is None, reason="needs tensorrt-rtx")
def test_the_file_for_tensorrt_is_proven_and_no_other_is(model, half, for_cpu, for_tensorrt):
    import tensorrt_rtx as trt

    def network(found):
        log = trt.Logger(trt.Logger.ERROR)
        builder = trt.Builder(log)
        network = builder.create_network(0)
        parser = trt.OnnxParser(network, log)
        return (builder, parser, network) if parser.parse(found.SerializeToString()) else None

    few = [layer.name for layer in for_tensorrt.layers[:4]]
    _, _, parsed = kept = network(qdq.quantise(half, for_tensorrt, few, "m"))
    seen = precision_check.prove(trt, parsed, "int8", (), "m")
    assert seen.int8_layers == 10 and seen.half_layers > 30 and not seen.float_layers and kept
    layers = [parsed.get_layer(i) for i in range(parsed.num_layers)]
    types = {(layer.type.name, layer.get_output_type(0).name) for layer in layers}
    expected = {("QUANTIZE", "INT8"), ("DEQUANTIZE", "HALF"), ("CONVOLUTION", "HALF"), ("DECONVOLUTION", "HALF")}
    assert expected <= types and len({t for t in types if t[0] in dict(expected)}) == len(expected)

    _, _, single = held = network(qdq.quantise(model, for_tensorrt, (), "m"))
    with pytest.raises(VerifyError, match="not a float16 network"):
        precision_check.prove(trt, single, "int8", (), "m")
    assert held and network(qdq.quantise(model, for_cpu, (), "m")) is None  # unsigned: TensorRT cannot read it


def layer_model(kind: str, weights: np.ndarray, shape: tuple[int, ...], **attributes: int):
    node = helper.make_node(kind, ["x", "w"], ["y"], name="layer", **attributes)
    twin = helper.make_node(kind, ["x", "w"], ["z"], name="twin", **attributes)
    total = helper.make_node("Add", ["y", "z"], ["sum"], name="sum")
    graph = helper.make_graph(
        [node, twin, total],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w")],
    )
    return check_graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), "g")


@pytest.mark.parametrize(
    ("kind", "weights", "shape", "channel", "attributes"),
    [
        ("Conv", (6, 4, 3, 3), (1, 4, 9, 9), 0, {}),
        ("Conv", (6, 2, 3, 3), (1, 4, 9, 9), 0, {"group": 2}),
        ("Gemm", (6, 40), (1, 40), 0, {"transB": 1}),
        ("Gemm", (40, 6), (1, 40), 1, {}),
        ("MatMul", (40, 6), (1, 9, 40), 1, {}),
        ("ConvTranspose", (4, 6, 3, 3), (1, 4, 9, 9), None, {}),
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_small_output_channels_keep_scales_of_their_own(kind, weights, shape, channel, attributes, signed):
    rng = np.random.default_rng(1)
    array = rng.normal(size=weights).astype(np.float32)
    if channel is not None:
        array[(slice(None),) * channel + (0,)] *= 1e-3
    model = layer_model(kind, array, shape, **attributes)
    pictures = Golden({"x": rng.normal(size=(16, *shape[1:])).astype(np.float32)}, {"sum": np.zeros(16)})
    found = qdq.quantise(model, qdq.calibrate(model, pictures, signed=signed), (), "g")
    kinds = Counter(node.op_type for node in found.graph.node)
    assert kinds["QuantizeLinear"] == 1 and kinds["DequantizeLinear"] == 2  # two layers read one picture, one weight
    sessions = [ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]) for m in (model, found)]
    exact, seen = (np.concatenate([s.run(None, x)[0] for x, _ in pictures.calls()]) for s in sessions)
    axis = 1 if "Conv" in kind else exact.ndim - 1
    for i in range(6):
        one, other = exact.take(i, axis), seen.take(i, axis)
        assert np.mean((one - other) ** 2) < (0.03 if EXACT else 0.06) ** 2 * np.mean(one**2), f"channel {i}"


def test_a_model_without_weights_is_refused(pairs):
    node = helper.make_node("Relu", ["x"], ["y"], name="relu")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "g", [value("x", TensorProto.FLOAT, [1, 3])], [value("y", TensorProto.FLOAT, [1, 3])]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    with pytest.raises(InputError, match="nothing in this model"):
        qdq.calibrate(model, pairs, signed=True)


def round_to(values: np.ndarray, grid: ranges.Grid) -> np.ndarray:
    levels = np.iinfo(grid.dtype)
    return (np.clip(np.rint(values / grid.scale) + grid.zero, levels.min, levels.max) - grid.zero) * grid.scale


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("draw", ["normal", "relu", "negative", "heavy"])
def test_the_range_errs_less_than_the_extremes_do(signed, draw):
    rng = np.random.default_rng(2)
    values = rng.standard_t(3, 20000) if draw == "heavy" else rng.normal(size=20000)
    values = {"relu": np.maximum(values, 0), "negative": -np.abs(values)}.get(draw, values).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2500])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2500])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    pictures = Golden({"x": values.reshape(8, 2500)}, {"y": np.zeros(8)})
    grid = ranges.grids(model, ["x"], pictures, signed=signed)["x"]
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    scale = max(-low, high) / 127 if signed else (high - low) / 255
    widest = ranges.Grid(scale, 0 if signed else round(-low / scale), signed)
    error, naive = (float(np.mean((round_to(values, g) - values) ** 2)) for g in (grid, widest))
    assert error < naive and round_to(np.zeros(1), grid)[0] == 0.0
    assert (grid.zero == 0) if signed or draw == "relu" else (0 < grid.zero <= 255)


def test_a_tensor_of_zeros_has_a_grid():
    assert ranges._best_grid(np.zeros(ranges._BINS), (0.0, 0.0), False).scale > 0
