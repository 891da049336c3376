"""Figures in the documentation: those that the commands wrote into benchmarks/results/, rounded as the pages round."""

from __future__ import annotations

import importlib.util
import json
import re
from typing import Any

import numpy as np
from support.pages import RESULTS, ROOT, page, read


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


def test_a_cyclegans_student_is_as_eval_scored_it_beside_its_teacher() -> None:
    student, teacher = (read(f"avatars-seasons-256{way}")["directions"] for way in ("-student", ""))
    ours, its = ([each[way]["psnr_db"] for way in ("AtoB", "BtoA")] for each in (student, teacher))
    assert min(a - b for a, b in zip(ours, its, strict=True)) > -0.5
    words = f"{ours[0]:.1f} dB to winter and {ours[1]:.1f} dB to summer, its teacher {its[0]:.1f} and {its[1]:.1f}"
    assert f"{words}, returning the input {student['AtoB']['input_psnr_db']:.1f}" in page("distil")


def test_photographed_faces_are_as_eval_scored_them() -> None:
    scores, text = read("portraits-student-128"), page("results")
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
    off = next(r for r in scores["by_edit"] if (r["attribute"], r["direction"]) == ("Eyeglasses", "remove"))
    assert f"taken off in {round(off['landed'] * off['edits'])} cases of {off['edits']}" in page("limits")
    for row in scores["two_at_once"]:
        assert f"| {' and '.join(row['pair'])} | {row['edits']} | {row['both_landed']:.1%} |" in text
    for row in (*scores["by_group"]["skin"], *scores["by_group"]["Male"]):
        cells = f"{row['landed']:.1%} | {row['exact_landed']:.1%} | {row['kept']:.1%} | {row['likeness']:.3f}"
        assert f"| {row['edits']} | {cells} |" in text


def check_table_of_two(both: list[dict[str, Any]], text: str) -> None:
    """By one judge: each edit, all of them and what was kept, as photographed and before other backgrounds."""
    assert len({json.dumps([s["judge_accuracy"], s["judge_accuracy_other_background"]]) for s in both}) == 1
    for place, row in enumerate(both[0]["by_edit"]):
        ways = {"add": ", put on", "remove": ", taken off"} if row["attribute"] == "Eyeglasses" else {}
        landed = [(s["by_edit"][place]["landed"], s["by_edit_other_background"][place]["landed"]) for s in both]
        cells = " | ".join(f"{plain:.1%} ({other:.1%})" for plain, other in landed)
        assert f"| {row['attribute']}{ways.get(row['direction'], '')} | {row['edits']} | {cells} |" in text
    for name, key in (("all", "landed"), ("others kept", "kept")):
        cells = " | ".join(f"{s['all'][key]:.1%} ({s['all_other_background'][key]:.1%})" for s in both)
        assert f"| {name} | 320 | {cells} |" in text


def test_the_weights_before_are_as_the_same_judge_scored_them() -> None:
    both = [read(f"portraits-128{way}") for way in ("-before", "")]
    assert [s["model"].split(" after ")[1] for s in both] == ["4,000 images", "6,400 images"]
    check_table_of_two(both, page("results"))


def test_the_student_of_photographed_faces_is_as_its_teachers_judge_scored_it() -> None:
    """In the eyes of one judge it lands, and keeps, what its teacher does, but for two points in a hundred."""
    both = [read(f"portraits-{name}") for name in ("128-teacher", "student-128")]
    assert [s["model"].split(" after ")[1] for s in both] == ["6,400 images", "36,000 images"]
    check_table_of_two(both, page("results"))
    for total in ("all", "all_other_background"):
        for key in ("landed", "kept"):
            its, ours = (s[total][key] for s in both)
            assert ours >= its - 0.02
    its, ours = (s["all"]["landed"] for s in both)
    assert f"{ours:.1%} of its edits land, of its teacher's {its:.1%}" in page("distil")


def test_portraits_keeps_the_floors_that_it_was_made_for() -> None:
    """Of the teacher: as photographed and before other backgrounds, nine of ten edits, and what the judge knows of real
    people."""
    scores = read("portraits-128")
    for suffix in ("", "_other_background"):
        landed = {(r["attribute"], r["direction"]): r["landed"] for r in scores[f"by_edit{suffix}"]}
        nine_of_ten = (("Black_Hair", "add"), ("Blond_Hair", "add"), ("Eyeglasses", "add"), ("Eyeglasses", "remove"))
        assert all(landed[edit] >= 0.9 for edit in nine_of_ten), landed
        known = scores[f"judge_accuracy{suffix}"]
        assert all(landed[name, "add"] >= known[name] for name in ("Brown_Hair", "Gray_Hair")), landed
        total = scores[f"all{suffix}"]
        assert total["kept"] >= 0.95 and total["psnr_outside_db"] >= 30
        assert total["likeness"] > scores["different_people_likeness"] + 0.1


def test_the_preset_alone_is_as_an_earlier_judge_scored_it() -> None:
    scores, text = read("portraits-128-preset"), page("results")
    rows = {(r["attribute"], r["direction"]): r for r in scores["by_edit"]}
    others = {(r["attribute"], r["direction"]): r for r in scores["by_edit_other_background"]}
    both = {key: f"{rows[key]['landed']:.1%} ({others[key]['landed']:.1%})" for key in rows}
    total = f"{scores['all']['landed']:.1%} ({scores['all_other_background']['landed']:.1%})"
    off = both["Eyeglasses", "remove"]
    assert f"{both['Blond_Hair', 'add']} of blond, {off} of glasses taken off and {total} of all" in text


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
