"""What happens in a process that was forked off this one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import pytest

from edgegan.runtime.errors import InputError


def outcomes_in_fork(*calls: Callable[[], object], seconds: float = 60.0) -> list[str]:
    """The error of each call in a forked process, or "" for none; fails if they have not ended after `seconds`."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, calls), daemon=True)
    process.start()
    if not ours.poll(seconds):
        process.kill()
        pytest.fail(f"the calls hang: they have not ended after {seconds:g} s")
    outcomes: list[str] = ours.recv()
    process.join(seconds)
    assert process.exitcode == 0
    return outcomes


def _run(pipe, calls):
    outcomes = []
    for call in calls:
        try:
            call()
            outcomes.append("")
        except InputError as error:
            outcomes.append(str(error))
    pipe.send(outcomes)
