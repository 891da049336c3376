"""What a command prints to be typed next can be typed: paths with blanks and quotes come back as one word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support import tiny_models

from edgegan import cli
from edgegan.cli._shared.sources import usual_source
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
    ("domain", "source"), [("drawn faces", "synthetic"), ("photographed faces", "0"), ("", "synthetic")]
)
def test_export_says_what_can_be_typed(
    domain: str, source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    folder = tmp_path / ODD
    tiny_models.write_editor(folder / "AtoB", domain=domain)
    row = Row(folder / "AtoB" / "model.onnx", "fp32", 1, "onnxruntime", Verification(status="passed"))
    _show(Exported(folder, (row,), ()), folder, Console())
    bench, live = words(capsys.readouterr().out)
    assert bench == ["edgegan", "bench", str(folder)] and live == ["edgegan", "live", str(row.path), "--source", source]


def test_export_of_a_generator_proposes_a_walk_through_its_latents(tmp_path: Path) -> None:
    assert usual_source(artefact.load(tiny_models.write_sampler(tmp_path)).card) == "latent"


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
