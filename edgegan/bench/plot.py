"""The picture of a benchmark: one bar for each subject, in the order of their speed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgegan.runtime.errors import MissingExtraError
from edgegan.runtime.files import atomic_path

from .report import Report, Result
from .subjects import can_import

_INK, _FAINT = "#1f2937", "#6b7280"
_BASELINE, _RIVAL = "#9ca3af", "#2563eb"


def check_available() -> None:
    """Raises MissingExtraError if no picture can be drawn here: better before the measurement than after it."""
    if not can_import("matplotlib"):
        raise MissingExtraError("matplotlib", "bench")


def write_plot(report: Report, path: Path) -> None:
    """Draws p50 as bars and p95 as whiskers, with latency and speed-up beside them, into a PNG; atomic.

    CPU and GPU have a panel each, with a scale of its own.
    """
    check_available()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = [
        sorted((r for r in report.results if r.device.startswith("cuda") is on_gpu), key=lambda r: -r.latency_ms.p50)
        for on_gpu in (False, True)
    ]
    panels = [p for p in panels if p]
    heights = [0.8 + len(p) for p in panels]
    with pyplot.rc_context({"font.size": 10, "text.color": _INK, "axes.labelcolor": _FAINT, "xtick.color": _FAINT}):
        figure, grid = pyplot.subplots(
            len(panels),
            figsize=(9, 1.1 + 0.5 * sum(heights)),
            dpi=150,
            layout="constrained",
            squeeze=False,
            height_ratios=heights,
        )
        try:
            for axes, results in zip(grid[:, 0], panels, strict=True):
                _draw(axes, results)
                axes.set_title(_where(report, results[0]), loc="left", color=_FAINT, fontsize=9.5)
            figure.suptitle(_title(report), x=0.008, ha="left", fontsize=12.5, fontweight="bold")
            legend = "milliseconds a call: median, whisker to the 95th percentile;  × faster than "
            grid[-1, 0].set_xlabel(legend + ("PyTorch eager" if _against_eager(report) else "the slowest"), loc="left")
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format="png")
        finally:
            pyplot.close(figure)


def _draw(axes: Any, results: list[Result]) -> None:
    # One long whisker must not press the bars together.
    widest = min(max(r.latency_ms.p95 for r in results), 1.6 * max(r.latency_ms.p50 for r in results))
    for row, result in enumerate(results):
        times, baseline = result.latency_ms, result.id == result.baseline
        reach = min(times.p95, widest)
        axes.barh(row, times.p50, height=0.62, color=_BASELINE if baseline else _RIVAL)
        axes.errorbar(times.p50, row, xerr=[[0], [reach - times.p50]], color=_INK, linewidth=1, capsize=3)
        speed_up = axes.annotate(
            "1×" if baseline else f"{result.speedup.median:.2f}×",
            (reach, row),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold",
        )
        axes.annotate(
            f"{times.p50:.{1 if times.p50 >= 10 else 2}f} ms",
            (1, 0.5),
            xycoords=speed_up,
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=_FAINT,
        )
    axes.set_yticks(range(len(results)), [r.title.replace(" (cuda)", "") for r in results])
    axes.set_xlim(0, 1.28 * widest)
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor=_INK)
    axes.grid(axis="x", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d1d5db")


def _title(report: Report) -> str:
    shape = next(iter(report.model.inputs.values()))
    return f"{report.model.name}: latency of one call, input {'×'.join(map(str, shape))}"


def _where(report: Report, result: Result) -> str:
    if result.device.startswith("cuda") and report.machine.gpus:
        return report.machine.gpus[0].partition(",")[0]
    return f"{report.machine.cpu}, {report.protocol.threads} threads"


def _against_eager(report: Report) -> bool:
    return all(r.baseline.startswith("eager") for r in report.results)
