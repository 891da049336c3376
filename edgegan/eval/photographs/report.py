"""What is said of edits of photographed faces: means, tables and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgegan.eval.photographs.at_once import make_table
from edgegan.eval.report import Table

_SHARES = ("landed", "input_landed", "exact_landed", "kept", "exact_kept")
_FIGURES = (*_SHARES, "psnr_outside_db", "likeness")


def average(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The mean of each figure over the rows of edits that have it."""
    found = {key: [row[key] for row in rows if key in row] for key in _FIGURES}
    return {key: round(float(np.mean(values)), 4) for key, values in found.items() if values}


def split_by(rows: Sequence[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row of means for each combination of the words that rows have under `keys`, in order of appearance."""
    kinds = dict.fromkeys(tuple(row[k] for k in keys) for row in rows)
    found = []
    for kind in kinds:
        own = [row for row in rows if tuple(row[k] for k in keys) == kind]
        found.append({**dict(zip(keys, kind, strict=True)), "edits": len(own), **average(own)})
    return found


def make_tables(figures: dict[str, Any]) -> tuple[Table, ...]:
    """By edit, as photographed and before other backgrounds, and by group of people."""
    headings = ("edits", "landed", "(input)", "(exact)", "kept", "(exact)", "dB outside", "likeness")

    def cells(row: dict[str, Any]) -> list[str]:
        shares = [f"{row[k]:.1%}" if k in row else "" for k in _SHARES]
        return [str(row["edits"]), *shares, f"{row['psnr_outside_db']:.1f}", f"{row['likeness']:.3f}"]

    tables = []
    for suffix, words in (
        ("", "as photographed"),
        ("_other_background", f"each before {figures['backgrounds']} other backgrounds"),
    ):
        rows = [[r["attribute"], r["direction"], *cells(r)] for r in figures[f"by_edit{suffix}"]]
        edits = sum(row["edits"] for row in figures[f"by_edit{suffix}"])
        rows.append(["all", "", *cells({**figures[f"all{suffix}"], "edits": edits})])
        title = f"{figures['model']}: {figures['faces']} held-out faces, {words}"
        tables.append(Table(title, ("attribute", "", *headings), rows, left=(0, 1)))
    if figures["two_at_once"]:
        tables.append(make_table(figures["two_at_once"]))
    groups = [[name, row[name], *cells(row)] for name, rows_ in figures["by_group"].items() for row in rows_]
    if groups:
        tables.append(Table("by group of people", ("group", "", *headings), groups, left=(0, 1)))
    return tuple(tables)


def make_notes(figures: dict[str, Any]) -> tuple[str, ...]:
    """How far the judge can be trusted, and what likeness means."""
    plain, other = (
        ", ".join(f"{key.split('/')[0]} {value:.1%}" for key, value in figures[f"judge_accuracy{suffix}"].items())
        for suffix in ("", "_other_background")
    )
    groups = ", ".join(
        f"{name} {row[name]} {value:.1%}"
        for name, rows in figures["judge_accuracy_by_group"].items()
        for row in rows
        for key, value in row.items()
        if "/" in key
    )
    return (
        f"the judge on real held-out faces: {plain}",
        f"and before other backgrounds: {other}",
        *([f"of which, where one of several is asked for: {groups}"] if groups else ()),
        "(exact): the same of hair that was recoloured exactly and of glasses that were drawn, without a network and "
        "otherwise than what the judge learned from; far below 100% it goes by more than what was changed",
        f"likeness of two different people: {figures['different_people_likeness']:.3f}; of a picture with itself: 1",
    )
