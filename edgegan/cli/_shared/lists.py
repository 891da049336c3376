"""Options that take several words: `--precision fp32,int8`, or the option once for each."""

from __future__ import annotations

from collections.abc import Iterable


def split_words(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """The words of an option, each once, in their order: `["fp32,int8", "fp16"]` gives fp32, int8 and fp16."""
    texts = [given] if isinstance(given, str) else given or ()
    return tuple(dict.fromkeys(word.strip() for text in texts for word in text.split(",") if word.strip()))
