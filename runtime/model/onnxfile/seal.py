"""The seal of an ONNX file: its own hash in its metadata, so that alone, without a card, it proves itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .mapped import explain_damage, map_file
from .protobuf import METADATA, entry, fields, pair

SEAL_KEY = "edgegan_content_sha256"  # in metadata_props: the hash of every other byte of the file


def content_sha256(path: Path) -> str:
    """The hash of every byte of an ONNX file but its seal; raises InputError if the file is not ONNX."""
    data = map_file(path)
    try:
        return _content(data).hexdigest()
    except ValueError:
        raise explain_damage(path, len(data), begun=False) from None


def seal_model(model: bytes) -> bytes:
    """A serialised ModelProto with its own hash in its metadata.

    Raises ValueError if `model` is no message.
    """
    digest = _content(memoryview(model)).hexdigest()
    return with_metadata(model, SEAL_KEY, digest)


def with_metadata(model: bytes, key: str, words: str) -> bytes:
    """A serialised ModelProto with one entry more in its `metadata_props`."""
    return model + entry(METADATA, entry(1, key.encode()) + entry(2, words.encode()))


def _content(data: memoryview) -> hashlib._Hash:
    digest = hashlib.sha256()
    for number, value in fields(data):
        if number == METADATA and pair(value)[0] == SEAL_KEY:
            continue
        held = b"%d" % value if isinstance(value, int) else value
        digest.update(b"%d:%d:" % (number, len(held)))
        digest.update(held)
    return digest
