"""What a run of gpu.sh did not measure, one line each; ends with 1 if there is anything.

    python benchmarks/gpu/absent.py FOLDER

Every GPU backend needs a test that passed in tests.xml, and a row in each bench-*.json.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

BACKENDS = ("onnxruntime-tensorrt", "onnxruntime", "tensorrt")
_RUNNER = re.compile(r"(?<![a-z])(onnxruntime-tensorrt|onnxruntime|tensorrt_rtx|tensorrt)(?![a-z])")


def absent(folder: Path) -> Iterator[str]:
    """A line for each backend that is missing in a file, with the reasons that the file gives."""
    yield from _find_untested(folder / "tests.xml")
    for path in sorted(folder.glob("bench-*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        measured = {row["engine"] for row in report["results"] if row["device"].startswith("cuda")}
        reasons = "; ".join(sorted({row["reason"] for row in report["absent"]}))
        for name in BACKENDS:
            if name not in measured:
                yield f"{path.name}: no row of {name} on a GPU" + (f" ({reasons})" if reasons else "")


def _find_untested(path: Path) -> Iterator[str]:
    if not path.is_file():
        yield f"{path.name} is not there: no test was run"
        return
    passed: set[str] = set()
    skipped: dict[str, set[str]] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        found = _RUNNER.search(case.get("name", "").partition("[")[2])
        if "TestOnGpu" not in case.get("classname", "") or found is None:
            continue
        if len(case) == 0 or all(part.tag.startswith("system-") for part in case):
            passed.add(found[0])
        for part in case.iter("skipped"):
            skipped.setdefault(found[0], set()).add(part.get("message", ""))
    for name in BACKENDS:
        if name not in passed:
            reasons = "; ".join(sorted(skipped.get(name, ())))
            yield f"{path.name}: no test of {name} passed" + (f" ({reasons})" if reasons else "")


if __name__ == "__main__":
    lines = list(absent(Path(sys.argv[1])))
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(1 if lines else 0)
