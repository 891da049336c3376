"""What the converters of small runtimes carry, and how they refuse what they cannot."""

import msgspec
import pytest
import torch
from onnx import TensorProto, helper
from support import tiny_models
from support.models.mobile import SAVE, SUFFIXES, network

from edgegan.export.mobile import converter
from edgegan.export.mobile.program import trace_program
from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.model.artefact import load, parts
from edgegan.runtime.model.card import sidecar

pytestmark = pytest.mark.parametrize("name", SAVE)


@pytest.fixture
def model(tmp_path):
    return load(tiny_models.write_whole_frame(tmp_path, hw=(32, 32)))


# Operators that no converter knows, and that some do not.
ODD = {"mnn": ("Mystery", "Hardmax"), "ncnn": ("Mystery", "Hardmax"), "litert": ("histc", "special_bessel_j0")}


class OddNetwork(torch.nn.Module):
    """One function of PyTorch's."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, image):
        return getattr(torch.ops.aten, self.kind)(image)


def odd_model(kind):
    """An onnx.ModelProto of one operator."""
    domain = "com.example" if kind == "Mystery" else ""
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 32, 32]) for n in ("image", "edited")]
    node = helper.make_node(kind, ["image"], ["edited"], name="odd", domain=domain)
    graph = helper.make_graph([node], "odd", ports[:1], ports[1:])
    opsets = [helper.make_opsetid("", 18)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


@pytest.mark.parametrize("which", [0, 1])
def test_an_operator_that_it_cannot_carry_is_named_and_nothing_is_written(model, tmp_path, name, which):
    kind = ODD[name][which]
    odd = trace_program(OddNetwork(kind), model.card) if name == "litert" else odd_model(kind)
    path = tmp_path / f"odd{SUFFIXES[name]}"
    with pytest.raises(VerifyError, match=f"cannot carry the operator {kind}\n.*--format"):
        SAVE[name](odd, model.card, path)
    assert not any(part.exists() for part in (*parts(path), sidecar(path)))


def test_the_card_says_what_made_the_file(model, tmp_path, name):
    made = SAVE[name](network(model, name), model.card, tmp_path / f"model{SUFFIXES[name]}")
    assert {"mnn": "MNN", "ncnn": "pnnx", "litert": "litert-torch"}[name] in made.card.built_with.versions
    assert load(made.path).card == made.card and made.card.precision == "fp32"


@pytest.mark.parametrize("change", [{"dtype": "uint8"}, {"shape": (1, 3, "height", "width")}])
def test_bytes_and_open_axes_are_refused_in_words(model, tmp_path, name, change):
    card = msgspec.structs.replace(model.card, inputs=(msgspec.structs.replace(model.card.inputs[0], **change),))
    with pytest.raises(InputError, match="float32 of a fixed size"):
        SAVE[name](network(model, name), card, tmp_path / f"model{SUFFIXES[name]}")


def test_the_converter_that_takes_too_long_is_ended_and_said(model, tmp_path, name, monkeypatch):
    monkeypatch.setattr(converter, "_LIMIT_S", 0.01)
    with pytest.raises(VerifyError, match="not ready after"):
        SAVE[name](network(model, name), model.card, tmp_path / f"model{SUFFIXES[name]}")
    assert not any(part.exists() for part in parts(tmp_path / f"model{SUFFIXES[name]}"))
