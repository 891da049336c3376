"""A report as one HTML file: pictures, videos and plots are inside it, so it can be sent by mail."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgegan.runtime.files import write_atomic

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
img, video { max-width: 100%; height: auto; border: 1px solid #ddd; border-radius: 4px }
table { border-collapse: collapse; font-size: 0.9rem } td, th { border-bottom: 1px solid #ddd; padding: 0.2rem 0.7rem }
td { text-align: right } td:first-child, th:first-child { text-align: left }
pre { background: #f6f6f6; padding: 0.8rem; overflow-x: auto; font-size: 0.85rem }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd } pre { background: #222 }
  td, th { border-color: #444 } }
"""


@dataclass(frozen=True)
class Section:
    """A heading, words (plain text, Markdown tables, indented code), media files, and curves."""

    title: str
    text: str = ""
    media: Sequence[str] = ()  # relative to the report
    series: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


def write_report(path: Path, sections: Sequence[Section], title: str = "edgegan demo") -> None:
    """Writes the report; every file named in `media` must lie under the report's folder."""
    body = "\n".join(_section(path.parent, section) for section in sections)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{html.escape(title)}</h1>{body}</body></html>\n"
    )
    write_atomic(path, page.encode())


def _section(folder: Path, section: Section) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>", _text(section.text)]
    parts += [_medium(folder / name) for name in section.media]
    if section.series:
        parts.append(_embed(_plot(section.series), "image/png", "img"))
    return "\n".join(parts)


def _medium(path: Path) -> str:
    kind = "video/mp4" if path.suffix == ".mp4" else "image/png"
    return _embed(path.read_bytes(), kind, "video" if path.suffix == ".mp4" else "img")


def _embed(data: bytes, kind: str, tag: str) -> str:
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    if tag == "video":
        return f'<video src="{url}" controls autoplay loop muted playsinline></video>'
    return f'<img src="{url}" alt="">'


def _plot(series: Mapping[str, Sequence[tuple[float, float]]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for name, points in series.items():
        axes.plot([x for x, _ in points], [y for _, y in points], label=name)
    axes.set(xlabel="real images shown to D", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _text(text: str) -> str:
    """Paragraphs, Markdown tables, lists, headings and indented code; everything else is escaped as it is."""
    blocks, lines = [], text.splitlines()
    while lines:
        kind = _kind(lines[0])
        run = [lines.pop(0)]
        while lines and _kind(lines[0]) == kind:
            run.append(lines.pop(0))
        blocks.append(_block(kind, run))
    return "\n".join(blocks)


def _kind(line: str) -> str:
    if line.startswith("|"):
        return "table"
    if line.startswith("    "):
        return "code"
    if line.startswith("#"):
        return "heading"
    if line.startswith("- "):
        return "list"
    return "words" if line.strip() else "gap"


def _block(kind: str, lines: list[str]) -> str:
    if kind == "table":
        rows = [[html.escape(cell.strip()) for cell in line.strip("|").split("|")] for line in lines]
        head, *rest = [row for row in rows if not set("".join(row)) <= set("-: ")]
        cells = "".join(f"<th>{cell}</th>" for cell in head)
        return (
            f"<table><tr>{cells}</tr>"
            + "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rest)
            + "</table>"
        )
    if kind == "code":
        return "<pre>" + html.escape("\n".join(line[4:] for line in lines)) + "</pre>"
    if kind == "heading":
        return "".join(f"<h3>{html.escape(line.lstrip('# '))}</h3>" for line in lines)
    if kind == "list":
        return "<ul>" + "".join(f"<li>{html.escape(line[2:])}</li>" for line in lines) + "</ul>"
    return "" if kind == "gap" else f"<p>{html.escape(' '.join(lines))}</p>"
