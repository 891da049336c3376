"""A network behind other ports is the same network: bytes in and out, batches, sizes."""

from __future__ import annotations

import re

import numpy as np
import onnxruntime as ort
import pytest
import torch

from edgegan.export.graph import trace, variants
from edgegan.export.verify.check import verify_artefact
from edgegan.export.verify.reference import eager_pairs
from edgegan.export.verify.targets import open_unchecked
from edgegan.export.verify.worst_sample import worst_sheet
from edgegan.families import ExportSpec
from edgegan.runtime import InputError
from edgegan.runtime.backends.device import Target
from edgegan.runtime.model.image import postprocess, preprocess
from edgegan.train.folder.run import Run, open_trained


@pytest.fixture(scope="module")
def spec(tiny_run: Run) -> ExportSpec:
    run, nets, _ = open_trained(tiny_run.folder)
    return run.family.exportable(run.cfg, nets, run.data)[0]


def _session(spec: ExportSpec) -> ort.InferenceSession:
    return ort.InferenceSession(trace.to_onnx(spec).SerializeToString(), providers=["CPUExecutionProvider"])


def test_bytes_in_and_out_are_what_the_runtime_computes_around_the_float_model(spec):
    behind = variants.with_bytes(spec)
    pairs = eager_pairs(behind, 2)
    session = _session(behind)
    assert {s.dtype for s in behind.card.outputs} == {"uint8"}
    for given, expected in pairs.calls():
        (seen,) = session.run(None, given)
        assert np.abs(seen.astype(int) - expected[behind.card.outputs[0].name]).max() <= 1
        if "image" in given:  # from the camera's pixels to the window's, without and with the graph's arithmetic
            bgr = given["image"][0][:, :, ::-1]
            inputs = {**given, "image": preprocess(spec.card, np.ascontiguousarray(bgr))}
            with torch.inference_mode():
                tensor = spec.module(*(torch.from_numpy(inputs[s.name]) for s in spec.card.inputs)).numpy()
            by_hand = postprocess(spec.card, tensor)[:, :, ::-1]
            assert np.abs(seen[0].astype(int) - by_hand).max() <= 1


def test_an_open_batch_gives_what_singles_give(spec):
    opened = variants.with_open_axes(spec, batch=True, size=False)
    pairs = eager_pairs(spec, 3)
    session = _session(opened)
    name = spec.card.outputs[0].name
    given = {k: v[:3] for k, v in pairs.inputs.items()}
    (seen,) = session.run([name], given)
    assert seen.shape[0] == len(next(iter(given.values())))
    np.testing.assert_allclose(seen, pairs.outputs[name][:3], atol=1e-4)
    assert opened.card.batch == (1, variants.MAX_BATCH)


def test_an_open_size_takes_every_multiple_in_the_range_on_the_card(spec):
    if spec.dynamic_multiple is None:
        with pytest.raises(InputError, match="fixed size"):
            variants.with_open_axes(spec, batch=False, size=True)
        return
    opened = variants.with_open_axes(spec, batch=False, size=True)
    session = _session(opened)
    rule = opened.card.size
    for hw in (rule.min_hw, (rule.min_hw[0] + rule.multiple, rule.min_hw[1] + 3 * rule.multiple)):
        rule.check(hw)
        pairs = eager_pairs(variants.with_size(spec, hw), 1)
        given = {k: v[:1] for k, v in pairs.inputs.items()}
        name = spec.card.outputs[0].name
        np.testing.assert_allclose(session.run([name], given)[0], pairs.outputs[name][:1], atol=1e-4)
    with pytest.raises(InputError):
        rule.check((rule.min_hw[0] + 1, rule.min_hw[1]))


def test_tolerances_are_in_grey_levels(spec):
    behind = variants.with_bytes(spec)
    assert behind.tolerances["fp32"].max_abs == variants.LEVEL
    assert all(t.min_psnr_db is None or t.min_psnr_db <= variants.ROUNDED_DB for t in behind.tolerances.values())
    assert spec.tolerances["fp32"].max_abs != variants.LEVEL  # the spec itself is as it was


def test_bytes_are_likened_and_shown_as_floats_are(spec, tmp_path):
    behind = variants.with_bytes(spec)
    pairs = eager_pairs(behind, 2)
    artefact = trace.save(trace.to_onnx(behind), behind.card, tmp_path / "model.onnx")
    found = verify_artefact(artefact, pairs, tolerance={"max_abs": variants.LEVEL}, backends=("onnxruntime",))
    assert found["onnxruntime"].status == "passed" and found["onnxruntime"].ssim_worst > 0.9
    with open_unchecked(Target.parse("onnxruntime"), artefact) as opened:
        sheet = worst_sheet(artefact, pairs, opened)
    assert sheet is not None
    size = behind.card.size.hw
    assert all(cell.shape == (*size, 3) for row in sheet.rows for cell in row)
    assert np.array_equal(sheet.rows[0][-3], np.clip(np.rint(_first(pairs, sheet)), 0, 255).astype(np.uint8))


def _first(pairs, sheet):
    """Eager's answer to the pair that the sheet's title names."""
    return next(iter(pairs.outputs.values()))[int(re.search(r"number (\d+)", sheet.title)[1])]
