"""`edgegan doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

EPILOG = """
**Examples**

`edgegan doctor` — before asking for help, paste what it prints

`edgegan doctor --json`
"""

_MARKS = {"ok": "[green]✓[/]", "missing": "[red]✗[/]", "note": "[yellow]·[/]"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Show what this machine can run, what is missing and how to get it. Needs no torch."""
    import msgspec
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from edgegan import __version__
    from edgegan.runtime.doctor import examine

    findings = examine()
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(findings), indent=2).decode())
        return
    console = Console()
    console.print(f"edgegan {__version__}", highlight=False)
    table = Table.grid(padding=(0, 1))
    topic = ""
    for each in findings:
        table.add_row(each.topic if each.topic != topic else "", _MARKS[each.status], each.name, escape(each.text))
        if each.todo:
            table.add_row("", "", "", f"[bold]{escape(each.todo)}[/]")
        topic = each.topic
    console.print(table, highlight=False)
