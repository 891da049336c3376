"""Drawn people in two seasons: unpaired in training, the same people held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.training.folders import SIZE

from edgegan.data import open_domains, open_pairs, open_pictures
from edgegan.runtime.drawn import avatars, drawing, seasons
from edgegan.runtime.errors import InputError

# Drawn domains


def test_seasons_are_unpaired_in_training_and_the_same_people_held_out() -> None:
    pytest.importorskip("resvg_py", reason="needs the avatars extra")
    seeds = {s: [p.face.seed for p in seasons.people("train", 50, s, paired=False)] for s in ("summer", "winter")}
    assert not set(seeds["summer"]) & set(seeds["winter"])
    assert not set(seeds["winter"]) & set(avatars.seeds("judge", 10**6))
    train = open_domains("avatars-seasons:4", size=32)
    assert (len(train.a), len(train.b)) == (4, 4) and train.a.picture(0).shape == (32, 32, 3)
    pairs = open_pairs("avatars-seasons:4", size=32)
    assert np.array_equal(pairs.a.picture(2), train.a.picture(2))
    assert not any(np.array_equal(pairs.b.picture(i), train.b.picture(i)) for i in range(4))
    summer, winter = (seasons.people("heldout", 3, s, paired=True) for s in (seasons.SUMMER, seasons.WINTER))
    assert [p.face.seed for p in summer] == [p.face.seed for p in winter] == list(avatars.seeds("heldout", 3))


def look(someone: seasons.Person) -> str:
    """All of a person that can be seen, but for the pose."""
    unseen = {"hairColor"} if someone.season == seasons.WINTER else {"hatColor"}
    shown = seasons.options(replace(someone, face=replace(someone.face, pose=avatars.Pose())))
    return repr({key: value for key, value in shown.items() if key not in unseen})


def test_the_other_season_follows_from_the_picture_and_the_person_stays() -> None:
    """Whoever looks the same in one season looks the same in the other: the edit has one answer, both ways."""
    people = [seasons.people("heldout", 4000, s, paired=True) for s in (seasons.SUMMER, seasons.WINTER)]
    looks = [[look(someone) for someone in season] for season in people]
    assert len(set(looks[0])) == len(set(looks[1])) == len(set(zip(*looks, strict=True))) > 500
    pytest.importorskip("resvg_py", reason="needs the avatars extra")
    seen = np.zeros((64, 64), int)
    for summer, winter in zip(*(s[:12] for s in people), strict=True):
        a, b = (seasons.render_rgb(p, 64).astype(int) for p in (summer, winter))
        changed = np.abs(a - b).max(2) > 20
        seen += changed
        assert 0.3 < changed.mean() < 0.9  # clearly visible: hat, clothes and ground
    assert not seen[30:40, 28:36].any()  # the face


def test_every_free_style_is_offered_and_others_are_refused_with_their_licence() -> None:
    pytest.importorskip("dicebear_styles", reason="needs the avatars extra")
    free = [name for name, licence in drawing.styles().items() if licence == "CC0 1.0"]
    assert {"lorelei", "voxel-art", "notionists", "thumbs", "pixel-art"} <= set(free) and "avataaars" not in free
    with pytest.raises(InputError, match="no such style\nstyles under CC0 1.0: ") as caught:
        open_pictures("dicebear:pixels", size=SIZE)
    assert all(name in str(caught.value) for name in free)
    with pytest.raises(InputError, match=r"its licence is not CC0 1.0, but: CC BY 4.0"):
        open_pictures("dicebear:micah", size=SIZE)
    with pytest.raises(InputError, match="dicebear:thumbs:few: not a number"):
        open_pictures("dicebear:thumbs:few", size=SIZE)
    pictures = open_pictures("dicebear:thumbs:5", size=SIZE)
    assert len(pictures) == 5 and "CC0 1.0" in pictures.name
    assert len({pictures.picture(i).tobytes() for i in range(5)}) == 5
    again = open_pictures("dicebear:thumbs:5", size=SIZE)
    assert all(np.array_equal(pictures.picture(i), again.picture(i)) for i in range(5))
