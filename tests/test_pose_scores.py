"""Scores of poses: COCO's rules written once more as plain loops, PCK by hand."""

import functools
import math

import jax
import numpy as np
import pytest

from segjax import tasks
from segjax.base import Info
from segjax.tasks._pose_scores import ends_of, head_of, score, sigmas_of, torso_of
from segjax.tasks._quality import THRESHOLDS
from segjax.tasks._skeletons import hold

PEOPLE, SLOTS, SIDE, PICTURES = 6, 24, 128, 3
JOINTS = ("nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
INFO = Info(("background", "person"), things=("person",), joints=JOINTS)
SIGMAS = sigmas_of(JOINTS)
SIZES = {"all": (0, 1e10), "medium": (32**2, 96**2), "large": (96**2, 1e10)}
LEVELS = np.linspace(0.5, 0.95, 10)
OF_COCO = ("ap", "ap50", "ap75", "ar", "ap/medium", "ap/large")


def drawn_people(rng):
    """Random people over one another, some without any labelled joint, some twice, of
    sizes on both sides of a range's ends; and a crowd."""
    points = np.zeros((PEOPLE, len(JOINTS), 3), np.float32)
    area = np.zeros(PEOPLE, np.float32)
    instance = np.zeros((SIDE, SIDE), np.int32)
    for k in range(rng.integers(0, PEOPLE + 1)):
        if k and rng.random() < 0.1:  # one person labelled twice
            points[k], area[k] = points[k - 1], area[k - 1]
            continue
        side = rng.choice([14, 30, 60, 100, 120])
        corner = rng.integers(0, SIDE - side + 1, 2)
        points[k, :, :2] = corner + rng.uniform(0, side, (len(JOINTS), 2))
        points[k, :, 2] = rng.integers(0, 3, len(JOINTS)) * (rng.random() < 0.85)
        area[k] = rng.choice([side**2 * rng.uniform(0.3, 1), 32**2, 96**2])
        (top, left), (bottom, right) = corner, corner + side
        instance[top:bottom, left:right] = k + 1
    if rng.random() < 0.4:
        instance[: rng.integers(20, 60), : rng.integers(20, 90)] = -1
    return {"keypoints": points, "area": area, "instance": instance}


def drawn_calls(rng, example):
    """What might be called of it: off by little or much or not at all, people missed,
    called twice, called where nobody is; with ties, and empty slots between."""
    found = []
    for points, area in zip(example["keypoints"], example["area"]):
        for _ in range(rng.choice([0, 1, 1, 2, 5]) if area else 0):
            off = rng.choice([0, 0.02, 0.05, 0.1, 0.4]) * math.sqrt(area)
            off = off * rng.uniform(0.2, 1, (len(JOINTS), 1))
            found.append(points[:, :2] + rng.normal(size=(len(JOINTS), 2)) * off)
    for _ in range(rng.integers(0, 5)):
        middle, reach = rng.uniform(0, SIDE, 2), rng.choice([8, 40, 90])
        found.append(middle + rng.uniform(-reach, reach, (len(JOINTS), 2)))
    found = [found[k] for k in rng.permutation(len(found))[:SLOTS]]
    calls = rng.random() < 0.95
    points = np.zeros((SLOTS, len(JOINTS), 3), np.float32)
    sure = np.full(SLOTS, -1, np.float32)
    for slot, places in zip(rng.permutation(SLOTS), found if calls else []):
        points[slot, :, :2] = places
        points[slot, :, 2] = rng.random(len(JOINTS)) - 0.08
        sure[slot] = rng.integers(0, 8) / 8
    return {"keypoints": points, "score": sure}


def likeness(called, points, area, box):
    """OKS in 64 bits, joint by joint; box: first and last pixel, y and x, of a person
    without labelled joints."""
    labelled = [j for j in range(len(JOINTS)) if points[j, 2] > 0]
    total = 0.0
    for j in labelled or range(len(JOINTS)):
        off = 0.0
        for axis in (0, 1):
            at = float(called[j, axis])
            if labelled:
                gap = at - float(points[j, axis])
            else:
                first, last = box[0][axis] - 0.5, box[1][axis] + 0.5
                size = last - first
                gap = max(first - size - at, 0) + max(at - last - size, 0)
            off += gap**2
        if called[j, 2] > 0:
            variance = (2 * SIGMAS[j]) ** 2
            total += math.exp(-off / variance / (float(area) + 2.3e-16) / 2)
    return total / len(labelled or JOINTS)


def looked_at(example, prediction):
    """What the rules need to know of a picture: of true people area, whether any joint
    is labelled, and how alike each called one is, and last the crowd; of the called,
    the highest score first, score and area."""
    called = [k for k in range(SLOTS) if prediction["score"][k] >= 0]
    called.sort(key=lambda k: -prediction["score"][k])
    called = called[:20]
    true, told = [], []
    crowd = np.zeros((len(JOINTS), 3)), np.sum(example["instance"] == -1), -1
    each = zip(example["keypoints"], example["area"], range(1, PEOPLE + 1))
    for points, area, number in [*each, crowd]:
        y, x = np.nonzero(example["instance"] == number)
        some, box = (points[:, 2] > 0).any(), None
        if not some:
            if area == 0 or len(y) == 0:
                continue
            box = ((y.min(), x.min()), (y.max(), x.max()))
        said = (prediction["keypoints"][c] for c in called)
        alike = [likeness(one, points, area, box) for one in said]
        true.append((area, some, alike, number == -1))
    for c in called:
        points = prediction["keypoints"][c]
        there = points[points[:, 2] > 0, :2]
        area = np.prod(np.ptp(there, axis=0)) if len(there) else 0
        told.append((float(prediction["score"][c]), area))
    return true, told


def judged(true, called, level, least, most):
    """Of one picture: [(score, right)] of those that count, and people that count."""
    ignored = [not (some and least <= area <= most) for area, some, *_ in true]
    order = sorted(range(len(true)), key=lambda k: ignored[k])
    taken, told = set(), []
    for place, (sure, area) in enumerate(called):
        best, match = level, None
        for k in order:
            if k in taken:
                continue
            if match is not None and ignored[k] and not ignored[match]:
                break
            if true[k][2][place] >= best:
                best, match = true[k][2][place], k
        if match is not None and not true[match][3]:  # the crowd is never taken
            taken.add(match)
        if match is not None and not ignored[match]:
            told.append((sure, True))
        if match is None and least <= area <= most:
            told.append((sure, False))
    return told, ignored.count(False)


def curve(pictures, level, least, most):
    """Mean precision over 101 recalls, and recall, of pictures looked at."""
    each = [judged(*picture, level, least, most) for picture in pictures]
    told = sorted((t for found, _ in each for t in found), key=lambda t: -t[0])
    there = sum(number for _, number in each)
    if there == 0:
        return math.nan, math.nan
    points, hits = [], 0
    for rank, (_, right) in enumerate(told, 1):
        hits += right
        points.append((hits / there, hits / rank))
    best = [
        max((p for recall, p in points if recall >= wanted), default=0)
        for wanted in np.linspace(0, 1, 101)
    ]
    return sum(best) / 101, hits / there


def coco_by_loops(pictures):
    pictures = [looked_at(*picture) for picture in pictures]
    curves = {
        name: np.array([curve(pictures, level, *size) for level in LEVELS])
        for name, size in SIZES.items()
    }
    ap, ar = curves["all"].T
    sized = [curves[name][:, 0].mean() for name in ("medium", "large")]
    return dict(zip(OF_COCO, (ap.mean(), ap[0], ap[5], ar.mean(), *sized)))


_each = jax.jit(jax.vmap(functools.partial(hold, sigmas=SIGMAS)))


def rows_of(pictures):
    stacked = (
        {word: np.stack([one[word] for one in some]) for word in some[0]}
        for some in zip(*pictures)
    )
    example, prediction = stacked
    return jax.device_get(_each(prediction, example))


def test_two_hundred_random_sets_are_scored_as_coco_says():
    rng, largest, seen, crowded = np.random.default_rng(0), 0.0, [], 0
    for number in range(200):
        examples = [drawn_people(rng) for _ in range(PICTURES)]
        pictures = [(one, drawn_calls(rng, one)) for one in examples]
        rows = rows_of(pictures)
        if number % 4 == 0:  # one row alone, by the same formula
            pictures, rows = pictures[:1], {w: r[:1] for w, r in rows.items()}
        scores, expected = score(rows, JOINTS, many=True), coco_by_loops(pictures)
        for name, value in expected.items():
            assert math.isnan(scores[name]) == math.isnan(value), name
            if not math.isnan(value):
                largest = max(largest, abs(scores[name] - value))
        seen.append(list(expected.values()))
        crowded += sum((p["score"] >= 0).sum() > 20 for _, p in pictures)
    print(f"largest difference {largest:.1e}")
    assert largest <= 1e-6
    # it was not all or nothing
    assert crowded > 5
    assert (np.isfinite(seen).mean(0) > 0.4).all()
    assert ((np.nanmean(seen, 0) > 0.2) & (np.nanmean(seen, 0) < 0.8)).all()


# of one person: a torso of 50 both ways, a head of 16
UPRIGHT = {
    "nose": (180, 115),
    "head_top": (179, 115),
    "neck": (195, 115),
    "left_shoulder": (200, 130),
    "right_shoulder": (200, 100),
    "left_hip": (240, 130),
    "right_hip": (240, 100),
}
NAMES = tuple(UPRIGHT)
OF_NAMES = INFO._replace(joints=NAMES)
ENDS = ends_of(NAMES)
_hold = jax.jit(functools.partial(hold, sigmas=sigmas_of(NAMES), **ENDS))


def person(at=(0, 0), size=1, without=(), **moved):
    """UPRIGHT, so many times as large, at another place, joints moved down by so many
    pixels. f32[7,3]"""
    points = np.array([(*UPRIGHT[name], 2) for name in NAMES], np.float32)
    points[:, :2] = (points[:, :2] - (200, 100)) * size + (200, 100) + at
    for name, by in moved.items():
        points[NAMES.index(name), 0] += by
    for name in without:
        points[NAMES.index(name), 2] = 0
    return points


def row_of(true, called, area=(4000, 4000, 4000), sure=(0.9, 0.8, 0.7), **example):
    room = np.zeros((3, len(NAMES), 3), np.float32)
    people = np.array([*true, *room])[: max(3, len(true))]
    calls = np.array([*called, *room])[:3]
    here = np.arange(3)
    if area is not None:
        area = np.where(here < len(true), area, 0).astype(np.float32)
        example["area"] = area
    sure = np.where(here < len(called), sure, -1).astype(np.float32)
    row = _hold({"keypoints": calls, "score": sure}, example | {"keypoints": people})
    return {word: np.asarray(sums)[None] for word, sums in row.items()}


def test_near_joints_by_hand():
    """First: a torso of 50, so within 10 or 5; a head of 16, so within 8. Second: twice
    as large, one shoulder and the top of the head not labelled, found by nobody. Third:
    no torso to measure by, found exactly."""
    true = [
        person(),
        person((0, 500), 2, without=["right_shoulder", "head_top"]),
        person((400, 0), without=["left_shoulder", "right_shoulder"]),
    ]
    off = {"nose": 4, "head_top": 6, "neck": 10, "right_shoulder": 11, "right_hip": 5}
    called = [person((400, 0)), person(without=["left_hip"], **off)]
    scores = score(row_of(true, called), NAMES, many=False, **ENDS)
    assert list(scores)[:5] == ["pck", "pck10", "pckh", "oks", "ap"]
    # of the first: not the right shoulder, and not the left hip, which was not found
    assert scores["pck"] == pytest.approx((5 + 0) / (7 + 5))
    assert scores["pck10"] == pytest.approx((3 + 0) / (7 + 5))
    # 10 is too far now; the second has no head
    assert scores["pckh"] == pytest.approx((4 + 5) / (7 + 5))
    by_joint = {name: scores[f"pck/{name}"] for name in NAMES}
    assert by_joint == {
        "nose": 1 / 2,
        "head_top": 1,
        "neck": 1 / 2,
        "left_shoulder": 1 / 2,
        "right_shoulder": 0,
        "left_hip": 0,
        "right_hip": 1 / 2,
    }


def test_a_torso_is_the_mean_of_both_diagonals():
    """50 and 40, when left hip and right shoulder come nearer to each other by 10 along
    their way, (40, 30) / 50: so within 9."""
    true = person()
    true[NAMES.index("left_hip"), :2] -= 8, 6
    for by, right in ((9, 1), (9.1, 0)):
        called = true.copy()
        called[NAMES.index("nose"), 1] += by
        scores = score(row_of([true], [called]), NAMES, many=False, **ENDS)
        assert scores["pck/nose"] == right
    unlabelled = true.copy()
    unlabelled[NAMES.index("left_hip"), 2] = 0  # 50 alone: within 10
    assert score(row_of([unlabelled], [called]), NAMES, False, **ENDS)["pck/nose"] == 1


def test_likeness_by_hand():
    """OKS of three labelled joints: the nose 1 beside, of sigma .026 and area 100, so
    1 / (2 * 100 * .052 ** 2) = 1.849, that is .1574; a hip exact; a shoulder not
    found."""
    others = [n for n in NAMES if n not in ("nose", "left_hip", "left_shoulder")]
    true = person(without=others)
    called = person(without=["left_shoulder"], nose=1, neck=50)
    row = row_of([true], [called], area=(100,) * 3)
    assert row["oks"][0].tolist() == [pytest.approx((0.1574 + 1) / 3, abs=1e-5), 1]


def test_a_person_of_unknown_area_by_hand():
    """.53 of the box of labelled joints: 60 by 15, taken to be 60 by 20; of two joints
    in a line 30 by 10. The nose, and then a shoulder, is 1 beside. Who has a single
    joint is of no size that is known, and does not count."""
    others = [n for n in NAMES if n not in ("nose", "left_hip")]
    true, called = person(without=others), person(nose=1)
    row = row_of([true], [called], area=None)
    error = 1 / (2 * 0.53 * 60 * 20 * 0.052**2)
    assert row["oks"][0, 0] == pytest.approx((math.exp(-error) + 1) / 2, abs=1e-5)
    others = [n for n in NAMES if "shoulder" not in n]
    true, called = person(without=others), person(left_shoulder=1)
    row = row_of([true], [called], area=None)
    error = 1 / (2 * 0.53 * 30 * 10 * 0.158**2)
    assert row["oks"][0, 0] == pytest.approx((math.exp(-error) + 1) / 2, abs=1e-5)
    true = person(without=[n for n in NAMES if n != "nose"])
    row = row_of([true], [true], area=None)
    assert row["oks"][0].tolist() == [0, 0]
    assert row["there"][0].tolist() == [0, 0, 0]


def test_a_torso_seen_from_the_side_can_be_measured():
    """A shoulder right above the hip across, and each 1 beside: 2 of 2 are near."""
    others = [n for n in NAMES if n not in ("left_shoulder", "right_hip")]
    true = person(without=others)
    true[:, 1] = 115
    called = true + np.float32([0, 1, 0])
    scores = score(row_of([true], [called], area=None), NAMES, many=False, **ENDS)
    assert scores["pck"] == 1


def test_each_called_person_is_one_true_one():
    """The first is most like both true ones; it is the nearer's, and the other's is the
    second, though less like him."""
    true = [person(), person((0, 6))]
    called = [person((0, 2)), person((0, 14))]
    row = row_of(true, called)
    apart = [row_of([true[k]], [called[k]])["oks"][0, 0] for k in (0, 1)]
    assert row["oks"][0].tolist() == [pytest.approx(sum(apart)), 2]
    row = row_of(true, called[:1])
    assert row["oks"][0].tolist() == [pytest.approx(apart[0]), 2]
    row = row_of(true[:1], [person((0, 14)), person()])  # called twice
    assert row["oks"][0].tolist() == [1, 1]
    # of so small an area that 5 beside is not like him at all
    calls = [person((900, 0)), person((900, 0)), person((0, 5))]
    row = row_of(true[:1], calls, area=(1, 0, 0))
    assert row["oks"][0].tolist() == [0, 1]
    assert row["joints"][0, :, 1].tolist() == [[0, 1]] * len(NAMES)


def test_who_is_ignored_takes_nobody_away():
    """A person without joints whose box holds the other: any call there is in it, and
    yet it is the other's."""
    instance = np.zeros((400, 400), np.int32)
    instance[100:300, 50:200] = 2
    true = {"area": (4000, 30_000, 0), "instance": instance}
    nobody = np.zeros((len(NAMES), 3), np.float32)
    row = row_of([person(), nobody], [person((0, 3))], **true)
    assert row["oks"].tolist() == row_of([person()], [person((0, 3))])["oks"].tolist()
    fate = row["fate"][0, 0, 0]  # right up to some threshold, then the ignored one's
    right = int((row["oks"][0, 0] >= THRESHOLDS).sum())
    assert 0 < right < 10
    assert fate.tolist() == [1] * right + [-1] * (10 - right)


def test_who_is_ignored_is_neither_found_nor_missed():
    """A person of 10 by 10 pixels without joints, whose box, 39.5 to 49.5, reaches from
    29.5 to 59.5 when grown by its own size."""
    instance = np.zeros((100, 100), np.int32)
    instance[40:50, 40:50] = 2
    true = {"area": (300, 100, 0), "instance": instance}
    there, nobody = person((-190, -100), 0.2), np.zeros((len(NAMES), 3), np.float32)
    for y, told in ((59, -1), (65, 0)):
        called = np.array([(y, 50, 1)] * len(NAMES), np.float32)
        row = row_of([there, nobody], [there, called], **true)
        assert row["fate"][0, :2, 0].tolist() == [[1] * 10, [told] * 10]
        assert row["there"].tolist() == [[1, 0, 0]]
        assert row["number"].tolist() == [[1, 2 + told, 0]]
    twice = [np.array([(45, x, 1)] * len(NAMES), np.float32) for x in (44, 46)]
    row = row_of([there, nobody], [there, *twice], **true)  # only one of them is he
    assert row["fate"][0, :3, 0, 0].tolist() == [1, -1, 0]


def test_a_crowd_excuses_all_who_are_near_its_box():
    """One of 20 by 10 pixels, whose box, 69.5 to 89.5 and 39.5 to 49.5, reaches from
    49.5 to 109.5 and from 29.5 to 59.5 when grown."""
    instance = np.zeros((120, 100), np.int32)
    instance[70:90, 40:50] = -1
    there = person((-190, -100), 0.2)
    true = {"area": (300, 0, 0), "instance": instance}
    # what is void besides is the margin of a padded picture, and excuses nobody
    void = {"semantic": np.where(instance < 0, 255, 0).astype(np.uint8)}
    inside, outside = ((80, 45), (50, 30), (108, 59)), ((44, 45), (80, 66))
    for at in inside + outside:
        called = np.array([(*at, 1)] * len(NAMES), np.float32)
        row = row_of([there], [there, called], **true)
        told = -1 if at in inside else 0
        assert row["fate"][0, :2, 0].tolist() == [[1] * 10, [told] * 10]
        row = row_of([there], [there, called], **true, **void)
        assert row["fate"][0, :2, 0].tolist() == [[1] * 10, [0] * 10]
    several = [np.array([(80, x, 1)] * len(NAMES), np.float32) for x in (44, 46)]
    row = row_of([there], [there, *several], **true)
    assert row["fate"][0, :3, 0, 0].tolist() == [1, -1, -1]
    assert row["number"].tolist() == [[1, 1, 0]]


def test_the_truth_itself_scores_one(strict_promotion):
    true = [person(), person((0, 300), 3)]
    row = row_of(true, true, area=(4000, 36_000, 0))
    for many in (True, False):
        scores = score(row, NAMES, many, **ENDS)
        assert scores.pop("count_error", 0) == 0
        assert set(scores.values()) == {1.0}
    assert list(score(row, NAMES, True, **ENDS)) == [
        *OF_COCO,
        "oks",
        "pck",
        *(f"pck/{name}" for name in NAMES),
        "count_error",
    ]


def test_undefined_scores_are_nan():
    nobody = score(row_of([], [person()]), NAMES, many=True, **ENDS)
    assert nobody.pop("count_error") == 1
    assert all(math.isnan(value) for value in nobody.values())
    missed = score(row_of([person()], []), NAMES, many=True, **ENDS)
    assert missed.pop("count_error") == 1
    assert math.isnan(missed.pop("ap/large"))  # 4,000 pixels are medium
    assert set(missed.values()) == {0.0}
    no_torso = person(without=["left_hip", "right_hip", "neck"])
    scores = score(row_of([no_torso], [no_torso]), NAMES, many=False, **ENDS)
    assert scores["oks"] == scores["ap"] == 1
    assert all(math.isnan(scores[n]) for n in ("pck", "pck10", "pckh", "pck/nose"))


def test_a_picture_without_any_row_of_people():
    example = {"keypoints": np.zeros((0, len(NAMES), 3), np.float32)}
    called = {"keypoints": person()[None], "score": np.ones(1, np.float32)}
    row = jax.jit(functools.partial(hold, sigmas=sigmas_of(NAMES)))(called, example)
    assert row["fate"][0, 0].tolist() == [0] * 10
    assert row["number"].tolist() == [0, 1, 0]
    rows = {word: np.asarray(sums)[None] for word, sums in row.items()}
    assert score(rows, NAMES, many=True, **ENDS)["count_error"] == 1


def test_pictures_of_more_people_than_there_is_room_for_are_told():
    """There is room for three."""
    far = [person((0, 900)), person((0, 1800))]
    four = [person((400 * k, 0)) for k in range(4)]
    rows = {
        "room for two more, taken by nobody": row_of([person()], [*far, person()]),
        "as many as there is room for": row_of(four[:3], far),
        "one more": row_of(four, four[:3], area=None),
    }
    numbers = {name: row["number"].tolist() for name, row in rows.items()}
    assert [*numbers.values()] == [[[1, 3, 0]], [[3, 2, 0]], [[4, 3, 1]]]
    star = tuple((0, joint) for joint in range(1, len(NAMES)))
    info = OF_NAMES._replace(limbs=star, provides=("image", "keypoints"))
    task = tasks.make_task("pose", info, people=3)
    together = {"number": np.concatenate([row["number"] for row in rows.values()])}
    said = "1 of 3 pictures show more people than the 3 there is room for"
    assert said in task.remark(together)
    assert task.remark(rows["as many as there is room for"]) == ""
    assert tasks.make_task("pose", info).remark(together) == "", "of one person"


def test_rows_are_pooled():
    """Five of seven joints right, then seven of seven: twelve of fourteen; and a false
    alarm less sure than what is found in both."""
    off = {"nose": 20, "neck": 20}
    first = row_of([person()], [person(**off)])
    second = row_of([person()], [person(), person((0, 500))])
    rows = {word: np.concatenate([first[word], second[word]]) for word in first}
    scores = score(rows, NAMES, many=True, **ENDS)
    assert scores["pck"] == pytest.approx(12 / 14)
    assert scores["pck/nose"] == 1 / 2
    assert scores["ap50"] == 1
    assert scores["count_error"] == 1 / 2
    alone = [score(row, NAMES, many=True, **ENDS)["oks"] for row in (first, second)]
    assert scores["oks"] == pytest.approx(sum(alone) / 2)


def test_joints_are_known_by_their_names():
    names = ("Left Ear", "right-eye", "HeadTop", "upper_neck", "thorax", "l_wrist")
    known = (0.035, 0.025, 0.079, 0.079, 0.062)
    mean = pytest.approx(sum(known) / 5)
    assert sigmas_of(names) == (*known[:4], mean, known[4])
    assert sigmas_of(("tail", "horn")) == (0.067, 0.067)
    # a forearm is no ear
    assert sigmas_of(("left_forearm", "left_hip")) == (0.107, 0.107)
    ankle = ("nose", "left_hip", "right_knee", "left_ankle", "left_elbow")
    assert sigmas_of(ankle) == (0.026, 0.107, 0.087, 0.089, 0.072)
    assert head_of(names) == ((2, 3),)
    assert head_of(JOINTS) is None
    assert torso_of(JOINTS) == ((1, 4), (2, 3))
    assert torso_of(("Right Hip", "left-shoulder")) == ((1, 0),)
    assert torso_of(("LHip", "LShoulder", "RHip", "RShoulder")) == ((1, 2), (3, 0))
    assert torso_of(("r_hip", "l_shoulder")) == ((1, 0),)
    assert torso_of(names) is None
    assert ENDS == {"torso": ((3, 6), (4, 5)), "head": ((1, 2),)}
    assert ends_of(NAMES, ("head",)) == {"head": ((1, 2),)}


def test_joints_without_a_torso_are_scored_by_likeness():
    hands = tuple(f"part {k}" for k in range(len(NAMES)))
    assert ends_of(hands) == {}
    scores = score(row_of([person()], [person()]), hands, many=False)
    assert list(scores) == ["oks", *OF_COCO]
