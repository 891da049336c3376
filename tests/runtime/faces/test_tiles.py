"""Many small faces are found: all of them in a picture, a few at a time in a video; and no large one twice."""

import cv2
import numpy as np
import pytest
from support.faces.moving_faces import STEP_S, STILL, face_at
from support.faces.real_faces import astronaut

from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.landmarks import refuse_pose
from edgegan.runtime.faces.lookout import Lookout
from edgegan.runtime.faces.tiles import Sweep, Tile, small_side, tiles_of
from edgegan.runtime.faces.tracking import Sighting, Tracker

HW = (1080, 1920)
COLUMNS, ROWS = 6, 5


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


@pytest.fixture(scope="module")
def crowd(finder):
    """30 astronauts, their faces 110 pixels wide, on grey; and where each face is, (30, 2)."""
    head = astronaut()[:260, 40:260]
    (face,) = (face for face in finder.find(head) if refuse_pose(face) is None)
    scale = 110 / face.box[2]
    head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    size, middles = head.shape[:2], []
    frame = np.full((*HW, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    for row in range(ROWS):
        for column in range(COLUMNS):
            x = int(column * HW[1] / COLUMNS + rng.uniform(0, HW[1] / COLUMNS - size[1]))
            y = int(row * HW[0] / ROWS + rng.uniform(0, max(1, HW[0] / ROWS - size[0])))
            y = min(y, HW[0] - size[0])
            frame[y : y + size[0], x : x + size[1]] = head
            middles.append((x + scale * (face.box[0] + face.box[2] / 2), y + scale * (face.box[1] + face.box[3] / 2)))
    return frame, np.array(middles)


def count_matches(faces, middles):
    """How many of the places have exactly one face, whose middle is within a third of its width."""
    found = np.array([(f.box[0] + f.box[2] / 2, f.box[1] + f.box[3] / 2) for f in faces]).reshape(-1, 2)
    far = np.linalg.norm(found[:, None] - middles[None], axis=2)
    return int(((far < 110 / 3).sum(axis=0) == 1).sum())


def test_a_crowd_is_found_without_doubles(finder, crowd):
    frame, middles = crowd
    assert len(finder.find(frame, [])) < 5  # what the whole frame shows
    faces = [face for face in finder.find(frame) if refuse_pose(face) is None]
    assert count_matches(faces, middles) == COLUMNS * ROWS == len(faces)


def test_a_crowd_of_a_live_stream_is_found_in_its_first_frame_reduced_as_it_is(crowd):
    frame, middles = crowd
    began = []

    class Counted(FaceFinder):
        def find(self, frame, tiles=None):
            began.append(len(tiles))
            return super().find(frame, tiles)

    lookout = Lookout(Counted())
    (first,) = lookout.look(frame, 0.0)
    lookout.close()
    assert count_matches([face for face in first.faces if refuse_pose(face) is None], middles) >= 0.9 * len(middles)
    assert began == [len(tiles_of((270, 480)))]


def test_a_large_face_is_one(finder):
    large = cv2.resize(astronaut()[:260, 40:260], (1000, 1080), interpolation=cv2.INTER_CUBIC)
    frame = np.full((*HW, 3), 128, np.uint8)
    frame[:, 400:1400] = large
    faces = [face for face in finder.find(frame) if refuse_pose(face) is None]
    assert len(faces) == 1 and faces[0].box[2] > 300


@pytest.mark.parametrize("hw", [(1080, 1920), (1920, 1080), (270, 480), (512, 512), (300, 3000)])
def test_tiles_cover_the_frame_and_overlap(hw):
    tiles = tiles_of(hw)
    seen = np.zeros(hw, int)
    for tile in tiles:
        assert tile.x >= 0 and tile.y >= 0 and tile.x + tile.side <= hw[1] and tile.y + tile.side <= hw[0]
        seen[tile.y : tile.y + tile.side, tile.x : tile.x + tile.side] += 1
    assert seen.min() >= 1
    side = tiles[0].side
    for x in range(0, hw[1] - side // 4, max(1, side // 8)):  # a small face lies whole in one of them, wherever it is
        assert any(tile.holds((x, 0, side / 4, side / 4)) for tile in tiles)
    assert tiles_of((240, 320)) == []


def test_a_sweep_spends_two_tiles_on_a_frame_and_passes_over_none():
    every, sweep = tiles_of(HW), Sweep()
    assert sweep.take(HW) == every
    taken = [sweep.take(HW) for _ in range(-(-len(every) // 2))]
    assert all(len(tiles) == 2 for tiles in taken) and {tile for tiles in taken for tile in tiles} == set(every)
    sweep.reset()
    assert sweep.take(HW) == every
    assert len(Sweep(whole_first=False).take(HW)) == 2


def test_a_small_face_is_not_lost_while_its_tile_waits():
    tracker, face = Tracker(), face_at(200, 100, size=40)
    here, elsewhere = Tile(160, 60, 120), Tile(0, 0, 120)
    for i in range(60):
        tile = here if i % 20 == 0 else elsewhere
        faces = [face] if tile is here else []
        tracks = tracker.follow(STILL, i * STEP_S, [Sighting(i * STEP_S, faces, tiles=[tile], small=80.0)])
    assert [track.strength for track in tracks] == [1.0] and len({track.number for track in tracks}) == 1
    for i in range(60, 100):
        tracks = tracker.follow(STILL, i * STEP_S, [Sighting(i * STEP_S, [], tiles=[here], small=80.0)])
    assert tracks == []  # where one looked and it was not
    assert small_side((1080, 1920)) > 110
