"""The printed line of trtexec has every option that our builder was given. It is not run: trtexec is not here."""

from pathlib import Path

from edgegan.export.trt.build import Job
from edgegan.export.trt.options import EngineOptions
from edgegan.export.trt.trtexec import trtexec_line


def test_a_plain_plan_is_strongly_typed_without_tf32() -> None:
    job = Job(Path("/a folder/model.fp16.onnx"))
    line = trtexec_line(job, "10.16.1", "model.fp16.engine")
    assert line == "trtexec --onnx=model.fp16.onnx --saveEngine=model.fp16.engine --noTF32 --stronglyTyped"
    assert "--stronglyTyped" not in trtexec_line(job, "11.4.0", "model.fp16.engine")


def test_every_option_of_the_builder_is_in_the_line() -> None:
    options = EngineOptions(
        workspace_mib=512, hardware_compatibility="ampere_plus", version_compatible=True, optimization_level=5
    )
    profile = {"image": ((1, 3, 16, 16), (1, 3, 32, 48), (4, 3, 64, 128)), "label": ((1, 3), (1, 3), (4, 3))}
    line = trtexec_line(Job(Path("m.onnx"), options=options, profile=profile), "10.3.0", "m.engine")
    for word in (
        "--minShapes=image:1x3x16x16,label:1x3",
        "--optShapes=image:1x3x32x48,label:1x3",
        "--maxShapes=image:4x3x64x128,label:4x3",
        "--memPoolSize=workspace:512M",
        "--builderOptimizationLevel=5",
        "--hardwareCompatibilityLevel=ampere+",
        "--versionCompatible",
    ):
        assert word in line.split(), word
