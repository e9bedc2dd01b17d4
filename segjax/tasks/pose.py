"""The skeleton of a person, or of many: where each joint is, and which belong together
(OpenPose, arXiv 1812.08008, on any of our networks)."""

import functools
import itertools
import math
from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from segjax.base import VOID, Info, Mistake, Task, check_choice, check_range
from segjax.ops.pool import mean_pool
from segjax.tasks import _draw, _many_people, _one_person, semantic
from segjax.tasks._mirror import mirror_mean
from segjax.tasks._pose_scores import LENGTHS, ends_of, score, sigmas_of
from segjax.tasks._skeletons import hold

MOST_PEOPLE = 256
_SMALLEST = 0.6  # cells that heat is wide, at least: or its top is lost between two
_FEWEST = 4  # cells of a side
_PARTS = 3  # joints that make a person
_LOOKED_AT = 1000  # pictures whose people are counted beforehand


def make_task(
    info: Info,
    *,
    people: int | None = None,
    stride: int = 2,
    heat: float = 1.0,
    field: float = 1.0,
    silhouette: float = 0.0,
    sigma: float = 0.02,
    width: float = 0.01,
    apart: float = 0.03,
    least: float = 0.2,
    parts: int | None = None,
    lengths: tuple[str, ...] | None = None,
) -> Task:
    """The joints of info.joints.

    people: most that are found in a picture, unset for the most that one of the data
    shows; 1 for a single one, who is always found; stride: pixels of a picture to a
    cell of the maps that are learnt and read; heat, field, silhouette: weights of the
    terms, the last for classes beside the joints; sigma, width: how wide heat is, and
    how far a limb's field goes to its sides; apart: least distance of two joints of a
    kind; these three as a share of the picture's longer side; least: heat, from 0 to 1,
    that is a joint; parts: joints that make a person, unset for 3, or for all where
    there are fewer. Of a single person field, width, least and parts play no role.

    lengths: what joints may be off by a share of, "torso" or "head", where the data
    names the joints at their ends; unset for those that training pictures show.
    """
    room = info.people if people is None else people
    many = room > 1
    _check_joints(info, room)
    parts = min(_PARTS, len(info.joints)) if parts is None else parts
    if many:
        check_range("task.parts", parts, 1, len(info.joints))
    for length in lengths or ():
        check_choice("task.lengths", length, (*LENGTHS,))
    ends = ends_of(info.joints, lengths)
    check_range("task.stride", stride, 1, 64)
    check_range("task.least", least, 0, 1)
    for name, k in {"heat": heat, "field": field, "silhouette": silhouette}.items():
        check_range(f"task.{name}", k, 0)
    if not heat and not (field and many):
        alone = "; for the silhouette alone take task.name=semantic" * bool(silhouette)
        raise Mistake(f"With task.heat=0 no joint is learnt; set it to 1{alone}.")
    for name, k in {"sigma": sigma, "width": width, "apart": apart}.items():
        check_range(f"task.{name}", k, 1e-4, 0.5)
    by = _many_people if many else _one_person

    def encode(example):
        counts = mean_pool(_counts(example)[..., None], stride)[..., 0] > 0.99
        if min(counts.shape) < _FEWEST:
            raise Mistake(
                f"task.stride={stride} leaves {counts.shape[0]} x {counts.shape[1]}"
                f" cells of a picture; {_FEWEST} or more to a side tell joints apart."
            )
        long = max(counts.shape)
        how: dict[str, Any] = {"wide": max(_SMALLEST, sigma * long)}
        if many:
            how |= {"limbs": info.limbs, "width": max(1.0, width * long)}
        points = _scaled(example["keypoints"], 1 / stride)
        return by.encode(points, counts.astype(jnp.float32), **how)

    def loss(outputs, targets):
        maps = {name: mean_pool(outputs[name], stride) for name in by.heads(info)}
        weights = {"heat": heat, "field": field} if many else {"heat": heat}
        return by.loss(maps, targets, **weights)

    def decode(outputs):
        """{"keypoints": f32[k,j,3], y, x and how sure, 0 where not found; "score":
        f32[k], -1 of slots that hold nobody; "full": bool, of the slots}"""
        maps = {name: mean_pool(outputs[name], stride) for name in by.heads(info)}
        how = {"limbs": info.limbs, "slots": room, "least": least, "parts": parts}
        long = max(maps["heatmap"].shape[:2])
        window = 2 * max(1, round(apart * long)) + 1
        points, sure = by.decode(maps, window, **(how if many else {}))
        full = (sure[-1] > 0) & many
        return {"keypoints": _scaled(points, stride), "score": sure, "full": full}

    skeletons = Task(
        needs=("image", "keypoints"),
        heads=by.heads(info),
        encode=encode,
        loss=loss,
        decode=decode,
        count=functools.partial(
            hold,
            sigmas=sigmas_of(info.joints),
            torso=ends.get("torso"),
            head=ends.get("head"),
        ),
        score=lambda rows: score(rows, info.joints, many, **ends),
        draw=functools.partial(_draw.skeleton_strip, info=info),
        panels="From left to right: the picture, the truth, the prediction, each limb"
        " in a colour of its own.",
        remark=functools.partial(_remark, slots=room) if many else lambda rows: "",
        falling=("count_error",) if many else (),
        ranges={"count_error": (0, math.inf)} if many else {},
        kept=tuple(by.heads(info)),
        mirrored=mirror_mean(info),
    )
    return _with_silhouette(skeletons, info, silhouette) if silhouette else skeletons


def settle(
    info: Info, examples: Iterable[dict[str, np.ndarray]], **config
) -> dict[str, Any]:
    """The options, with the lengths that can be measured where not all can; a Mistake
    where a training picture shows more people than there is room for, or none has a
    joint."""
    room = config.get("people") or info.people
    marked = [
        example["keypoints"][..., 2] > 0
        for example in itertools.islice(examples, _LOOKED_AT)
    ]
    most = max((of.any(-1).sum() for of in marked), default=0)
    if most > room:
        raise Mistake(
            f"A training picture shows {most} people, and task.people is {room}; leave"
            " it unset, and there is room for all."
        )
    if not most and len(marked) < _LOOKED_AT:
        raise Mistake(
            f"None of the {len(marked)} training pictures has a joint that is marked;"
            " nothing can be learnt of them."
        )
    ends = ends_of(info.joints, config.get("lengths"))
    shown = [
        length
        for length, pairs in ends.items()
        if any((of[:, a] & of[:, b]).any() for of in marked for a, b in pairs)
    ]
    return config if len(shown) == len(ends) else config | {"lengths": (*shown,)}


def _scaled(points, by: float):
    """Points where a picture has them that is so much larger. f32[p,j,3]"""
    return points.at[..., :2].set((points[..., :2] + 0.5) * by - 0.5)


def _counts(example):
    """1 where a pixel counts: no crowd, nothing void, nobody whose joints nobody has
    marked. Beyond the picture no joint is, and that is to be learnt: there the network
    is asked as well. f32[h,w]"""
    void = jnp.zeros(example["image"].shape[:2], bool)
    if "semantic" in example:
        void = example["semantic"] == VOID
    if "instance" not in example:
        return 1.0 - void
    ids, points = example["instance"], example["keypoints"]
    marked = jnp.append((points[..., 2] > 0).any(-1), False)
    known = (ids == 0) | ((ids > 0) & marked[jnp.clip(ids, 1, len(marked)) - 1])
    beyond = void & (ids < 0)
    return (known & ~void | beyond).astype(jnp.float32)


def _with_silhouette(skeletons: Task, info: Info, weight: float) -> Task:
    """Classes beside the joints, from the same network."""
    if "semantic" not in info.provides:
        raise Mistake(
            "task.silhouette asks for a class of each pixel, and the data provides"
            f" {', '.join(info.provides)} (where a folder has joints, masks beside them"
            " are not read). Set it to 0, or take data that has both, such as dancers"
            " or coco's key points."
        )
    those = semantic.make_task(info, cross_entropy=weight, dice=weight)

    def score_both(rows):
        return skeletons.score(rows) | those.score(rows)

    def loss(outputs, targets):
        skeleton, classes = targets
        return skeletons.loss(outputs, skeleton) | those.loss(outputs, classes)

    return skeletons._replace(
        needs=(*skeletons.needs, "semantic"),
        heads={**skeletons.heads, **those.heads},
        encode=lambda example: (skeletons.encode(example), those.encode(example)),
        loss=loss,
        decode=lambda maps: those.decode(maps) | skeletons.decode(maps),
        count=lambda *both: skeletons.count(*both) | those.count(*both),
        score=score_both,
        draw=functools.partial(skeletons.draw, classes=True),
        panels=f"{skeletons.panels[:-1]}, on the classes, tinted.",
    )


def _remark(rows, slots: int) -> str:
    """Whether there were more people than there is room for."""
    beyond = np.asarray(rows["number"])[:, 2] > 0
    if not beyond.any():
        return ""
    return (
        f"{beyond.sum()} of {len(beyond)} pictures show more people than the {slots}"
        " there is room for; --config.task.people=N makes more."
    )


def _check_joints(info: Info, room: int) -> None:
    if not info.joints:
        raise Mistake(
            "Task 'pose' needs joints, and the data names none; choose data that has"
            " key points."
        )
    check_range("task.people", room, 1, MOST_PEOPLE)
    places = range(len(info.joints))
    mirror = info.mirror or places
    if len(mirror) != len(places) or any(
        k not in places or mirror[k] != place for place, k in enumerate(mirror)
    ):
        raise Mistake(
            f"The data's mirror is {tuple(mirror)}; it must say of each of the"
            f" {len(places)} joints, by its number from 0, what it is in a mirror, and"
            " two joints change places."
        )
    for limb in info.limbs:
        if len(limb) != 2 or not {*limb} <= {*places}:
            raise Mistake(
                f"The data's limb {tuple(limb)} does not join two of its"
                f" {len(places)} joints, which are numbered from 0."
            )
    if room > 1:
        _check_joined(info)


def _check_joined(info: Info) -> None:
    """A Mistake where limbs do not lead from each joint to all others."""
    if not info.limbs:
        raise Mistake(
            "Of several people, joints are joined along limbs, and the data names none;"
            " name them in the data; if each picture shows one, --config.task.people=1."
        )
    reached = {0}
    for _ in info.joints:
        reached |= {joint for limb in info.limbs if reached & {*limb} for joint in limb}
    alone = [name for k, name in enumerate(info.joints) if k not in reached]
    if alone:
        raise Mistake(
            f"No limbs lead from {info.joints[0]} to {', '.join(alone)}; of several"
            " people nobody could say whose it is. Name limbs that do; if each picture"
            " shows one person, --config.task.people=1."
        )
