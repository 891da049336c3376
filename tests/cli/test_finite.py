"""No option takes what is no finite number, in any command."""

import pytest

OPTIONS = (
    ("live", "--seconds"),
    ("live", "--fps"),
    ("live", "--patience"),
    ("live", "--snapshot-every"),
    ("live", "--speed"),
    ("bench", "--seconds"),
    ("tune", "--seconds"),
    ("train", "stargan", "--minutes"),
    ("sample", "model", "--seconds"),
    ("sample", "model", "--truncate"),
    ("export", "runs/x", "--min-psnr"),
)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
def test_none_is_taken(run, words, value):
    *command, option = words
    code, _, err = run(*command, f"{option}={value}")
    assert code == 2 and option in err, err
    assert "a finite number" in err or "Input should be" in err or "range" in err
