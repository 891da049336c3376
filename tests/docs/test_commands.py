"""Commands in the documentation: each line parses against the command line as it is, without being run."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from support.pages import ROOT, Page, every_page

from edgegan import cli, config, families

PAGES = every_page()
_APART = {"|", "||", "&&", ";", ">", "<"}
_STARTS = (["edgegan"], ["-m", "edgegan"], [".venv/bin/edgegan"])
SCRIPTS_OPTIONS = {
    option
    for script in (ROOT / "benchmarks").glob("*.py")
    for option in re.findall(r'"(--[a-z-]+)"', script.read_text())
}


@cache
def command_line() -> Any:
    """The whole of `edgegan` as a click group. Typer may bring a click of its own: its classes are not named here."""
    cli._register()
    return typer.main.get_command(cli.app)


def split_commands(line: str) -> list[list[str]]:
    """The arguments of each `edgegan` in a line of shell: behind pipes, after torchrun, before a comment."""
    found: list[list[str]] = []
    current: list[str] | None = None
    words = shlex.split(line, comments=True)
    for place, word in enumerate(words):
        if word in _APART:
            current = None
        elif current is not None:
            current.append(word)
        elif any(words[: place + 1][-len(start) :] == start for start in _STARTS):
            current = []
            found.append(current)
    return found


def fault(arguments: list[str], *, whole: bool = True) -> str:
    """Why `edgegan` would not take these arguments, or ""; with `whole`, arguments may not be missing either."""
    command, parent, name = command_line(), None, "edgegan"
    while True:
        try:
            context = command.make_context(name, list(arguments), parent=parent)
        except typer.Exit:
            return ""
        except Exception as error:
            kind = type(error).__name__
            if not hasattr(error, "format_message"):
                raise
            forgiven = kind == "NoArgsIsHelpError" or (not whole and kind in ("MissingParameter", "BadOptionUsage"))
            return "" if forgiven else error.format_message()
        rest = [*context._protected_args, *context.args]
        if not hasattr(command, "commands") or not rest:
            return ""
        name, *arguments = rest
        if name.isupper():  # any command
            return ""
        if name not in command.commands:
            return f"no command {name!r}"
        command, parent = command.commands[name], context


def find_unknown_preset(arguments: list[str]) -> str:
    """The preset that `train` is given and its family has not, or ""."""
    if arguments[:1] != ["train"] or "--preset" not in arguments:
        return ""
    family, preset = arguments[1], arguments[arguments.index("--preset") + 1]
    known = family in families.names() and (preset in config.presets(family) or preset.endswith(".toml"))
    return "" if known or preset.isupper() else f"{family} has no preset {preset}"


def every_option() -> set[str]:
    """All options of all commands."""

    def below(command: Any) -> set[str]:
        own = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        return own.union({"--help"}, *map(below, getattr(command, "commands", {}).values()))

    return below(command_line())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_is_one_that_edgegan_takes(page: Page, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    # Examples that a user adds a family with name one that is not here.
    faults = [
        f"{line}: {wrong}"
        for line in page.command_lines
        for arguments in split_commands(line)
        if (wrong := fault(arguments) or ("" if "mygan" in arguments else find_unknown_preset(arguments)))
    ]
    assert faults == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_in_the_prose_is_one_of_edgegan(page: Page) -> None:
    options = every_option() | SCRIPTS_OPTIONS
    faults = []
    for words in page.words_of_code:
        plain = words.replace("\\|", "|").replace("…", "X")
        if plain.startswith("edgegan "):
            faults += [f"{words}: {why}" for a in split_commands(plain) if (why := fault(a, whole=False))]
        elif plain.startswith("--"):
            faults += [f"no option {o}" for o in re.findall(r"(?<![\w-])--[a-z][a-z-]*", plain) if o not in options]
    assert faults == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_script_is_there(page: Page) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = [*page.command_lines, *page.words_of_code]
    made = {t for c in commands for t in re.findall(r"(?:^|&& )make ([a-z-]+)", c)}
    scripts = {s for c in commands for s in re.findall(r"(?:^|&& |python )((?:benchmarks|docs|examples)/[\w/.]+)", c)}
    assert made <= targets
    assert [s for s in sorted(scripts) if not (ROOT / s).exists() and "/results/" not in s] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("edgegan live --sorce 0", "No such option"),
        ("edgegan liv", "no command"),
        ("edgegan data faces photos", "Missing option"),
        ("edgegan export", "Missing argument"),
        ("edgegan live --size 1x1 | edgegan bench --seconds x", "--seconds"),
        ("torchrun -m edgegan train stargan --images none", "--images"),
        ("echo a | edgegan live --stdin", ""),
        ("python edgegan.py --whatever", ""),
    ],
)
def test_a_command_that_is_not_there_is_found(line: str, wrong: str) -> None:
    found = " ".join(filter(None, map(fault, split_commands(line))))
    assert wrong in found if wrong else not found


def test_a_preset_that_is_not_there_is_found() -> None:
    assert find_unknown_preset(["train", "stargan", "--preset", "avatars-65"])
    assert not find_unknown_preset(["train", "stargan", "--preset", "avatars-64"])


def test_examples_heads_name_files_and_commands_that_are_there() -> None:
    for example in sorted(Path(ROOT, "examples").glob("*.py")):
        head = example.read_text().split('"""')[1]
        assert f"python examples/{example.name}" in head or f"{example.stem}:app" in head, example.name
