"""The proof that an engine's network is what its card says, on small networks that TensorRT parses on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.needed import needed

from edgegan.export.trt.precision_check import Proof, prove
from edgegan.runtime.errors import VerifyError

rtx = needed("tensorrt_rtx", "rtx")
HALF, FLOAT = np.float16, np.float32


@pytest.fixture(scope="module")
def trt() -> Any:
    return rtx


def parse(trt: Any, path: Path, *, quantised: str = "", scale: type = HALF, compute: type = HALF, between: str = ""):
    """A convolution and an activation; `quantised` may hold "input" and "weights". Returns what must stay alive."""
    types = {HALF: TensorProto.FLOAT16, FLOAT: TensorProto.FLOAT}
    rng = np.random.default_rng(0)
    constants = {"s": np.array(0.02, scale), "z": np.array(0, np.int8), "half": np.full((4, 3, 3, 3), 0.1, compute)}
    nodes, given, weights = [], "x", "half"
    if "input" in quantised:
        nodes += [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"], name="quantise"),
            helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"], name="dequantise"),
        ]
        given = "xd"
    if "weights" in quantised:
        constants |= {
            "w": rng.integers(-100, 100, (4, 3, 3, 3)).astype(np.int8),
            "ws": np.full(4, 0.01, scale),
            "wz": np.zeros(4, np.int8),
        }
        nodes.append(helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], name="weights", axis=0))
        weights = "wd"
    if between == "Cast":
        for name in ("xd", "wd"):
            nodes.append(helper.make_node("Cast", [name], [f"{name}h"], name=f"cast_{name}", to=types[compute]))
        given, weights = "xdh", "wdh"
    elif between:
        nodes.append(helper.make_node(between, [given], ["between"], name="between"))
        given = "between"
    nodes += [
        helper.make_node("Conv", [given, weights], ["c"], name="convolution", pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["y"], name="activation"),
    ]
    first = scale if "input" in quantised else compute
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", types[first], [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", types[compute], [1, 4, 8, 8])],
        [numpy_helper.from_array(a, n) for n, a in constants.items() if any(n in node.input for node in nodes)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    path = path / "model.onnx"
    onnx.save(model, path)
    log = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(log)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, log)
    assert parser.parse(path.read_bytes())
    return builder, parser, network


BOTH = "input weights"


@pytest.mark.parametrize("between", ["", "Identity"])
def test_int8_with_half_around_it_is_proven(trt: Any, tmp_path: Path, between: str) -> None:
    network = parse(trt, tmp_path, quantised=BOTH, between=between)
    assert prove(trt, network[-1], "int8", (), "m") == Proof(half_layers=2, float_layers=(), int8_layers=1)


def test_half_is_proven(trt: Any, tmp_path: Path) -> None:
    assert prove(trt, parse(trt, tmp_path)[-1], "fp16", (), "m") == Proof(half_layers=2, float_layers=())


@pytest.mark.parametrize("quantised", ["", "input", "weights"])
def test_int8_without_int8_on_both_sides_is_refused(trt: Any, tmp_path: Path, quantised: str) -> None:
    network = parse(trt, tmp_path, quantised=quantised)
    with pytest.raises(VerifyError, match="no convolution that is fed by int8"):
        prove(trt, network[-1], "int8", (), "m")


def test_int8_behind_arithmetic_is_not_what_feeds(trt: Any, tmp_path: Path) -> None:
    network = parse(trt, tmp_path, quantised=BOTH, between="Relu")
    with pytest.raises(VerifyError, match="no convolution that is fed by int8"):
        prove(trt, network[-1], "int8", (), "m")


def test_int8_under_a_card_that_says_fp16_is_refused(trt: Any, tmp_path: Path) -> None:
    network = parse(trt, tmp_path, quantised=BOTH)
    with pytest.raises(VerifyError, match="its card says fp16"):
        prove(trt, network[-1], "fp16", (), "m")


def test_int8_with_float_around_it_is_refused_by_name(trt: Any, tmp_path: Path) -> None:
    network = parse(trt, tmp_path, quantised=BOTH, scale=FLOAT, compute=FLOAT)
    with pytest.raises(VerifyError, match=r"2 of its 2 computing layers.*\n.*convolution \(convolution, FLOAT\)"):
        prove(trt, network[-1], "int8", (), "m")


def test_float_dequantisers_are_refused_by_name(trt: Any, tmp_path: Path) -> None:
    network = parse(trt, tmp_path, quantised=BOTH, scale=FLOAT, between="Cast")
    with pytest.raises(VerifyError, match=r"dequantise \(dequantize, FLOAT\)"):
        prove(trt, network[-1], "int8", (), "m")


def test_a_layer_is_kept_in_float_only_by_name(trt: Any, tmp_path: Path) -> None:
    network = parse(trt, tmp_path, compute=FLOAT)
    with pytest.raises(VerifyError, match="not half"):
        prove(trt, network[-1], "fp16", ("convolution",), "m")
