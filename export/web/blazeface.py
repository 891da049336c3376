"""The face detector as ONNX: BlazeFace's TFLite file, operator by operator, for runtimes that read no TFLite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.runtime.types import Float32Array

if TYPE_CHECKING:
    import onnx

SIDE = 128  # pixels of the square that it takes
_OPSET = 17
_NHWC_TO_NCHW = (0, 3, 1, 2)
_ACTIVATIONS = {0: None, 1: "Relu"}  # by TFLite's ActivationFunctionType


def convert_detector(path: Path) -> onnx.ModelProto:
    """Returns the detector with the input "image", (1, 3, 128, 128) float32 RGB in [-1, 1], and two outputs.

    "places" are (1, 896, 16) float32, in pixels about each anchor, and "scores" (1, 896, 1) float32, logits.

    Raises:
        MissingExtraError: the package that reads TFLite files is not installed.
        InputError: the file has an operator, or a form of one, that this detector has not.
    """
    try:
        import tflite
    except ImportError:
        raise MissingExtraError("tflite", "export") from None
    model = tflite.Model.GetRootAs(path.read_bytes(), 0)
    return _Conversion(tflite, model, path).model()


class _Conversion:
    """One graph on its way from TFLite, with channels last, to ONNX, with channels first.

    Tensors go by TFLite's numbers; `constants` are those whose values the file holds, in TFLite's layout.
    """

    def __init__(self, tflite: Any, model: Any, path: Path) -> None:
        self._tflite, self._model, self._path = tflite, model, path
        self._graph = model.Subgraphs(0)
        self._constants: dict[int, Any] = {}
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        self._convert: dict[str, Callable[[Any, list[int], int], None]] = {
            "DEQUANTIZE": self._dequantize,
            "CONV_2D": self._convolution,
            "DEPTHWISE_CONV_2D": self._depthwise,
            "MAX_POOL_2D": self._pool,
            "PAD": self._pad,
            "ADD": self._add,
            "RELU": self._relu,
            "RESHAPE": self._reshape,
            "CONCATENATION": self._concatenate,
        }

    def model(self) -> onnx.ModelProto:
        """The whole graph, checked."""
        import onnx
        from onnx import TensorProto, helper

        for index in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(index)
            kind = self._kind(operator)
            if kind not in self._convert:
                raise InputError(f"{self._path}: the operator {kind}", f"one of: {', '.join(self._convert)}")
            inputs = [int(i) for i in operator.InputsAsNumpy()]
            self._convert[kind](operator, inputs, int(operator.Outputs(0)))
        image = self._name(int(self._graph.Inputs(0)))
        ends = [int(i) for i in self._graph.OutputsAsNumpy()]
        named = {"places": next(i for i in ends if self._shape(i)[-1] > 1)}
        named["scores"] = next(i for i in ends if i != named["places"])
        self._nodes += [helper.make_node("Identity", [self._name(i)], [name]) for name, i in named.items()]
        self._nodes.insert(0, helper.make_node("Identity", ["image"], [image]))
        graph = helper.make_graph(
            self._nodes,
            "blazeface",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(self._shape(i))) for n, i in named.items()],
            self._initializers,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made

    def _kind(self, operator: Any) -> str:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        return str(self._tflite.opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode())))

    def _options(self, operator: Any, kind: str) -> Any:
        options = getattr(self._tflite, kind)()
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(n) for n in self._graph.Tensors(tensor).ShapeAsNumpy())

    def _name(self, tensor: int) -> str:
        return f"t{tensor}"

    def _value(self, tensor: int) -> Any:
        """The values of a constant, in TFLite's layout."""
        if tensor not in self._constants:
            about = self._graph.Tensors(tensor)
            kinds = {self._tflite.TensorType.FLOAT32: "<f4", self._tflite.TensorType.FLOAT16: "<f2"}
            kinds[self._tflite.TensorType.INT32] = "<i4"
            if about.Type() not in kinds:
                raise InputError(f"{self._path}: a constant of TFLite's type {about.Type()}", "float or int32")
            raw = self._model.Buffers(about.Buffer()).DataAsNumpy()
            self._constants[tensor] = np.frombuffer(raw.tobytes(), kinds[about.Type()]).reshape(self._shape(tensor))
        return self._constants[tensor]

    def _constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _node(self, kind: str, inputs: list[str], output: int, activation: int = 0, **attributes: Any) -> None:
        """One node, and the activation that TFLite fuses into it."""
        from onnx import helper

        if activation not in _ACTIVATIONS:
            raise InputError(f"{self._path}: TFLite's activation {activation}", "none, or ReLU")
        after = _ACTIVATIONS[activation]
        name = self._name(output)
        self._nodes.append(helper.make_node(kind, inputs, [f"{name}_raw" if after else name], **attributes))
        if after:
            self._nodes.append(helper.make_node(after, [f"{name}_raw"], [name]))

    def _dequantize(self, operator: Any, inputs: list[int], output: int) -> None:
        self._constants[output] = self._value(inputs[0]).astype(np.float32)

    def _convolution(self, operator: Any, inputs: list[int], output: int) -> None:
        self._convolve(self._options(operator, "Conv2DOptions"), inputs, output, self._value(inputs[1]), groups=1)

    def _depthwise(self, operator: Any, inputs: list[int], output: int) -> None:
        weights = self._value(inputs[1]).transpose(3, 1, 2, 0)  # (1, h, w, channels): one filter for each channel
        options = self._options(operator, "DepthwiseConv2DOptions")
        self._convolve(options, inputs, output, weights, groups=len(weights))

    def _convolve(self, options: Any, inputs: list[int], output: int, weights: Float32Array, groups: int) -> None:
        names = [self._constant(f"w{output}", weights.transpose(_NHWC_TO_NCHW))]
        names.append(self._constant(f"b{output}", self._value(inputs[2]).astype(np.float32)))
        sides = self._sides(options, inputs[0], weights.shape[1:3])
        given = [self._name(inputs[0]), *names]
        self._node("Conv", given, output, options.FusedActivationFunction(), group=groups, **sides)

    def _pool(self, operator: Any, inputs: list[int], output: int) -> None:
        options = self._options(operator, "Pool2DOptions")
        window = (options.FilterHeight(), options.FilterWidth())
        sides = self._sides(options, inputs[0], window)
        self._node("MaxPool", [self._name(inputs[0])], output, options.FusedActivationFunction(), **sides)

    def _sides(self, options: Any, given: int, window: tuple[int, ...]) -> dict[str, Any]:
        """Window, steps and padding; TFLite's "same" puts the odd pixel of the padding behind."""
        steps = (options.StrideH(), options.StrideW())
        before, after = [0, 0], [0, 0]
        if options.Padding() == self._tflite.Padding.SAME:
            for axis, (side, size, step) in enumerate(zip(self._shape(given)[1:3], window, steps, strict=True)):
                total = max(0, (-(-side // step) - 1) * step + size - side)
                before[axis], after[axis] = total // 2, total - total // 2
        return {"kernel_shape": list(window), "strides": list(steps), "pads": [*before, *after]}

    def _pad(self, operator: Any, inputs: list[int], output: int) -> None:
        padding = self._value(inputs[1])[list(_NHWC_TO_NCHW)].astype(np.int64)
        sides = self._constant(f"p{output}", padding.T.reshape(-1))
        self._node("Pad", [self._name(inputs[0]), sides], output)

    def _add(self, operator: Any, inputs: list[int], output: int) -> None:
        fused = self._options(operator, "AddOptions").FusedActivationFunction()
        self._node("Add", [self._name(i) for i in inputs], output, fused)

    def _relu(self, operator: Any, inputs: list[int], output: int) -> None:
        self._node("Relu", [self._name(inputs[0])], output)

    def _reshape(self, operator: Any, inputs: list[int], output: int) -> None:
        from onnx import helper

        last = f"{self._name(output)}_last"  # the values of a cell lie side by side again
        self._nodes.append(helper.make_node("Transpose", [self._name(inputs[0])], [last], perm=[0, 2, 3, 1]))
        shape = self._constant(f"s{output}", np.array(self._shape(output), np.int64))
        self._node("Reshape", [last, shape], output)

    def _concatenate(self, operator: Any, inputs: list[int], output: int) -> None:
        options = self._options(operator, "ConcatenationOptions")
        given = [self._name(i) for i in inputs]
        self._node("Concat", given, output, options.FusedActivationFunction(), axis=options.Axis())
