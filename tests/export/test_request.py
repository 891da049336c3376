"""What is asked of an export, read from words."""

from __future__ import annotations

import pytest

from edgegan.export import parse_batch, parse_size
from edgegan.runtime import InputError


def test_sizes_are_read_height_first() -> None:
    assert parse_size("96x160") == (96, 160) and parse_size("128") == (128, 128)
    for wrong in ("", "0", "12x", "x12", "-8", "8x8x8", "large"):
        with pytest.raises(InputError, match="not a size"):
            parse_size(wrong)


def test_a_batch_is_a_number_in_reach() -> None:
    assert parse_batch("4") == 4
    for wrong in ("0", "-1", "4x", "65", ""):
        with pytest.raises(InputError, match="not a batch"):
            parse_batch(wrong)
