"""Speeds in the documentation: those that the benchmarks wrote into benchmarks/results/, rounded as the pages round."""

from __future__ import annotations

from typing import Any

import pytest
from support.pages import RESULTS, page, read


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
    paced = read("live-paced")
    age = paced["stages_ms"]["age"]
    for words in (
        f"{paced['fps']['out']:.1f} frames/s are shown of {paced['fps']['in']:.1f}",
        f"{age['p50']:.1f} ms after its arrival at the median and {age['p99']:.1f} ms at p99",
    ):
        assert words in text
    for name, file in (
        ("`avatars`, AVX-512", "avatars-paced"),
        ("`avatars`, AVX2", "avatars-paced-avx2"),
        ("`portraits`, AVX2", "portraits-paced"),
        ("its teacher, AVX2", "portraits-teacher-paced"),
    ):
        paced = read(file)
        ready, network, age = (paced["stages_ms"][stage] for stage in ("process", "network", "age"))
        rates = f"{paced['fps']['out']:.1f} | {paced['fps']['in']:.1f}"
        times = f"{ready['p50']:.1f} | {network['p50']:.1f} | {age['p50']:.1f} | {age['p99']:.1f}"
        assert f"| {name} | {rates} | {times} |" in text
    assert f"grew by {read('live-paced')['memory_mb']['growth_from_frame_2000']:.1f} MB" in text
    p50, p95, _ = read("budget")["stages_ms"]["besides the network"]
    assert f"a frame costs {p50:.1f} ms at the median and {p95:.1f} ms at p95" in text


def test_a_browser_tab_and_the_shipped_model_are_as_measured() -> None:
    text, tab = page("benchmarks"), (RESULTS / "tab.md").read_text()
    rows = [line for line in tab.splitlines() if line.startswith("| site-")]
    assert len(rows) == 2 and all(row in text for row in rows) and not read("tab")["busy"]
    shown = [row for row in read("avatars-128-cpu")["results"] if row["file"] == "model.onnx"]
    assert {row["engine"] for row in shown} == {"onnxruntime", "openvino"}
    for row in shown:
        figures = f"{row['latency_ms']['p50']:.2f} | {row['speedup']['median']:.2f}x | "
        assert figures + f"{row['fidelity']['psnr_worst_db']:.1f} |" in text


@pytest.mark.parametrize("family", ["stargan", "cyclegan", "fastgan"])
def test_training_is_as_measured(family: str) -> None:
    found = read(f"throughput-{family}")
    plain, ours = (found["median_images_per_s"][name] for name in ("plain", "edgegan"))
    least, most = found["speed_up_least_and_most"]
    speed_up = f"{found['speed_up']:.2f} ({least:.2f} to {most:.2f})"
    assert f"| {family}, {found['preset']} | {plain:.1f} | {ours:.1f} | {speed_up} |" in page("benchmarks")
