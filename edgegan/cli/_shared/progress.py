"""Long work, told: a bar on a terminal, one line for each stage in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Tell = Callable[[str, int, int], None]  # (what, steps done, steps in all)


@contextmanager
def show_progress(console: Console) -> Iterator[Tell]:
    """Yields what is to be called with every step; nothing shows before the first."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    said: set[str] = set()

    def tell(what: str, done: int, total: int) -> None:
        if not console.is_terminal:
            if what not in said:
                console.print(what, highlight=False)  # a log has no use for a bar
        else:
            if not said:
                bar.add_task(what)
                bar.start()
            if what not in said or bar.tasks[0].description != what:
                bar.reset(bar.task_ids[0], description=what, total=total)
            bar.update(bar.task_ids[0], completed=done, total=total)
        said.add(what)

    try:
        yield tell
    finally:
        if said and console.is_terminal:
            bar.stop()
