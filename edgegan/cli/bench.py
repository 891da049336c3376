"""`edgegan bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._shared import options
from ._shared import rebuild as _rebuild

if TYPE_CHECKING:
    from edgegan.bench.session import Request

EPILOG = """
**Examples**

`edgegan bench runs/stargan` — PyTorch eager and compiled, and every backend on what the run exported

`edgegan bench model.onnx --backend onnxruntime --backend openvino` — an exported file, without PyTorch

`edgegan bench runs/stargan --json bench.json --markdown bench.md --plot bench.png`

`edgegan bench model.onnx --backend openvino --profile layers.png` — which layers take the time
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(bench)


def bench(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN|MODEL]",
            help="A run, checkpoint, export folder, model file or shipped model's name; default: that of drawn faces.",
        ),
    ] = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help="eager, compile, onnxruntime, onnxruntime-tensorrt, openvino, mnn, ncnn, litert, coreml, tensorrt; "
            "repeatable. Default: all."
        ),
    ] = None,
    device: options.TimedDevice = "auto",
    rebuild: Annotated[str, _rebuild.OPTION] = "never",
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures as JSON.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the report as Markdown.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the latencies into a PNG.")] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG", help="Time every layer of the exported files instead: tables, and the slowest as a picture."
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.01, help="Seconds of counted calls for each subject.  [default: 10]")
    ] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="Counted calls for each subject, instead.")] = None,
    threads: options.TimedThreads = None,
    pictures: Annotated[int, typer.Option(min=1, help="Inputs on which outputs are compared.")] = 64,
    starts: Annotated[int, typer.Option(min=1, help="Fresh processes for each cold start; the fastest counts.")] = 2,
) -> None:
    """Compare PyTorch eager with every backend: latency, fps, fidelity, cold start and memory."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from edgegan.bench import plot as picture
    from edgegan.bench.session import Request, run_benchmark
    from edgegan.runtime.errors import InputError
    from edgegan.runtime.places import model_parts

    from ._shared.outputs import check_outputs

    if seconds is not None and iterations is not None:
        raise InputError("--seconds and --iterations are both given", todo="name one of them")
    pictures_out = {"--plot": plot, "--profile": profile}
    check_outputs(model_parts(model) if model else {}, json, markdown, pictures=pictures_out)
    if plot is not None or profile is not None:
        picture.check_available()
    if profile is not None and (markdown or plot or seconds is not None):
        raise InputError("--profile times layers", "with --json and --iterations alone")
    request = Request(
        path=model,
        backends=tuple(backend or ()),
        device=device,
        seconds=10.0 if seconds is None else seconds,
        iterations=iterations,
        threads=threads,
        pictures=pictures,
        starts=starts,
        rebuild=_rebuild.choice(rebuild),
    )
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    if profile is not None:
        _profile(request, profile, json)
        return
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        report = run_benchmark(request, lambda what, done: bar.update(task, description=what, completed=done))
    console.print(f"{report.model.name} on {report.machine.cpu}, {report.protocol.threads} threads, batch 1")
    wide = console if console.is_terminal else Console(width=140)
    wide.print(report.table())
    for line in report.lines():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if json is not None:
        report.write_json(json)
    if markdown is not None:
        report.write_markdown(markdown)
    if plot is not None:
        picture.write_plot(report, plot)
    written = [str(path) for path in (json, markdown, plot) if path is not None]
    if written:
        print(f"wrote {', '.join(written)}")


def _profile(request: Request, path: Path, json: Path | None) -> None:
    from rich.console import Console

    from edgegan.bench.profile.layers import write_json
    from edgegan.bench.profile.picture import write_picture
    from edgegan.bench.profile.session import profile_layers

    console = Console()
    profiles, absent = profile_layers(request)
    wide = console if console.is_terminal else Console(width=140)
    for profile in profiles:
        wide.print(profile.table())
    for each in absent:
        console.print(f"not measured: {each.title}: {each.reason}", highlight=False, markup=False, soft_wrap=True)
    write_picture(profiles, path)
    if json is not None:
        write_json(profiles, json)
    print(f"wrote {', '.join(str(each) for each in (path, json) if each is not None)}")
