"""What the converters of small runtimes carry, and how they refuse what they cannot."""

import msgspec
import onnx
import pytest
from onnx import TensorProto, helper
from support import tiny_models
from support.models.mobile import FORMATS

from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.model.artefact import load, parts
from edgegan.runtime.model.card import sidecar

pytestmark = pytest.mark.parametrize("name", FORMATS)


@pytest.fixture
def model(tmp_path):
    return load(tiny_models.write_whole_frame(tmp_path, hw=(32, 32)))


def odd_model(kind, domain=""):
    """An onnx.ModelProto of one operator."""
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 32, 32]) for n in ("image", "edited")]
    node = helper.make_node(kind, ["image"], ["edited"], name="odd", domain=domain)
    graph = helper.make_graph([node], "odd", ports[:1], ports[1:])
    opsets = [helper.make_opsetid("", 18)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


@pytest.mark.parametrize(("kind", "domain"), [("Mystery", "com.example"), ("Hardmax", "")])
def test_an_operator_that_it_cannot_carry_is_named_and_nothing_is_written(model, tmp_path, name, kind, domain):
    save, suffix = FORMATS[name]
    path = tmp_path / f"odd{suffix}"
    with pytest.raises(VerifyError, match=f"cannot carry the operator {kind}\n.*--format"):
        save(odd_model(kind, domain), model.card, path)
    assert not any(part.exists() for part in (*parts(path), sidecar(path)))


def test_the_card_says_what_made_the_file(model, tmp_path, name):
    save, suffix = FORMATS[name]
    made = save(onnx.load(str(model.path)), model.card, tmp_path / f"model{suffix}")
    assert {"mnn": "MNN", "ncnn": "pnnx"}[name] in made.card.built_with.versions
    assert load(made.path).card == made.card and made.card.precision == "fp32"


@pytest.mark.parametrize("change", [{"dtype": "uint8"}, {"shape": (1, 3, "height", "width")}])
def test_bytes_and_open_axes_are_refused_in_words(model, tmp_path, name, change):
    save, suffix = FORMATS[name]
    card = msgspec.structs.replace(model.card, inputs=(msgspec.structs.replace(model.card.inputs[0], **change),))
    with pytest.raises(InputError, match="float32 of a fixed size"):
        save(onnx.load(str(model.path)), card, tmp_path / f"model{suffix}")
