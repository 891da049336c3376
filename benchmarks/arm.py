"""Are models right on ARM? `edgegan verify` in an emulated aarch64. Of speed this says nothing.

    edgegan export models/avatars-student-128 --format mnn,ncnn --precision fp32 --out fixed
    python benchmarks/arm.py avatars portraits fixed --out benchmarks/results/arm

The libraries are the wheels that an ARM board gets from pip. Beside them lies a small Debian for arm64, unpacked and
never started, whose Python QEMU runs. Needs Debian's `qemu-user` and `mmdebstrap`, and some 700 MB under `--work`. A
call takes seconds there. `x86-64` is what the card says of the same file and library on the machine that made it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import msgspec
from written import name_of, write

from edgegan.bench.machine import describe
from edgegan.runtime.backends import takes
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.model.artefact import load
from edgegan.runtime.shipped import list_models

SUITE, PYTHON = "bookworm", "3.11"  # of Debian, and the Python in it
DEBIAN = ("python3.11", "libstdc++6", "libgomp1", "libatomic1")
# A Raspberry Pi 5's, of which a Jetson Orin's is a near relative; and one with SVE2 of 256 bits, as servers have it.
PROCESSORS = ("cortex-a76", "max,sve-max-vq=2")
SLOWEST_S = 1800
# What pip installs for each backend. ONNX Runtime 1.32 ends in a segmentation fault under QEMU 7.2 when it is imported.
PACKAGES = {
    "onnxruntime": "onnxruntime<1.24",
    "openvino": "openvino",
    "mnn": "MNN",
    "ncnn": "ncnn",
    "litert": "ai-edge-litert",
}
OTHERS = ("numpy", "opencv-python-headless", "msgspec", "pillow", "rich", "typer")
GLIBC = range(17, 37)  # 2.17 to the suite's 2.36, by which wheels are named


def main() -> None:
    """Prepares the machine, verifies everything on it, prints the table and writes it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="names of shipped models, and export folders")
    parser.add_argument("--work", type=Path, default=Path("build/arm"), help="of the machine (default %(default)s)")
    parser.add_argument(
        "--processor", action="append", help=f"repeatable, in QEMU's words; default: {' and '.join(PROCESSORS)}"
    )
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    options = parser.parse_args()
    lacking = [program for program in ("qemu-aarch64", "mmdebstrap") if shutil.which(program) is None]
    if lacking:
        sys.exit(f"arm: {' and '.join(lacking)} are missing here (Debian: apt-get install qemu-user mmdebstrap)")
    try:
        jobs = [(file, name) for model in options.models for file in files(model) for name in backends(file)]
    except EdgeganError as error:
        sys.exit(f"arm: {error}")
    if not jobs:
        sys.exit(f"arm: nothing for {', '.join(PACKAGES)} in {', '.join(options.models)}")
    work = options.work.resolve()
    unpack(work / "root")
    install(work / "site", sorted({PACKAGES[backend] for _, backend in jobs}))
    versions = {found.name.lower(): found.version for found in distributions(path=[str(work / "site")])}
    rows = []
    for file, backend in jobs:
        for processor in options.processor or PROCESSORS:
            print(f"{name_of(file)} in {backend} on {processor} ...", file=sys.stderr, flush=True)
            rows.append(
                row(work, file, backend, processor)
                | {"version": versions.get(PACKAGES[backend].partition("<")[0].lower(), "")}
            )
    about = subprocess.run(["qemu-aarch64", "--version"], capture_output=True, text=True, check=True).stdout
    figures: dict[str, Any] = {"rows": rows, "emulator": about.splitlines()[0]}
    figures["machine"] = msgspec.to_builtins(describe())
    print(table(figures))
    if options.out:
        write(options.out, figures, table(figures))


def files(model: str) -> list[Path]:
    """The files of a shipped model or an export folder, but for classifiers."""
    if model in list_models():
        return [list_models()[model]]
    found = sorted(path.resolve() for path in Path(model).glob("*") if not path.name.startswith("classifier"))
    return [path for path in found if backends(path)]


def backends(file: Path) -> list[str]:
    """Those that run a file."""
    return [name for name in PACKAGES if takes(name, file)]


def unpack(root: Path) -> None:
    """A Debian for arm64 with Python, unless it is there."""
    if root.is_dir():
        return
    part = root.with_name("root.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    command = ["mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64"]
    subprocess.run([*command, f"--include={','.join(DEBIAN)}", SUITE, str(part)], check=True)
    part.rename(root)


def install(site: Path, packages: list[str]) -> None:
    """The wheels for aarch64 of these packages and of what edgegan needs, unless they are there."""
    told = site / "installed.txt"
    wanted = "\n".join([*packages, *OTHERS])
    if told.is_file() and told.read_text() == wanted:
        return
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site), "--only-binary=:all:"]
    command += ["--python-version", PYTHON, "--implementation", "cp", "--platform", "manylinux2014_aarch64"]
    for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none"):
        command += ["--abi", abi]
    for minor in GLIBC:
        command += ["--platform", f"manylinux_2_{minor}_aarch64"]
    subprocess.run([*command, *packages, *OTHERS], check=True)
    told.write_text(wanted)


def row(work: Path, file: Path, backend: str, processor: str) -> dict[str, Any]:
    """What `edgegan verify` finds of a file on a backend, beside what the file's card says."""
    known = load(file).card.verification.get(backend)
    kept = {"PYTHONPATH": f"{work / 'site'}:{Path(__file__).resolve().parents[1]}", "PYTHONDONTWRITEBYTECODE": "1"}
    kept |= {"HOME": str(work), "QEMU_CPU": processor, "PATH": os.environ["PATH"]}
    python = work / "root" / "usr" / "bin" / f"python{PYTHON}"
    command = ["qemu-aarch64", "-L", str(work / "root"), str(python), "-m", "edgegan", "verify", str(file)]
    command += ["--backend", backend, "--json", "--worst", str(work / "worst.png")]
    found: dict[str, Any] = {"file": name_of(file), "backend": backend, "processor": processor}
    found["x86_64_db"] = known.psnr_worst_db if known else None
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=kept, timeout=SLOWEST_S)
    except subprocess.TimeoutExpired:
        return found | {"status": "failed", "reason": f"no answer in {SLOWEST_S} s"}
    try:
        figures = json.loads(done.stdout[done.stdout.index("{") :])[backend]
    except (ValueError, KeyError):
        words = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        return found | {"status": "failed", "reason": words}
    kept_figures = ("status", "reason", "pictures", "psnr_worst_db", "max_abs", "architecture")
    return found | {name: figures[name] for name in kept_figures}


def table(figures: dict[str, Any]) -> str:
    """All of it, in Markdown."""
    lines = ["| file | library | aarch64 as | worst picture, dB | on x86-64 | |", "|---|---|---|---:|---:|---|"]
    for each in figures["rows"]:
        here, there = (f"{each[k]:.1f}" if each.get(k) is not None else "" for k in ("psnr_worst_db", "x86_64_db"))
        words = each["status"] + (f": {each['reason']}" if each["reason"] else "")
        cells = (each["file"], f"{each['backend']} {each['version']}", each["processor"], here, there, words)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"{figures['emulator']}: values, and no speeds."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
