"""Prints, as a Markdown table, how many people of a label table have each attribute: who a training set is made of.

    python docs/scripts/count_people.py [LABELS.csv]

Without a file it counts the table of portraits that comes with edgegan.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "edgegan" / "data" / "tables" / "portraits.csv"


def count(path: Path) -> list[tuple[str, int, float]]:
    """Each value of each column but the file's name: (words, how many, their share of all)."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found: list[tuple[str, int, float]] = [("all", len(rows), 1.0)]
    for column in list(rows[0])[1:]:
        counts = Counter(row[column] for row in rows)
        if set(counts) <= {"0", "1", "-1", ""}:
            found.append((column, counts["1"], counts["1"] / len(rows)))
        else:
            found += [(f"{column}: {value}", n, n / len(rows)) for value, n in counts.most_common()]
    return found


def table(path: Path) -> str:
    """The counts as a Markdown table."""
    lines = ["| | people | share |", "|---|---:|---:|"]
    return "\n".join([*lines, *(f"| {words} | {n} | {share:.1%} |" for words, n, share in count(path))])


if __name__ == "__main__":
    print(table(Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE))
