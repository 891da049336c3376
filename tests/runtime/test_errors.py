"""Errors as types: what a worker process raises reaches its parent as it is."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from edgegan.runtime import pictures
from edgegan.runtime.backends import choice
from edgegan.runtime.errors import EdgeganError, InputError


def kinds(of: type[EdgeganError] = EdgeganError) -> Iterator[type[EdgeganError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def test_modules_with_errors_of_their_own_are_among_those_tried() -> None:
    assert {pictures.UnreadableError, choice._UnverifiedError, InputError} <= set(kinds())


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=lambda kind: kind.__name__))
def test_an_error_survives_being_sent_to_another_process(kind: type[EdgeganError]) -> None:
    needed = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
    error = kind(*[Path("a.png") if "Path" in str(p.annotation) else p.name for p in needed])
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind and str(other) == str(error) and vars(other) == vars(error)


def test_a_parent_is_told_what_its_worker_could_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    read = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with read, pytest.raises(pictures.UnreadableError, match="a.png") as told:
        read.submit(pictures.decode, tmp_path / "a.png").result()
    assert told.value.path == tmp_path / "a.png"
