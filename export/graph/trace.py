"""ExportSpec -> an ONNX model: traced, simplified, shape-inferred, checked; and files of it with their card."""

from __future__ import annotations

import copy
import inspect
import platform
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from edgegan import __version__
from edgegan.runtime.backends.onnxruntime.backend import import_onnxruntime
from edgegan.runtime.errors import MissingExtraError, VerifyError
from edgegan.runtime.files import sha256
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.build_info import BuildInfo
from edgegan.runtime.model.card import METADATA_KEY, ModelCard
from edgegan.runtime.model.onnxfile import seal_model

from .variants import dynamic_shapes, example

if TYPE_CHECKING:
    import torch
    from edgegan.families import ExportSpec

OPSET = 18
_TOOLS = ("torch", "onnx", "onnxscript", "onnxslim")


def to_onnx(spec: ExportSpec) -> Any:
    """The spec's network as an onnx.ModelProto in float32, with the names, shapes and order of its card.

    Raises MissingExtraError without the export extra, VerifyError if the exporter or the checker refuses the network.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 - torch imports it while exporting, with a worse message
        import onnxslim
        import torch
    except ImportError as error:
        raise MissingExtraError(error.name or "onnx", "export") from None

    card = spec.card
    examples = tuple(torch.zeros(example(s, card), dtype=getattr(torch, s.dtype)) for s in card.inputs)
    shapes = dynamic_shapes(card)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "# The axis name")  # two inputs share one batch, as they should
            program = torch.onnx.export(
                spec.module,
                examples,
                dynamo=True,
                opset_version=OPSET,
                external_data=False,
                input_names=[s.name for s in spec.card.inputs],
                output_names=[s.name for s in spec.card.outputs],
                dynamic_shapes=(shapes,) if shapes and _takes_any_number(spec.module) else shapes,
                verbose=False,
            )
        if program is None:
            raise VerifyError(f"{spec.name}: the exporter gave no model")
        import_onnxruntime()  # first, so that its telemetry is off: onnxslim imports it too
        model = onnxslim.slim(program.model_proto)
        return check_graph(model, spec.card.name)
    except (
        torch.onnx.errors.OnnxExporterError,
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
    ) as error:
        raise VerifyError(f"{spec.name} cannot be written as ONNX: {str(error).strip().splitlines()[0]}") from error


def _takes_any_number(module: torch.nn.Module) -> bool:
    """Whether `forward` is written with `*inputs`, which the tracer then takes for one argument."""
    kinds = [parameter.kind for parameter in inspect.signature(module.forward).parameters.values()]
    return inspect.Parameter.VAR_POSITIONAL in kinds


def check_graph(model: Any, name: str) -> Any:
    """`model` with fresh shape inference and our name, without the tracer's notes, past ONNX's full check."""
    import onnx

    # The exporter notes each node's source lines, with the paths of the machine that exported.
    for thing in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer, model.graph):
        thing.doc_string = ""
        del thing.metadata_props[:]
    del model.graph.value_info[:]
    del model.metadata_props[:]
    model.graph.name, model.producer_name, model.producer_version = name, "edgegan", __version__
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"  # errors and engines name the nodes
    model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    onnx.checker.check_model(model, full_check=True)
    return model


def rebuild_graph(model: Any, nodes: Sequence[Any], constants: Sequence[Any], name: str) -> Any:
    """`model` with these nodes, and those of its initializers and of `constants` that they read; as `check_graph`.

    The model itself is changed; `nodes` may be its own.
    """
    nodes = [copy.deepcopy(node) for node in nodes]
    used = {tensor for node in nodes for tensor in node.input}
    kept = [copy.deepcopy(i) for i in (*model.graph.initializer, *constants) if i.name in used]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(kept)
    return check_graph(model, name)


def save(model: Any, card: ModelCard, path: Path) -> Artefact:
    """Writes the model with what is `lasting` of `card` in its metadata, sealed; and the sidecar with the file's hash.

    The file holds no figures: whoever measures it puts these on the sidecar alone. Raises OSError on a full disk.
    """
    import onnx

    onnx.helper.set_model_props(model, {METADATA_KEY: card.lasting.to_json().decode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(seal_model(model.SerializeToString(deterministic=True)))
    card = msgspec.structs.replace(card, payload_sha256=sha256(path))
    card.write(path)
    return Artefact(path, card)


def build_info(*more: str) -> BuildInfo:
    """The versions of everything that had a hand in an ONNX file, the packages `more` included, and the machine."""
    tools = {"edgegan": __version__, "python": platform.python_version(), **versions(*_TOOLS, *more)}
    return BuildInfo(versions=tools, system=f"{platform.system()} {platform.machine()}")


def versions(*packages: str) -> dict[str, str]:
    """The versions of those of the packages that are installed, by the names that pip knows."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
