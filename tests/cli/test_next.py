"""What a command prints to be typed next can be typed: paths with blanks and quotes come back as one word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from support import tiny_models

from edgegan import cli
from edgegan.cli._shared.options import split_words
from edgegan.cli.export import _show
from edgegan.export import Exported, Row
from edgegan.runtime.commands import command
from edgegan.runtime.errors import InputError
from edgegan.runtime.model import artefact
from edgegan.runtime.model.verification import Verification

ODD = "my 'best' run [1]"


def words(text: str) -> list[list[str]]:
    """The commands in a line that begins with `next:`."""
    line = next(line for line in text.splitlines() if line.startswith("next: "))
    return [shlex.split(part) for part in re.split(r"   (?:or|then): ", line.removeprefix("next: "))]


def test_a_command_is_what_a_shell_takes_apart_again() -> None:
    assert command("export", Path(ODD)) == f"edgegan export {shlex.quote(ODD)}"
    assert command("live", "m.onnx") == "edgegan live m.onnx"


@pytest.mark.parametrize(
    ("domain", "look"),
    [
        ("", ["live", "--source", "synthetic"]),
        ("drawn faces", ["live", "--source", "synthetic"]),
        ("photographed faces", ["live", "--source", "0"]),
        ("latents", ["sample"]),
    ],
)
def test_export_says_what_can_be_typed(
    domain: str, look: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    folder = tmp_path / ODD
    draws = domain == "latents"
    model = (
        tiny_models.write_sampler(folder / "AtoB")
        if draws
        else tiny_models.write_editor(folder / "AtoB", domain=domain)
    )
    row = Row(model, "fp32", 1, "onnxruntime", Verification(status="passed"))
    _show(Exported(folder, (row,), ()), folder, Console())
    bench, seen = words(capsys.readouterr().out)
    assert bench == ["edgegan", "bench", str(folder)]
    assert seen == ["edgegan", look[0], str(row.path), *look[1:]]


def test_an_option_of_several_words_takes_them_in_one_or_one_by_one() -> None:
    assert split_words(["fp32, int8", "fp16", "int8"]) == ("fp32", "int8", "fp16")
    assert split_words(None) == split_words("") == split_words([","]) == ()


def test_no_option_of_several_words_forgets_the_first(tmp_path: Path) -> None:
    """Of a text that is taken apart at commas, the parser would keep the last one alone."""
    cli._register()
    found = {}

    def visit(command: Any, path: str) -> None:
        for name, child in getattr(command, "commands", {}).items():
            visit(child, f"{path} {name}")
        for option in command.params:
            if isinstance(option.metavar, str) and re.fullmatch(r"(A|fp32|onnx|8\.6),.*", option.metavar):
                found[f"{path} {option.opts[0]}"] = option.multiple

    visit(typer.main.get_command(cli.app), "edgegan")
    assert len(found) == 6 and all(found.values()), found


@pytest.mark.parametrize("tiny_run", ["pix2pix"], indirect=True)
def test_publish_says_what_can_be_typed(tiny_run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main(["publish", str(tiny_run.folder), "--out", str(tmp_path / ODD)])
    assert done.value.code in (0, None)
    line = words(capsys.readouterr().out.replace("   (it", "\n(it"))[0]
    assert line == ["edgegan", "export", str(tmp_path / ODD)]


def test_an_error_s_remedy_can_be_typed(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    with pytest.raises(InputError) as caught:
        artefact.load(folder)
    assert shlex.split(caught.value.todo.removeprefix("export it first: ")) == ["edgegan", "export", str(folder)]


def test_info_says_what_can_be_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tiny_models.write_editor(tmp_path / ODD)
    with pytest.raises(SystemExit):
        cli.main(["info", str(model)])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("next "))
    assert shlex.split(line)[1:] == ["edgegan", "verify", str(model), "--write"]
