"""Build shim: the sibling folders export/ and runtime/ ship inside the edgegan package."""

from setuptools import find_packages, setup

SIBLINGS = ("export", "runtime")
setup(
    packages=find_packages(include=["edgegan", "edgegan.*"], exclude=[f"edgegan.{s}*" for s in SIBLINGS])
    + [f"edgegan.{p}" for s in SIBLINGS for p in find_packages(include=[s, f"{s}.*"])],
    package_dir={f"edgegan.{s}": s for s in SIBLINGS},
)
