"""The skeleton that a user tells, or that the number of joints does."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from segjax.base import Mistake, did_you_mean
from segjax.data._intake import listed, shown
from segjax.data._joints.known import KNOWN, Skeleton
from segjax.data._joints.mirror import mirror_of, told_mirror


class Told(NamedTuple):
    """What is said of a skeleton, and where; None where nothing is."""

    joints: Any = None
    limbs: Any = None
    mirror: Any = None
    file: str = ""  # '' for the options

    def where(self, word: str) -> str:
        """What a sentence calls a part of it."""
        return f"{word!r} in {shown(self.file)}" if self.file else f"data.{word}"


def find_skeleton(count: int, file: str, *told: Told) -> Skeleton:
    """The skeleton of so many joints, each part as the first says that says it; or a
    Mistake. file: where the joints are."""
    joints, limbs, mirror = (
        next((one for one in told if getattr(one, word) is not None), None)
        for word in ("joints", "limbs", "mirror")
    )
    known = KNOWN.get(count)
    if joints:
        names = _names(joints.joints, count, joints.where("joints"), file)
        is_known = known is not None and known.joints == names
        found = known if known and is_known else Skeleton(names)
    elif known:
        found = known
    else:
        raise _nameless(count, file)
    names = found.joints
    if limbs:
        found = found._replace(limbs=_tree(limbs.limbs, names, limbs.where("limbs")))
    if not mirror:
        return found._replace(mirror=mirror_of(names))
    where = mirror.where("mirror")
    table = told_mirror(
        mirror.mirror, names, where, lambda joint: _place(joint, names, where)
    )
    return found._replace(mirror=table)


def as_tuples(value: Any) -> Any:
    """Lists as tuples, at any depth: as options are kept with a run, they are lists. A
    table, which no option is, becomes one of pairs."""
    value = [*value.items()] if isinstance(value, dict) else value
    is_list = isinstance(value, (list, tuple))
    return tuple(map(as_tuples, value)) if is_list else value


def _nameless(count: int, file: str) -> Mistake:
    known = ", ".join(f"{k} are {one.name}'s" for k, one in KNOWN.items())
    return Mistake(
        f"{shown(file)} has {count} joints a person, which are not known by their"
        f" number ({known}). Name them: data.joints=('head','neck',...), or a"
        ' joints.json of {"joints": ["head", "neck", ...], "limbs": [["head", "neck"],'
        ' ...], "people": {picture: [[x, y, visible], ...]}}.'
    )


def _names(names: Any, count: int, where: str, file: str) -> tuple[str, ...]:
    whole = isinstance(names, (list, tuple)) and all(
        isinstance(name, str) and name for name in names
    )
    if not whole or not names:
        raise Mistake(f"{where} must be a list of names, such as ['head', 'neck'].")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise Mistake(f"{where} names a joint twice: {listed(twice)}.")
    if len(names) != count:
        raise Mistake(
            f"{where} names {len(names)} joints, and {shown(file)} has {count} a"
            " person; name each, in the order in which they are written there."
        )
    return tuple(shown(name) for name in names)


def _place(joint: Any, names: Sequence[str], where: str) -> int:
    """A joint's place, by its name or by its number from 0."""
    if isinstance(joint, str) and shown(joint) in names:
        return names.index(shown(joint))
    if type(joint) is int and 0 <= joint < len(names):
        return joint
    near = did_you_mean(joint, names) if isinstance(joint, str) else ""
    raise Mistake(
        f"{where} has {shown(repr(joint))}, which is no joint.{near} They are called"
        f" {listed(list(names), 20)}, or by number 0 to {len(names) - 1}."
    )


def _tree(limbs: Any, names: Sequence[str], where: str) -> tuple[tuple[int, int], ...]:
    """Limbs as places of joints; or a Mistake unless there are none, or they join all
    joints without a ring: people are put together along them."""
    tree: list[tuple[int, int]] = []
    for limb in limbs if isinstance(limbs, (list, tuple)) else [limbs]:
        if not isinstance(limb, (list, tuple)) or len(limb) != 2:
            raise Mistake(
                f"{where} has {shown(repr(limb))}; a limb is two joints, such as"
                f" [{shown(names[0])!r}, {shown(names[-1])!r}]."
            )
        a, b = (_place(joint, names, where) for joint in limb)
        if a == b:
            raise Mistake(
                f"{where} has a limb from {names[a]} to itself; a limb is between two"
                " joints."
            )
        ring = _way(a, b, tree)
        if ring:
            raise Mistake(
                f"{where} has limbs that form a ring,"
                f" {listed([names[k] for k in ring], 8)} and back; take one of them"
                f" out, such as {names[a]} to {names[b]}."
            )
        tree.append((a, b))
    lost = [name for k, name in enumerate(names) if not _way(0, k, tree)]
    if tree and lost:
        raise Mistake(
            f"{where} has no limbs that lead from {names[0]} to {listed(lost)}; limbs"
            " must join all joints. Add some, or leave all out if no picture shows"
            " several people."
        )
    return tuple(tree)


def _way(start: int, end: int, limbs: Sequence[tuple[int, int]]) -> list[int]:
    """The joints on the way from one to another along limbs; none where none leads."""
    came_from = {start: start}
    reached = [start]
    for joint in reached:  # which grows meanwhile
        for limb in limbs:
            if joint in limb:
                other = limb[1] if joint == limb[0] else limb[0]
                if other not in came_from:
                    came_from[other] = joint
                    reached.append(other)
    if end not in came_from:
        return []
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
