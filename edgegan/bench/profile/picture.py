"""The picture of layer profiles: the slowest layers of each subject as bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgegan.bench.plot import check_available
from edgegan.runtime.files import atomic_path

from .layers import LayerProfile

_BARS = 12
_INK, _BAR = "#1f2937", "#2563eb"
_NAME = 60  # characters


def write_picture(profiles: list[LayerProfile], path: Path) -> None:
    """Draws one panel for each profile, with a scale of its own, into a PNG; atomic."""
    check_available()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    heights = [1.0 + min(_BARS, len(profile.layers)) for profile in profiles]
    with pyplot.rc_context({"font.size": 9, "text.color": _INK}):
        figure, grid = pyplot.subplots(
            len(profiles),
            figsize=(10, 0.6 + 0.28 * sum(heights)),
            dpi=150,
            layout="constrained",
            squeeze=False,
            height_ratios=heights,
        )
        try:
            for axes, profile in zip(grid[:, 0], profiles, strict=True):
                _draw(axes, profile)
            grid[-1, 0].set_xlabel("milliseconds a call, the median", loc="left")
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format="png")
        finally:
            pyplot.close(figure)


def _draw(axes: Any, profile: LayerProfile) -> None:
    layers = profile.slowest(_BARS)
    axes.barh(range(len(layers)), [layer.ms for layer in layers], color=_BAR)
    axes.set_yticks(range(len(layers)), [_label(layer.name, layer.kind) for layer in layers])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    words = f"{profile.title}, {profile.file}: {profile.total_ms:.2f} ms in {len(profile.layers)} layers"
    axes.set_title(words, loc="left", fontweight="bold")


def _label(name: str, kind: str) -> str:
    short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return f"{short}  ({kind})" if kind else short
