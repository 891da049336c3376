"""A child process that does one piece of work on a GPU: libraries can crash, and a context on a GPU stays for good.

The child is `python -m MODULE`: a request as JSON on its standard input, a line of JSON per event on its standard
output. `talk` is the parent's side, `answer` the child's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeVar

import msgspec
from edgegan.runtime import errors
from edgegan.runtime.errors import BackendError, EdgeganError, InputError, MissingExtraError

Event = dict[str, Any]
Request = TypeVar("Request")
Tell = Callable[..., None]  # (key=value): one event


@contextmanager
def talk(
    module: str, request: Any, what: str, environment: Mapping[str, str] | None = None
) -> Iterator[Iterator[Event]]:
    """Starts `module` with a request; gives its events, and ends it with the block, however that is left.

    `what` says in an error what the process does. An event called "error" is raised as what it was in the child;
    BackendError is raised where the child ends before the block does.
    """
    with _temporary_file() as stderr:
        child = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,  # nobody reads it while the child lives: a pipe would fill up and stop it
            encoding="utf-8",
            env={**os.environ, **(environment or {})},
        )
        try:
            assert child.stdin is not None and child.stdout is not None
            with suppress(BrokenPipeError):  # then it has died, and its words are in `stderr`
                child.stdin.write(msgspec.json.encode(request, enc_hook=str).decode())
                child.stdin.close()
            yield _events(child, stderr, what)
        finally:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()


def answer(kind: type[Request], work: Callable[[Request, Tell], None]) -> None:
    """Reads a request of that kind, lets `work` tell events, and tells the EdgeganError that it may raise."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to both; the parent decides
    lines = open(os.dup(1), "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    os.dup2(2, 1)  # native libraries shall not write between the events

    def tell(**event: Any) -> None:
        lines.write(msgspec.json.encode(event).decode() + "\n")
        lines.flush()

    request = msgspec.json.decode(sys.stdin.buffer.read(), type=kind, dec_hook=lambda kind, word: kind(word))
    try:
        work(request, tell)
    except MissingExtraError:
        raise
    except EdgeganError as error:
        tell(error={"type": type(error).__name__, "words": [error.seen, error.expected, error.todo]})


def _events(child: subprocess.Popen[str], stderr: IO[bytes], what: str) -> Iterator[Event]:
    assert child.stdout is not None
    for line in child.stdout:
        event: Event = json.loads(line) if line.startswith("{") else {}
        if "error" in event:
            raise getattr(errors, event["error"]["type"])(*event["error"]["words"])
        yield event
    raise _explain_death(child.wait(), stderr, what)


def _explain_death(code: int, stderr: IO[bytes], what: str) -> BackendError:
    stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - 4096))
    said = stderr.read().decode(errors="replace").strip().splitlines()
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    return BackendError(f"the process that {what} {how}" + (f": {said[-1][:200]}" if said else ""))


@contextmanager
def _temporary_file() -> Iterator[IO[bytes]]:
    try:
        made = tempfile.TemporaryFile(prefix="edgegan-")  # noqa: SIM115 - closed below
    except OSError as error:
        raise no_room(error) from error
    with made:
        yield made


def no_room(error: OSError) -> InputError:
    """The error where no temporary file or folder can be made."""
    return InputError(f"cannot make a temporary folder: {error}", todo="free some disk space, or set TMPDIR")
