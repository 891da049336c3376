"""The contract of a source, and of one around another."""

from __future__ import annotations

from edgegan.runtime.live.source import Source, Wrapped
from edgegan.runtime.live.sources.latent import Beat


def test_all_that_a_source_tells_of_itself_is_told_through_a_wrapper() -> None:
    source = Beat((48, 64), fps=12.5, seed=7)
    wrapped = Wrapped(source)
    told = {name: getattr(wrapped, name) for name in Source.__annotations__}
    assert told == {name: getattr(source, name) for name in told}
    assert told["seed"] == 7 and told["fps"] == 12.5 and len(told) > 8
