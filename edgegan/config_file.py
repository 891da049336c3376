"""Configuration files: a configuration as TOML, with what each setting means and may be."""

from __future__ import annotations

import inspect as source
import io
import json
import math
import tokenize
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from edgegan.config import BaseConfig
from edgegan.ranges import range_words


def write_config(cfg: BaseConfig, family: str, about: str) -> str:
    """The configuration as TOML: every setting with its value, what it is for and its range in a comment.

    The text reads back as the same configuration through `--preset FILE`.

    Args:
        cfg: the configuration.
        family: the family's name.
        about: what the file is for: its first line, which the list of presets shows.
    """
    values = type(cfg).reduce_values(msgspec.to_builtins(cfg))
    lines = [f"# {about}", f"# use it with: edgegan train {family} --preset THIS_FILE.toml", ""]
    return "\n".join([*lines, *_section(type(cfg), values, "")]).rstrip() + "\n"


def _section(kind: type[msgspec.Struct], values: Mapping[str, Any], name: str) -> Iterator[str]:
    """The lines of one table: plain settings first, since TOML takes them for a table's own until the next begins."""
    comments = read_comments(kind)
    tables: list[tuple[str, type[msgspec.Struct], Any]] = []
    for field in inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        struct = _struct(field.type)
        if field.name not in values:
            continue
        value = values[field.name]
        if struct is not None and value and (isinstance(value, list) or field.name in ("train", "augmentation")):
            tables.append((f"{name}{field.name}", struct, value))
            continue
        words = "; ".join(part for part in (comments.get(field.name, ""), range_words(field.type)) if part)
        text = f"{field.name} = {to_toml(value)}" if value is not None else f"# {field.name} = (not set)"
        yield text + (f"  # {words}" if words else "")
    for title, struct, value in tables:
        for one in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{title}]]" if isinstance(value, list) else f"[{title}]"
            yield from _section(struct, one, f"{title}.")


def _struct(kind: inspect.Type) -> type[msgspec.Struct] | None:
    if isinstance(kind, inspect.StructType):
        return kind.cls
    if isinstance(kind, inspect.UnionType):
        return next(filter(None, map(_struct, kind.types)), None)
    return _struct(kind.item_type) if isinstance(kind, inspect.VarTupleType) else None


def read_comments(kind: type[msgspec.Struct]) -> dict[str, str]:
    """What stands in a comment behind each field where the class is written; empty where there is no source."""
    found: dict[str, str] = {}
    for cls in reversed([c for c in kind.__mro__ if issubclass(c, msgspec.Struct) and c is not msgspec.Struct]):
        try:
            text = source.getsource(cls)
        except (OSError, TypeError):
            continue
        names = set(cls.__struct_fields__)
        field = ""
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and token.string in names and token.line[: token.start[1]].isspace():
                field = token.string
            elif token.type == tokenize.COMMENT and field and token.line.strip() != token.string:
                found[field] = token.string.lstrip("# ")
            elif token.type == tokenize.NEWLINE:
                field = ""
    return found


def to_toml(value: Any) -> str:
    """A plain value as TOML, on one line. Raises ValueError for None and for numbers that are not finite."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(str(k))} = {to_toml(v)}" for k, v in value.items() if v is not None)
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    raise ValueError(f"{value!r} has no form in TOML")


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else to_toml(name)
