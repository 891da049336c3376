"""Export: what is written equals the trained model, says so on its card, and is not written otherwise."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from edgegan import cli
from edgegan.export import (
    Exported,
    Request,
    export_run,
    parse_batch,
    parse_size,
    precision,
    staging,
    to_onnx,
    verify_artefact,
)
from edgegan.export.pairs import GOLDEN_BYTES, eager_pairs, fitted, spread
from edgegan.families import Tolerance
from edgegan.run import Run, open_trained
from edgegan.runtime import InputError, golden, load, open_backend
from edgegan.runtime.artefact import Artefact
from edgegan.runtime.card import METADATA_KEY, ModelCard, TensorSpec, sidecar
from edgegan.runtime.errors import CardError, VerifyError
from edgegan.runtime.files import sha256
from edgegan.runtime.golden import Golden
from edgegan.runtime.session import load_for

BACKENDS = ("onnxruntime", "openvino")


@pytest.fixture
def impossible(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Call it with a precision: from then on no artefact of that precision can pass."""
    real = tiny_run.family.exportable

    def make(which: str) -> None:
        def exportable(*given: Any) -> Any:
            return tuple(
                dataclasses.replace(s, tolerances={**s.tolerances, which: Tolerance(max_abs=-1.0)})
                for s in real(*given)
            )

        monkeypatch.setattr(tiny_run.family, "exportable", exportable)

    yield make


def _onnx_files(done: Exported) -> list[Path]:
    return sorted(done.folder.rglob("*.onnx"))


def _specs(run: Run) -> dict[str, Any]:
    _, nets, _ = open_trained(run.folder)
    return {f"{s.folder}/{s.name}".lstrip("/"): s for s in run.family.exportable(run.cfg, nets, run.data)}


def test_every_backend_answers_as_eager_does(tiny_run: Run, tiny_export: Exported) -> None:
    specs = _specs(tiny_run)
    for path in _onnx_files(tiny_export):
        spec = specs[path.relative_to(tiny_export.folder).as_posix().partition(".")[0]]
        inputs = spec.golden(2)
        with torch.inference_mode():
            truth = spec.module(*(torch.from_numpy(inputs[s.name]) for s in spec.card.inputs)).numpy()
        low, high = spec.card.outputs[0].value_range
        assert truth.std() > 0.05 * (high - low), "outputs near one value would flatter every figure"
        artefact = load(path)
        name = artefact.card.outputs[0].name
        for backend in BACKENDS:
            with open_backend(artefact, backend=backend, device="cpu") as opened:
                for i in range(len(truth)):
                    seen = opened.run({n: a[i : i + 1] for n, a in inputs.items()})[name]
                    if artefact.card.precision == "fp32":
                        assert np.abs(seen - truth[i : i + 1]).max() < 1e-4, (path, backend)
                    else:
                        assert golden.compare(truth[i : i + 1], seen, (low, high))["psnr_db"] >= 45.0, (path, backend)


def test_each_artefact_is_there_in_its_precisions(tiny_run: Run, tiny_export: Exported) -> None:
    specs = _specs(tiny_run)
    helpers = {name for s in specs.values() for name in s.card.companions.values()}
    there = {p.relative_to(tiny_export.folder).as_posix() for p in _onnx_files(tiny_export)}
    wanted = {f"{key}.onnx" for key in specs} | {f"{key}.fp16.onnx" for key in specs if f"{key}.onnx" not in helpers}
    assert there == wanted
    for path in _onnx_files(tiny_export):
        floats = {t.data_type for t in onnx.load(path).graph.initializer} & {TensorProto.FLOAT, TensorProto.FLOAT16}
        assert floats == {TensorProto.FLOAT16 if ".fp16." in path.name else TensorProto.FLOAT}
        onnx.checker.check_model(onnx.load(path), full_check=True)


def test_the_card_lies_beside_and_within_and_tells_the_figures(tiny_export: Exported) -> None:
    for path in _onnx_files(tiny_export):
        beside = ModelCard.from_json(sidecar(path).read_bytes())
        within = ModelCard.from_json({p.key: p.value for p in onnx.load(path).metadata_props}[METADATA_KEY])
        assert beside.payload_sha256 == sha256(path) and within.payload_sha256 is None
        lasting = {n: msgspec.structs.replace(v, latency_ms=None) for n, v in beside.verification.items()}
        assert msgspec.structs.replace(beside, payload_sha256=None, verification=lasting) == within
        assert beside.opset == 18 and beside.training["images"] > 0 and "torch" in beside.built_with
        assert {n: v.status for n, v in beside.verification.items()} == dict.fromkeys(BACKENDS, "passed")
        for found in beside.verification.values():
            assert found.pictures >= 6 and found.max_abs > 0 and found.latency_ms > 0 and found.tolerance
    main = tiny_export.main
    assert load(main.with_name("model.fp16.onnx")).card.parent_sha256 == sha256(main)


def test_no_path_of_this_machine_is_in_an_artefact(tiny_export: Exported) -> None:
    for path in tiny_export.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert str(Path(cli.__file__).parents[2]).encode() not in data and b"site-packages" not in data, path


def test_golden_pairs_are_small_and_reproduce(tiny_export: Exported) -> None:
    for path in _onnx_files(tiny_export):
        artefact = load(path)
        assert artefact.golden is not None and artefact.golden.stat().st_size <= GOLDEN_BYTES
        assert all(v.status == "passed" for n, v in verify_artefact(artefact).items() if n in BACKENDS)


def test_verify_finds_a_changed_model(tiny_export: Exported, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_export.folder, tmp_path / "copy"))
    path = folder / tiny_export.main.relative_to(tiny_export.folder)
    model = onnx.load(path)
    for weights in model.graph.initializer:
        if weights.data_type == TensorProto.FLOAT:
            scaled = numpy_helper.to_array(weights) * np.float32(1.02)
            weights.CopyFrom(numpy_helper.from_array(scaled, weights.name))
    card = load(path).card
    onnx.save(model, path)
    sidecar(path).unlink()
    with pytest.raises(CardError, match="SHA-256"):  # the seal within
        load(path)
    changed = to_onnx.save(model, card, path)
    assert {v.status for n, v in verify_artefact(changed).items() if n in BACKENDS} == {"failed"}
    path.with_name("golden.npz").unlink()
    with pytest.raises(CardError, match="no golden pairs"):
        verify_artefact(changed)


def test_a_card_that_names_another_output_fails_verification(tiny_export: Exported) -> None:
    artefact = load(tiny_export.main)
    wrong = msgspec.structs.replace(artefact.card.outputs[0], name="other")
    card = msgspec.structs.replace(artefact.card, outputs=(wrong,))
    found = verify_artefact(Artefact(artefact.path, card), golden.beside(artefact), backends=("onnxruntime",))
    assert found["onnxruntime"].status == "failed" and "other" in found["onnxruntime"].reason
    with pytest.raises(CardError, match="other"):
        verify_artefact(Artefact(artefact.path, card))


def test_a_miss_raises_and_leaves_nothing(tiny_run: Run, tmp_path: Path, impossible: Any) -> None:
    impossible("fp32")
    with pytest.raises(VerifyError, match="does not reproduce the model on onnxruntime"):
        export_run(Request(tiny_run.folder, tmp_path / "out", pictures=1))
    assert list(tmp_path.iterdir()) == []


def test_a_later_miss_leaves_the_earlier_export_as_it_was(
    tiny_run: Run, tiny_export: Exported, tmp_path: Path, impossible: Any
) -> None:
    folder = Path(shutil.copytree(tiny_export.folder, tmp_path / "out"))
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    impossible("fp16")
    with pytest.raises(VerifyError, match="does not reproduce the model on onnxruntime"):
        export_run(Request(tiny_run.folder, folder, pictures=1))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_new_export_removes_what_came_from_older_weights_and_nothing_else(tmp_path: Path) -> None:
    stage, out = tmp_path / "stage", tmp_path / "out"
    names = {
        stage: ("model.onnx", "model.onnx.card.json", "golden.npz"),
        out: (
            *("model.onnx", "model.onnx.card.json", "model.int8.xml", "model.int8.bin", "model.int8.xml.card.json"),
            *("notes.txt", "other.onnx", "other.onnx.card.json"),
        ),
    }
    for folder, files in names.items():
        folder.mkdir()
        for name in files:
            (folder / name).write_text(folder.name)
    assert staging.publish(stage, out) == ["model.int8.xml"]
    there = {p.name: p.read_text() for p in out.iterdir()}
    assert there == dict.fromkeys(names[stage], "stage") | dict.fromkeys(names[out][-3:], "out")
    assert not list(stage.iterdir())


def test_reproduce_sh_makes_the_same_bytes_again(
    tiny_run: Run, tiny_export: Exported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tiny_export.main.with_name("reproduce.sh")
    source = tiny_run.checkpoints()[-1]
    *_, check, command = script.read_text().splitlines()
    assert subprocess.run(["sh", "-n", script]).returncode == 0
    assert sha256(source) in check
    words = [{"$checkpoint": str(source), "${2:-again}": str(tmp_path)}.get(w, w) for w in shlex.split(command)]
    with pytest.raises(SystemExit) as done:
        cli.main(words[1:])
    assert done.value.code in (0, None)
    made = {p.relative_to(tmp_path) for p in tmp_path.rglob("*")}
    assert made == {p.relative_to(tiny_export.folder) for p in tiny_export.folder.rglob("*")}
    for path in tiny_export.folder.rglob("*"):
        again = tmp_path / path.relative_to(tiny_export.folder)
        if path.suffix in (".onnx", ".npz"):
            assert again.read_bytes() == path.read_bytes(), path.name
        elif path.name.endswith(".engine.card.json"):  # the bytes of an engine differ, its figures do not
            cards = [ModelCard.from_json(p.read_bytes()) for p in (path, again)]
            assert cards[0].built_with == cards[1].built_with
        elif path.name.endswith(".card.json"):
            cards = [ModelCard.from_json(p.read_bytes()) for p in (path, again)]
            timed = [[v.latency_ms for v in card.verification.values()] for card in cards]
            assert all(timed) and _untimed(cards[0]) == _untimed(cards[1])
    assert "edgegan bench" in capsys.readouterr().out


def _untimed(card: ModelCard) -> ModelCard:
    figures = {name: msgspec.structs.replace(v, latency_ms=None) for name, v in card.verification.items()}
    return msgspec.structs.replace(card, verification=figures)


def test_another_checkpoint_is_refused_by_reproduce_sh(tiny_export: Exported, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"another")
    script = tiny_export.main.with_name("reproduce.sh")
    done = subprocess.run([script, tmp_path / "other"], capture_output=True)
    assert done.returncode != 0 and b"FAILED" in done.stdout


def test_moved_data_is_said_and_drawn_faces_stand_in(tiny_run: Run, tmp_path: Path) -> None:
    if next(iter(_specs(tiny_run).values())).card.task == "generate":
        pytest.skip("latents are drawn: no pictures are needed")
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    header = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**header, "data": "celeba:/gone"}))
    done = export_run(Request(folder, pictures=1))
    assert done.folder == folder / "export" and done.main.is_file()
    assert any("celeba:/gone" in note for note in done.notes) and any("drawn" in note for note in done.notes)
    assert "/gone" not in sidecar(done.main).read_text()
    with pytest.raises(InputError, match="celeba:/gone"):  # what the user names is not replaced
        export_run(Request(folder, data="celeba:/gone"))


def test_another_size_is_exported_verified_and_refused_where_it_cannot_be(tiny_run: Run, tmp_path: Path) -> None:
    main = next(iter(_specs(tiny_run).values()))
    if main.dynamic_multiple is None:
        with pytest.raises(InputError, match="fixed size"):
            export_run(Request(tiny_run.folder, tmp_path / "out", size_hw=(24, 40), pictures=1))
        return
    hw = (3 * main.dynamic_multiple, 5 * main.dynamic_multiple)
    done = export_run(Request(tiny_run.folder, tmp_path / "out", size_hw=hw, pictures=2))
    main_file = done.main
    card = load(main_file).card
    assert card.size.hw == hw and card.inputs[0].shape[2:] == hw == card.outputs[0].shape[2:]
    pairs = golden.read(main_file.with_name("golden.npz"), "model")
    assert pairs is not None and next(iter(pairs.outputs.values())).shape[2:] == hw
    for helper_name in card.companions.values():
        assert load(main_file.with_name(helper_name)).card.size.hw == main.card.size.hw
    if main.dynamic_multiple > 1:
        with pytest.raises(InputError, match=f"multiples of {main.dynamic_multiple}"):
            export_run(Request(tiny_run.folder, tmp_path / "out", size_hw=(hw[0] + 1, hw[1])))


def test_sizes_are_read_height_first() -> None:
    assert parse_size("96x160") == (96, 160) and parse_size("128") == (128, 128)
    for wrong in ("", "0", "12x", "x12", "-8", "8x8x8", "large"):
        with pytest.raises(InputError, match="not a size"):
            parse_size(wrong)


def test_resized_pictures_keep_their_256_levels_and_flat_colours() -> None:
    spec = TensorSpec(name="image", dtype="float32", shape=(1, 3, 8, 24), layout="NCHW", value_range=(-1.0, 1.0))
    flat = np.full((2, 3, 16, 16), 51 / 127.5 - 1, np.float32)
    assert np.allclose(fitted(flat, spec), flat[:, :, :8, :1].repeat(24, 3), atol=1e-6)
    noise = np.random.default_rng(0).uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32)
    levels = (fitted(noise, spec) + 1) * 127.5
    assert np.abs(levels - np.rint(levels)).max() < 1e-3


def test_the_stored_pairs_cover_every_edit_and_many_pictures() -> None:
    pictures, edits = 64, 8
    numbers = np.arange(pictures * edits, dtype=np.float32)[:, None]
    chosen = spread(Golden({"n": numbers}, {"n": numbers}), 8).inputs["n"][:, 0].astype(int)
    assert len(set(chosen % edits)) == edits and len(set(chosen // edits)) == 8


def test_pairs_say_when_the_model_itself_is_not_finite(tiny_run: Run) -> None:
    spec = next(iter(_specs(tiny_run).values()))
    next(p for p in reversed(list(spec.module.parameters()))).fill_(float("nan"))
    with pytest.raises(VerifyError, match="not finite"):
        eager_pairs(spec, 1)


def _chain(scales: tuple[float, float]) -> Any:
    """x * scale * scale -> instance norm -> instance norm with the same constants -> y."""
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["big"], name="mul"),
        helper.make_node("Mul", ["big", "more"], ["bigger"], name="again"),
        helper.make_node("InstanceNormalization", ["bigger", "one", "zero"], ["normal"], name="first"),
        helper.make_node("InstanceNormalization", ["normal", "one", "zero"], ["y"], name="second"),
    ]
    constants = {"scale": scales[0], "more": scales[1], "one": np.ones(2), "zero": np.zeros(2)}
    shape = [1, 2, 8, 8]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(a, np.float32), n) for n, a in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model)


def _run(model: Any, x: Any) -> Any:
    import onnxruntime as ort

    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.mark.parametrize(
    ("scales", "kept"), [((1, 1), set()), ((1, 300), {"first"}), ((1000, 1000), {"again", "first"})]
)
def test_what_overflows_half_stays_fp32_and_nothing_else(scales: tuple[float, float], kept: set[str]) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (4, 2, 8, 8)).astype(np.float32)
    model = _chain(scales)
    found = precision.hurt_by_half(
        model, precision.measure_ranges(model, Golden({"x": x}, {"y": x})), ("InstanceNormalization",)
    )
    assert set(found) == kept
    half = precision.to_fp16(model, found, "chain")
    assert set(half.kept) == kept
    assert golden.compare(_run(model, x[:1]), _run(half.model, x[:1]), (-2.0, 2.0))["psnr_db"] > 55
    if "again" in kept:  # the reference evaluator computes in half; ONNX Runtime on a CPU only stores weights in it
        with np.errstate(all="ignore"):
            without = ReferenceEvaluator(precision.to_fp16(model, {}, "chain").model).run(None, {"x": x[:1]})[0]
        assert not np.isfinite(without).all()


def test_the_notes_of_the_tracer_are_removed() -> None:
    model = _chain((1, 1))
    model.graph.node[0].metadata_props.add(key="pkg.torch.onnx.stack_trace", value="/home/someone/net.py")
    model.graph.node[1].doc_string = "/home/someone/net.py"
    assert b"someone" in model.SerializeToString()
    assert b"someone" not in to_onnx.checked(model, "chain").SerializeToString()


def test_the_engine_and_verify_parts_need_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import edgegan.export, edgegan.export.engine, edgegan.cli.export"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("source", ["missing", "empty", "rubbish.safetensors"])
def test_what_is_no_run_gets_plain_words(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "rubbish.safetensors").write_bytes(b"rubbish")
    with pytest.raises(SystemExit) as done:
        cli.main(["export", str(tmp_path / source)])
    assert done.value.code == 2
    shown = capsys.readouterr()
    assert 1 <= len(shown.err.strip().splitlines()) <= 3 and source in shown.err and shown.out == ""


def test_each_backend_is_held_to_its_own_tolerance(tiny_run: Run, tiny_export: Exported) -> None:
    cfg, family = tiny_run.cfg, tiny_run.family
    for spec in family.exportable(cfg, family.networks(cfg), tiny_run.data):
        card = load(tiny_export.folder / spec.folder / f"{spec.name}.onnx").card
        wanted = spec.tolerances["fp32"]
        assert card.verification["onnxruntime"].tolerance.get("max_abs") == wanted.max_abs
        others = wanted.others_max_abs or wanted.max_abs
        assert card.verification["openvino"].tolerance.get("max_abs") == others


def test_a_fixed_batch_is_verified_at_that_batch(tiny_run: Run, tmp_path: Path) -> None:
    done = export_run(Request(tiny_run.folder, tmp_path / "out", batch=3, pictures=4))
    artefact = load(done.main)
    assert artefact.card.batch == (3, 3) and {s.shape[0] for s in artefact.card.inputs} == {3}
    pairs = golden.beside(artefact)
    assert pairs is not None and pairs.batch == 3
    sizes = {len(next(iter(given.values()))) for given, _ in pairs.calls()}
    assert sizes == {3} and len(list(pairs.calls())) == -(-len(pairs) // 3)
    found = verify_artefact(artefact, backends=BACKENDS)
    assert {f.status for f in found.values()} == {"passed"} and {f.pictures for f in found.values()} == {len(pairs)}
    script = done.main.with_name("reproduce.sh").read_text()
    assert "--batch 3" in script
    with pytest.raises(InputError, match="3 pictures at a time"):
        load_for(artefact.card.task, artefact)


def test_open_axes_are_verified_at_every_end_of_the_range_on_the_card(tiny_run: Run, tmp_path: Path) -> None:
    sizes = next(iter(_specs(tiny_run).values())).dynamic_multiple is not None
    request = Request(tiny_run.folder, tmp_path / "out", open_batch=True, open_size=sizes, pictures=2)
    artefact = load(export_run(request).main)
    rule, (fewest, most) = artefact.card.size, artefact.card.batch
    ends = {(most, *rule.hw)}
    if sizes:
        assert rule.min_hw is not None and rule.max_hw is not None and rule.min_hw < rule.max_hw
        ends |= {(most, *rule.min_hw)}
        ends |= {(fewest, h, w) for h in (rule.min_hw[0], rule.max_hw[0]) for w in (rule.min_hw[1], rule.max_hw[1])}
    for found in artefact.card.verification.values():
        if found.status == "passed":
            assert set(found.corners_db) == {"x".join(map(str, end)) for end in ends}
            assert min(found.corners_db.values()) >= found.tolerance["min_psnr_db"]
    again = verify_artefact(artefact, backends=("onnxruntime",))["onnxruntime"]  # without torch: as many as there are
    assert again.status == "passed" and len(again.corners_db) == 1


def test_a_miss_at_one_end_of_the_range_is_a_miss(tiny_run: Run, tiny_export: Exported) -> None:
    artefact = load(tiny_export.main)
    pairs = golden.beside(artefact)
    assert pairs is not None
    wrong = Golden(pairs.inputs, {name: array + 1 for name, array in pairs.outputs.items()})
    found = verify_artefact(artefact, pairs, backends=("onnxruntime",), corners={"1x9x9": wrong})["onnxruntime"]
    assert found.status == "failed" and found.reason.startswith("at 1x9x9: ")


def test_the_half_share_is_stated_and_a_float32_file_is_no_fp16_artefact(tiny_export: Exported, tmp_path: Path) -> None:
    half = load(tiny_export.main.with_name("model.fp16.onnx"))
    stated = half.card.built_with
    weights = [t for t in onnx.load(half.path).graph.initializer if t.data_type in (1, 10)]
    share = sum(np.prod(t.dims) for t in weights if t.data_type == 10) / sum(np.prod(t.dims) for t in weights)
    assert stated["half_weights"] == f"{100 * share:.2f}%" and share > 0.99
    assert re.fullmatch(r"\d+ of \d+", stated["half_operators"])
    pretender = to_onnx.save(onnx.load(tiny_export.main), half.card, tmp_path / "model.fp16.onnx")
    with pytest.raises(VerifyError, match=r"is not float16: 0\.00% of the weights"):
        verify_artefact(pretender, golden.beside(half))
    with pytest.raises(VerifyError, match="is not float16"):  # one weight that nothing explains
        mixed = onnx.load(half.path)
        stray = next(t for t in mixed.graph.initializer if t.data_type == TensorProto.FLOAT16)
        stray.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(stray).astype(np.float32), stray.name))
        verify_artefact(to_onnx.save(mixed, half.card, tmp_path / "model.fp16.onnx"), golden.beside(half))


def test_what_the_converter_leaves_in_float32_without_a_reason_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from onnxconverter_common import float16

    monkeypatch.setattr(float16, "convert_float_to_float16", lambda model, **_: model)
    with pytest.raises(VerifyError, match="chain is not float16"):
        precision.to_fp16(_chain((1, 1)), {}, "chain")


def test_a_miss_at_export_names_the_first_bad_layer(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, blamed = precision.to_fp16, []

    def spoilt(model: Any, keep: Any, name: str) -> Any:
        half = real(model, keep, name)
        node = [n for n in half.model.graph.node if n.op_type in ("Conv", "ConvTranspose")][1]
        weights = next(t for t in half.model.graph.initializer if t.name == node.input[1])
        noise = np.random.default_rng(0).normal(0, 1, weights.dims).astype(np.float16)
        weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) + noise, weights.name))
        blamed.append(node.name)
        return half

    monkeypatch.setattr(precision, "to_fp16", spoilt)
    with pytest.raises(VerifyError) as caught:
        export_run(Request(tiny_run.folder, tmp_path / "out", pictures=1))
    assert f"from the layer {blamed[0]} (" in caught.value.expected
    assert list(tmp_path.iterdir()) == []


def test_a_batch_is_a_number_in_reach() -> None:
    assert parse_batch("4") == 4
    for wrong in ("0", "-1", "4x", "65", ""):
        with pytest.raises(InputError, match="not a batch"):
            parse_batch(wrong)
