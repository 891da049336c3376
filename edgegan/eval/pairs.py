"""Translators without attributes: against the true partner where there is one, against the target domain elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgegan.data import Domains, Pictures, normalise, open_domains, open_pairs
from edgegan.eval.judge import Judge, domain_judge, read
from edgegan.eval.likeness import psnr
from edgegan.eval.report import Report, Request, Table
from edgegan.eval.sets import Distances, real, table
from edgegan.eval.subject import Subject
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.ssim import ssim
from edgegan.sheet import Picture, Sheet

SHOWN = 6


def measure(subjects: Sequence[Subject], request: Request) -> Report:
    """Scores a translator in each of its directions. Raises InputError if there is no data set of two domains."""
    first = subjects[0]
    spec = request.data or first.data
    if not spec:
        raise InputError(
            f"{first.what}: its card does not say what it was trained on",
            todo="name two domains, as in: --data unaligned:DIR or --data paired:DIR",
        )
    what = _what(subjects)
    domains, paired = _open(spec, first.size)
    judge, no_judge = _judge(spec, first.size)
    distances = None if paired else Distances(request.inception, request.seed)
    figures: dict[str, Any] = {"model": what, "data": domains.name, "paired": paired, "directions": {}}
    if judge is not None:
        figures["judge_accuracy"] = {
            side: _share(judge, _pictures(pictures, request.count), side == "B")
            for side, pictures in (("A", domains.a), ("B", domains.b))
        }
    tables, rows = [], []
    for subject in subjects:
        source, target = _sides(domains, subject.direction)
        inputs = _pictures(source, request.count)
        outputs = subject.translate(inputs)
        found: dict[str, Any] = {"pictures": len(inputs)}
        if paired:
            truths = _pictures(target, request.count)
            found |= score(inputs, outputs, truths)
        if judge is not None:
            found["in_target_domain"] = _share(judge, outputs, subject.direction == "AtoB")
        if distances is not None:
            reference = real(target, request.count)
            compared = {"output": distances.to(outputs, reference), "input": distances.to(inputs, reference)}
            found |= compared
            tables.append(table(f"{subject.what}, {subject.direction}", compared))
        figures["directions"][subject.direction] = found
        rows.append((subject.direction, found))
    if paired or judge is not None:
        tables.insert(0, _table(f"{what}: held-out pictures of {domains.name}", rows))
    notes = [*no_judge, *_describe_judgement(figures)]
    if distances is not None:
        notes += [*distances.missing, "floor: the same distance between two random halves of the reference"]
    return Report(figures, tables, notes, lambda: _sheet(subjects, domains, paired))


def score(inputs: Sequence[Picture], outputs: Sequence[Picture], truths: Sequence[Picture]) -> dict[str, float]:
    """PSNR (dB), SSIM and L1 (grey levels of 255) to the true partners: means over pictures, and the worst PSNR.

    Those of `input` are what returning the input scores; `better_than_input` is the share of pictures whose output
    has the smaller mean square error to the truth. Pictures are (H, W, 3) uint8.
    """
    ours = [_likeness(output, truth) for output, truth in zip(outputs, truths, strict=True)]
    theirs = [_likeness(given, truth) for given, truth in zip(inputs, truths, strict=True)]
    return {
        **{key: round(float(np.mean([row[key] for row in ours])), 4) for key in ours[0]},
        "psnr_worst_db": round(min(row["psnr_db"] for row in ours), 4),
        **{f"input_{key}": round(float(np.mean([row[key] for row in theirs])), 4) for key in theirs[0]},
        "better_than_input": round(
            float(np.mean([a["psnr_db"] > b["psnr_db"] for a, b in zip(ours, theirs, strict=True)])), 4
        ),
    }


def _likeness(picture: Picture, truth: Picture) -> dict[str, float]:
    apart = np.abs(picture.astype(np.float64) - truth)
    return {"psnr_db": psnr(picture, truth), "ssim": ssim(picture, truth), "l1": float(apart.mean())}


def _what(subjects: Sequence[Subject]) -> str:
    """Words for the subjects together: those of a run differ by name alone."""
    names, first = [s.card.name for s in subjects], subjects[0]
    return " and ".join(names) + first.what.removeprefix(first.card.name) if len(names) > 1 else first.what


def _open(spec: str, size: int) -> tuple[Domains, bool]:
    """The held-out pictures, and whether each has a partner."""
    try:
        return open_pairs(spec, size=size, split="heldout"), True
    except InputError:  # broken pairs are no two domains either: the reason comes again
        return open_domains(spec, size=size, split="heldout"), False


def _judge(spec: str, size: int) -> tuple[Judge | None, list[str]]:
    try:
        return domain_judge(spec, size), []
    except InputError as error:
        return None, [f"no judge of the domain: {error.seen}"]


def _share(judge: Judge, pictures: Sequence[Picture], in_b: bool) -> float:
    """How many of the pictures the judge takes for their domain's."""
    seen = read(judge, np.stack([normalise(p) for p in pictures]))[:, 0] > 0.5
    return round(float((seen == in_b).mean()), 4)


def _sides(domains: Domains, direction: str) -> tuple[Pictures, Pictures]:
    return (domains.b, domains.a) if direction == "BtoA" else (domains.a, domains.b)


def _pictures(pictures: Pictures, count: int) -> list[Picture]:
    return [pictures.picture(i) for i in range(min(count, len(pictures)))]


def _table(title: str, rows: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    def cells(direction: str, f: dict[str, Any]) -> list[str]:
        likeness = (
            (
                f"{f['psnr_db']:.2f} ({f['input_psnr_db']:.2f})",
                f"{f['ssim']:.3f} ({f['input_ssim']:.3f})",
                f"{f['l1']:.2f} ({f['input_l1']:.2f})",
                f"{f['better_than_input']:.1%}",
            )
            if "psnr_db" in f
            else ("-",) * 4
        )
        judged = f"{f['in_target_domain']:.1%}" if "in_target_domain" in f else "-"
        return [direction, str(f["pictures"]), *likeness, judged]

    headings = ("N", "PSNR dB (input)", "SSIM (input)", "L1 (input)", "nearer", "in domain")
    return Table(title, ("direction", *headings), [cells(*row) for row in rows])


def _describe_judgement(figures: dict[str, Any]) -> list[str]:
    if "judge_accuracy" not in figures:
        return []
    accuracy = ", ".join(f"{side} {value:.1%}" for side, value in figures["judge_accuracy"].items())
    return [f"judge of the domain on real held-out pictures: {accuracy}"]


def _sheet(subjects: Sequence[Subject], domains: Domains, paired: bool) -> Sheet:
    """For each direction: inputs, what the model made of them, and the true partners where they are known."""
    rows: list[list[Picture | None]] = []
    names: list[str] = []
    for subject in subjects:
        source, target = _sides(domains, subject.direction)
        inputs = _pictures(source, SHOWN)
        shown = {"input": inputs, subject.direction: subject.translate(inputs)}
        if paired:
            shown["truth"] = _pictures(target, SHOWN)
        for name, pictures in shown.items():
            rows.append([*pictures, *[None] * (SHOWN - len(pictures))])
            names.append(name)
    return Sheet([""] * SHOWN, rows, names, _what(subjects))
