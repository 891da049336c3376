"""Commands of edgegan in words, for errors and for what is printed at the end of another command."""

from __future__ import annotations

import shlex


def command(*words: object) -> str:
    """`edgegan` and the words as a shell takes them: a path with blanks is quoted."""
    return shlex.join(["edgegan", *map(str, words)])
