"""Which artefacts an export makes: every combination is either made or refused with what can be."""

from __future__ import annotations

from itertools import product

import pytest

from edgegan.export.matrix import FORMATS, INT8_IN_HALF, POSSIBLE, Wanted, plan
from edgegan.runtime import InputError


def test_the_usual_export_is_onnx_in_two_precisions():
    assert plan((), (), trt=False) == (Wanted("fp32", "onnx"), Wanted("fp16", "onnx"))
    assert Wanted("fp16", "engine") in plan((), (), trt=True)


@pytest.mark.parametrize(("precision", "form"), list(product(POSSIBLE, FORMATS)))
def test_each_pair_is_made_or_refused(precision, form):
    if form in POSSIBLE[precision]:
        made = plan((precision,), (form,), trt=False)
        assert Wanted(precision, form) in made and made[0] == Wanted("fp32", "onnx")
    else:
        with pytest.raises(InputError, match="what can be made"):
            plan((precision,), (form,), trt=False)


def test_an_engine_brings_the_files_it_is_built_from():
    assert Wanted("fp16", "onnx") in plan(("fp16",), ("engine",), trt=False)
    made = plan(("int8",), ("engine",), trt=False)
    assert made == (Wanted("fp32", "onnx"), Wanted("fp16", "onnx"), INT8_IN_HALF, Wanted("int8", "engine"))
    assert INT8_IN_HALF not in plan(("int8",), ("onnx", "openvino"), trt=False)


def test_int8_is_an_onnx_file_unless_another_form_is_asked_for():
    assert plan(("int8",), (), trt=False) == (Wanted("fp32", "onnx"), Wanted("int8", "onnx"))
    assert Wanted("int8", "engine") not in plan(("int8",), (), trt=True)  # --trt stands for the float16 engine


@pytest.mark.parametrize(("precisions", "formats"), [(("fp8",), ()), ((), ("tflite",))])
def test_unknown_words_are_refused_with_those_there_are(precisions, formats):
    with pytest.raises(InputError, match="there are: "):
        plan(precisions, formats, trt=False)


def test_file_names_differ_for_all_artefacts():
    names = [w.file("model") for w in (INT8_IN_HALF, *(Wanted(p, f) for p, forms in POSSIBLE.items() for f in forms))]
    assert len(set(names)) == len(names)
    assert {"model.onnx", "model.int8.xml", "model.int8.onnx", "model.int8.engine"} < set(names)
