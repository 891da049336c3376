"""The command line: parse, build a config, make one call. Every heavy import waits inside its command."""

from __future__ import annotations

import signal
import sys
import traceback
from functools import cache

import typer

from edgegan import __version__
from edgegan.cli._shared.finite import refuse_infinite
from edgegan.cli._shared.streams import make_streams_safe, words_of_loss
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.files import cache_note
from edgegan.runtime.kinds import modules
from edgegan.runtime.redaction import redact_text

STOPPED = 130  # by Ctrl-C, as shells count it
ISSUE_HINT = "this is a bug in edgegan; please report it with the lines above"

app = typer.Typer(
    name="edgegan",
    help="From a GAN in PyTorch to a live, checked, real-time image editor on any edge machine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        print(f"edgegan {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of every error."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    del version
    if debug:
        sys.tracebacklimit = 1000


@cache
def _register() -> None:
    """Each module of this folder adds its own command, once: `register(app)`. What commands share begins with "_"."""
    for module in modules(__name__):
        module.register(app)
    refuse_infinite(app)


def main(argv: list[str] | None = None) -> None:
    """Runs the command line; exit codes: 0, 2 for what the user can mend, 130 after Ctrl-C, 1 for our bugs."""
    arguments = sys.argv[1:] if argv is None else argv
    make_streams_safe()
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(stop, signal.default_int_handler)
    _register()
    try:
        code = app(args=arguments, standalone_mode=False, prog_name="edgegan")
    except typer.Exit as done:
        code = done.exit_code
    except KeyboardInterrupt:
        code = STOPPED
    except Exception as error:
        code = _explain(error, debug="--debug" in arguments)
    if note := cache_note():
        print(f"note:    {note}", file=sys.stderr)
    if lost := words_of_loss():
        print(f"edgegan: {lost}", file=sys.stderr)
        code = code or 2
    if code == STOPPED:  # Typer may have caught Ctrl-C itself
        print("stopped", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception, *, debug: bool) -> int:
    if debug:
        _print_traceback(error)
    if isinstance(error, EdgeganError):
        print(f"edgegan: {redact_text(str(error))}", file=sys.stderr)
        return 2
    said = getattr(error, "format_message", None)  # the parser's own errors: unknown option, missing argument
    if said is not None:
        if not said():  # no arguments at all: the help was printed
            return 0
        print(f"edgegan: {redact_text(said())}", file=sys.stderr)
        print("see: edgegan --help", file=sys.stderr)
        return 2
    if type(error).__name__ == "Abort":
        return STOPPED
    if not debug:
        _print_traceback(error)
    print(f"edgegan: {ISSUE_HINT}", file=sys.stderr)
    return 1


def _print_traceback(error: Exception) -> None:
    print(redact_text("".join(traceback.format_exception(error))), end="", file=sys.stderr)
