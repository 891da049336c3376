"""Which artefacts an export makes: every combination is either made or refused with what can be."""

from __future__ import annotations

from itertools import product

import pytest

from edgegan.export.matrix import FORMATS, POSSIBLE, Wanted, plan
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


def test_an_engine_brings_the_file_it_is_built_from():
    assert Wanted("fp16", "onnx") in plan(("fp16",), ("engine",), trt=False)


@pytest.mark.parametrize(("precisions", "formats"), [(("fp8",), ()), ((), ("tflite",))])
def test_unknown_words_are_refused_with_those_there_are(precisions, formats):
    with pytest.raises(InputError, match="there are: "):
        plan(precisions, formats, trt=False)


def test_file_names_differ_for_all_artefacts():
    names = [Wanted(p, f).file("model") for p, forms in POSSIBLE.items() for f in forms]
    assert len(set(names)) == len(names)
    assert "model.onnx" in names and "model.int8.xml" in names
