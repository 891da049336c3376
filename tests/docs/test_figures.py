"""Figures in the documentation: those that the commands wrote into benchmarks/results/, rounded as the pages round."""

from __future__ import annotations

import importlib.util
import json
import re
from typing import Any

import numpy as np
import pytest
from support.pages import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def read(name: str) -> Any:
    """A file of results."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def page(name: str) -> str:
    """A page's text."""
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def test_every_edit_of_the_shipped_model_is_as_eval_scored_it() -> None:
    scores = read("avatars-student-128")
    rows = [*scores["by_edit"], {"attribute": "all", "direction": "", "edits": scores["edits"], **scores["all"]}]
    for row in rows:
        direction = f" {row['direction']} " if row["direction"] else " "
        line = (
            f"| {row['attribute']} |{direction}| {row['edits']} | {row['landed']:.1%} | {row['preserved']:.1%} | "
            f"{row['psnr_inside_db']:.1f} ({row['input_psnr_inside_db']:.1f}) | {row['psnr_outside_db']:.1f} |"
        )
        assert line in page("results")


def test_a_student_is_as_eval_scored_it_beside_its_teacher() -> None:
    student, teacher = read("avatars-student-128"), read("avatars-128")
    ours, its = (f"{one['psnr_inside_db']:.1f} dB" for one in (student["all"], teacher["all"]))
    beside, its_beside = (f"{one['psnr_outside_db']:.1f}" for one in (student["all"], teacher["all"]))
    words = f"{ours} in the edits and {beside} beside them, where the teacher has {its[:-3]} and {its_beside}"
    assert words in page("distil")
    assert all(row["landed"] == 1.0 for row in (*student["by_edit"], *teacher["by_edit"]))
    said = f"{its} in the edits and {its_beside} beside them, whose edits all land too"
    assert said in page("results")


def test_photographed_faces_are_as_eval_scored_them() -> None:
    scores, text = read("portraits-128"), page("results")
    for row, other in zip(scores["by_edit"], scores["by_edit_other_background"], strict=True):
        glasses = (
            {"add": ", put on", "remove": ", taken off"}[row["direction"]] if row["attribute"] == "Eyeglasses" else ""
        )
        assert (
            f"| {row['attribute']}{glasses} | {row['edits']} | {row['landed']:.1%} ({other['landed']:.1%}) | "
            f"{row['input_landed']:.1%} | "
        ) in text
        assert (
            f"| {row['kept']:.1%} ({other['kept']:.1%}) | {row['psnr_outside_db']:.1f} | {row['likeness']:.3f} |"
            in text
        )
    for row in scores["two_at_once"]:
        assert f"| {' and '.join(row['pair'])} | {row['edits']} | {row['both_landed']:.1%} |" in text
    for row in (*scores["by_group"]["skin"], *scores["by_group"]["Male"]):
        cells = f"{row['landed']:.1%} | {row['exact_landed']:.1%} | {row['kept']:.1%} | {row['likeness']:.3f}"
        assert f"| {row['edits']} | {cells} |" in text


def test_both_runs_and_the_weights_before_are_as_one_judge_scored_them() -> None:
    text, all_three = page("results"), [read(f"portraits-128{way}") for way in ("-before", "-preset", "")]
    assert [s["model"].split(" after ")[1] for s in all_three] == ["4,800 images", "64,000 images", "6,400 images"]
    assert len({json.dumps(s["judge_accuracy"]) for s in all_three}) == 1
    for place, row in enumerate(all_three[0]["by_edit"]):
        ways = {"add": ", put on", "remove": ", taken off"} if row["attribute"] == "Eyeglasses" else {}
        landed = [(s["by_edit"][place]["landed"], s["by_edit_other_background"][place]["landed"]) for s in all_three]
        cells = " | ".join(f"{plain:.1%} ({other:.1%})" for plain, other in landed)
        assert f"| {row['attribute']}{ways.get(row['direction'], '')} | {row['edits']} | {cells} |" in text
    for name, key in (("all", "landed"), ("others kept", "kept")):
        cells = " | ".join(f"{s['all'][key]:.1%} ({s['all_other_background'][key]:.1%})" for s in all_three)
        assert f"| {name} | 320 | {cells} |" in text


def test_other_trainings_are_as_eval_scored_them() -> None:
    text = page("results")
    joint = read("avatars-joint-64")
    assert f"{100 * joint['all']['landed']:.1f} % of the same {joint['edits']} edits" in text
    assert f"{100 * min(row['landed'] for row in joint['by_edit']):.1f} %" in text
    seasons = read("avatars-seasons-64")["directions"]
    both = f"{seasons['AtoB']['psnr_db']:.1f} dB to winter and {seasons['BtoA']['psnr_db']:.1f} dB to summer"
    assert both in text
    assert f"returning the input scores {seasons['AtoB']['input_psnr_db']:.1f} dB" in text
    before, after = (read(n)["against"]["heldout"]["distances"] for n in ("avatars-100-step0", "avatars-100"))
    for name, key in (
        ("Fréchet, on EfficientNet-Lite0 features", "FD-efficientnet-lite0"),
        ("sliced Wasserstein", "SWD"),
    ):
        line = f"| {name} | {before[key]['value']:.1f} | {after[key]['value']:.1f} | {after[key]['floor']:.1f} |"
        assert line in text


def rows_of(subject: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The measured rows of a generator, by (engine, file)."""
    report = next(r["report"] for r in read("precisions") if r["subject"] == subject)
    return {(row["engine"], row["file"]): row for row in report["results"]}


@pytest.mark.parametrize("subject", ["stargan-128", "cyclegan-256", "pix2pix-256", "fastgan-256"])
def test_families_at_full_width_are_as_measured(subject: str) -> None:
    rows = rows_of(subject)
    speed = {key: f"{row['speedup']['median']:.2f}x" for key, row in rows.items()}
    int8 = rows["openvino", "model.int8.onnx"]
    line = (
        f"| {subject} | {rows['eager', '']['latency_ms']['p50']:.1f} | {speed['compile', '']} | "
        f"{speed['onnxruntime', 'model.onnx']} | {speed['openvino', 'model.onnx']} | "
        f"{speed['openvino', 'model.int8.onnx']} ({int8['latency_ms']['p50']:.1f} ms) | "
        f"{int8['fidelity']['psnr_mean_db']:.1f} ({int8['fidelity']['psnr_worst_db']:.1f}) |"
    )
    assert line in page("benchmarks")


def test_the_format_matrix_is_as_measured() -> None:
    titles = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
    seen = 0
    for file in ("model.onnx", "model.fp16.onnx", "model.int8.onnx", "model.xml", "model.int8.xml"):
        found = [(e, row) for (e, f), row in rows_of("stargan-128").items() if f == file and e in titles]
        found.sort(key=lambda each: each[0])
        speeds = ", ".join(f"{titles[e]} {row['speedup']['median']:.2f}x" for e, row in found)
        fidelity = ", ".join(f"{row['fidelity']['psnr_worst_db']:.1f} dB" for _, row in found)
        line = next(line for line in page("export").splitlines() if f"| `{file}`" in line)
        assert line.endswith(f"| {speeds} | {fidelity} |")
        seen += len(found)
    assert seen == 8


def test_the_live_loop_is_as_measured() -> None:
    text = page("benchmarks")
    for row in read("live")["rows"]:
        name = "OpenCV and eager PyTorch" if row["loop"] == "plain" else f"edgegan, `{row['loop']}`"
        assert f"| {name} | {row['fps']:.1f} | {row['speedup']:.2f} |" in text
    for paced in (read("live-paced"), read("portraits-paced")):
        age = paced["stages_ms"]["age"]
        for words in (
            f"{paced['fps']['out']:.1f} frames/s are shown of {paced['fps']['in']:.1f}",
            f"{age['p50']:.1f} ms after its arrival at the median and {age['p99']:.1f} ms at p99",
        ):
            assert words in text
    assert f"grew by {read('live-paced')['memory_mb']['growth_from_frame_2000']:.1f} MB" in text
    assert f"the network takes {read('portraits-paced')['stages_ms']['network']['p50']:.1f} ms of it" in text
    p50, p95, _ = read("budget")["stages_ms"]["besides the network"]
    assert f"a frame costs {p50:.1f} ms at the median and {p95:.1f} ms at p95" in text


@pytest.mark.parametrize("family", ["stargan", "cyclegan", "fastgan"])
def test_training_is_as_measured(family: str) -> None:
    found = read(f"throughput-{family}")
    plain, ours = (found["median_images_per_s"][name] for name in ("plain", "edgegan"))
    least, most = found["speed_up_least_and_most"]
    speed_up = f"{found['speed_up']:.2f} ({least:.2f} to {most:.2f})"
    assert f"| {family}, {found['preset']} | {plain:.1f} | {ours:.1f} | {speed_up} |" in page("benchmarks")


def test_people_are_as_counted() -> None:
    spec = importlib.util.spec_from_file_location("count_people", ROOT / "docs" / "scripts" / "count_people.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.table(script.TABLE) in page("limits")
    total = next(n for words, n, _ in script.count(script.TABLE) if words == "all")
    assert re.search(rf"labels of {total} official portraits", page("own-faces"))


def test_the_family_tree_is_as_measured() -> None:
    text = page("family-tree")
    runs = {
        "dcgan": ("dcgan --preset avatars-32", 64),
        "dcgan-mlp": ("dcgan --preset avatars-32 --set body=mlp", 64),
        "dcgan-improved": ("dcgan --preset avatars-32-improved", 64),
        "cgan": ("cgan --preset avatars-32", 64),
        "infogan": ("infogan --preset avatars-32", 64),
        "wgan": ("wgan --preset avatars-32", 320),
        "wgangp": ("wgangp --preset avatars-32", 192),
        "began": ("began --preset avatars-32", 200),
        "dcgan-classes": ("dcgan --preset avatars-32-classes", 64),
        "cgan-projection": ("cgan --preset avatars-32-projection", 64),
    }
    for name, (command, images) in runs.items():
        found = read(f"{name}-32")
        assert f"after {images},000 images" in found["model"]
        swd, fd = (found["against"]["heldout"]["distances"][key] for key in ("SWD", "FD-efficientnet-lite0"))
        row = f"| `{command}` | {images},000 | {swd['value']:.1f} | {fd['value']:.1f} |"
        assert row in text
        assert f"floor {swd['floor']:.1f}" in text and f"floor {fd['floor']:.1f}" in text
    grown = read("progan-64")["against"]["heldout"]["distances"]
    assert "after 44,000 images" in read("progan-64")["model"]
    swd, fd = (
        f"{one['value']:.1f} (floor {one['floor']:.1f})" for one in (grown["SWD"], grown["FD-efficientnet-lite0"])
    )
    assert f"is then {swd} and its Fréchet distance {fd}" in text
    larger = read("dcgan-64")["against"]["heldout"]["distances"]["SWD"]
    assert "after 96,000 images" in read("dcgan-64")["model"]
    assert f"sliced Wasserstein distance is {larger['value']:.1f} (floor {larger['floor']:.1f})" in text
    projected = read("cgan-projection-32")["obeyed"]
    hair, hat, goatee = (
        projected[name] for name in ("Black_Hair/Blond_Hair/Brown_Hair/Gray_Hair", "Wearing_Hat", "Goatee")
    )
    assert (
        f"hair colour in {hair * 100:.1f} % of cases, hats in {hat * 100:.1f} % and goatees in {goatee * 100:.1f} %"
        in text
    )
    for run in read("began-gamma")["runs"]:
        cells = (
            f"{run['variety_of_real']:.1%} | {run['sharpness_of_real']:.1%} | {run['k']:.3f} | {run['convergence']:.3f}"
        )
        assert f"| {run['gamma']} | {cells} |" in text
    obeyed = read("cgan-32")["obeyed"]
    assert f"{100 * obeyed['all']:.1f} % of 256 pictures" in text
    assert f"a smile in {100 * obeyed['Smiling']:.1f} %" in text
    information = read("infogan-32")["information"]
    for code, decisions in information.items():
        assert f"| `{code}` | " + " | ".join(f"{one['information']:.3f}" for one in decisions.values()) + " |" in text
    for words, key in (("`c1` by chance", "floor"), ("what there is to know", "entropy")):
        assert f"| {words} | " + " | ".join(f"{one[key]:.3f}" for one in information["c1"].values()) + " |" in text
    estimates = {name: read(f"{name}-32-estimate") for name in ("wgan", "wgangp")}
    assert f"their rank correlation is {estimates['wgan']['rank_correlation']:.3f}" in text
    assert f"{estimates['wgangp']['rank_correlation']:.3f} over {len(estimates['wgangp']['points'])}" in text
    points = estimates["wgan"]["points"][1:]
    ranks = [np.argsort(np.argsort([point[key] for point in points])) for key in ("estimate", "swd")]
    assert f"from the second on it is {np.corrcoef(*ranks)[0, 1]:.3f}" in text
    clipping, penalty = read("eight-gaussians")["ways"]
    assert (clipping["covered"], penalty["covered"]) == (0, 8)
    assert f"Clipped, {100 * clipping['at_a_bound']:.0f} % of the weights" in text
    assert f"{100 * penalty['on_a_mode']:.0f} % of the points" in text


def test_the_table_of_all_families_is_as_measured() -> None:
    lines = [line for line in (RESULTS / "families.md").read_text("utf-8").splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(read("families")["rows"]) and "\n".join(lines) in page("family-tree")
    assert not read("families")["busy"]
    swd = {name: row["swd"]["value"] for name, row in read("families")["rows"].items()}
    assert f"is at {swd['progan']:.1f} where the DCGAN is at {swd['dcgan']:.1f}" in page("family-tree")
