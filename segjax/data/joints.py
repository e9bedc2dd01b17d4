"""Your own pictures of people, and where their joints are.

images/ and joints.json or joints.mat, in one folder or in each of train/, val/ and
test/. Joints are [x, y, visible] by picture, of one person or of several. Names, limbs
and what changes places in a mirror are read, known by the number of joints, or said:
data.joints, data.limbs, data.mirror.
"""

from pathlib import Path
from typing import Any

import numpy as np

from segjax.base import Info, Mistake, check_range
from segjax.data._folder.pairs import Pair
from segjax.data._folder.read_picture import read_picture
from segjax.data._folder.rows import PictureRows, digest
from segjax.data._folder.splits import deal_splits
from segjax.data._folder.survey import check_sound
from segjax.data._folds import FOLDS
from segjax.data._intake import shown
from segjax.data._joints.find_people import find_people
from segjax.data._joints.keypoints import find_third, keep_inside, label
from segjax.data._joints.known import Skeleton
from segjax.data._joints.skeleton import Told, as_tuples, find_skeleton
from segjax.data._joints.survey import SKELETON, WHERE, Survey, survey
from segjax.data._records.scan import in_threads

_DEALT = ("fold", "folds", "group", "stratify")  # how pictures are dealt out
_CLASSES = ("background", "person")


class Rows(PictureRows):
    """Pictures with the key points of their people by index, each read when it is asked
    for."""

    def __init__(
        self,
        root: Path,
        pairs: list[Pair],
        keypoints: dict[str, np.ndarray],
        label: str,
        group: str | None,
        reading: dict[str, Any],
    ):
        super().__init__(root, pairs, label, group)
        self._keypoints, self._reading = keypoints, reading
        content = list(in_threads(self._content, pairs))
        self.fingerprint = digest(content)  # the same wherever the folder lies
        self.cache_key = digest([content, sorted(reading.items())])

    def __getitem__(self, row: int) -> dict[str, Any]:
        pair = self._pairs[row]
        image = read_picture(self._files.read(pair.image), pair.image, **self._reading)
        keypoints = keep_inside(
            self._keypoints[pair.image], image.shape[:2], pair.image
        )
        return {"image": image, "keypoints": keypoints, **self._said_of(pair)}

    def _content(self, pair: Pair) -> tuple:
        """What tells an example from others."""
        joints = self._keypoints[pair.image].tobytes()
        return (*self._content_of(pair, (pair.image,)), digest(joints))


def make_info(**config) -> Info:
    """The joints that are named, or found in the folder, and how many people."""
    skeleton, people = _known_skeleton(config), config.get("people")
    if skeleton is None or people is None:
        found = _sound(config)
        skeleton, people = found.skeleton, people or found.people
    assert skeleton is not None  # a problem would have said why
    check_range("data.people", people, 1)
    return Info(
        classes=_CLASSES,
        things=_CLASSES[1:],
        joints=skeleton.joints,
        limbs=skeleton.limbs,
        mirror=skeleton.mirror,
        people=people,
        provides=("image", "keypoints"),
    )


def settle(**config) -> tuple[dict[str, Any], list[str]]:
    """What had to be found, as options, and what is to be said of it."""
    found = _sound(config)
    how = {"fold": None, "folds": FOLDS, "group": None, "stratify": None}
    dealt = deal_splits(found.pairs, **how | _of(config, _DEALT))
    asked = _of(config, ("people",))
    return as_options(found) | asked, [*found.told, dealt.told]


def as_options(found: Survey) -> dict[str, Any]:
    """What was found, as options that make it known."""
    assert found.skeleton is not None
    options = {word: getattr(found.skeleton, word) for word in SKELETON}
    white = {} if found.white is None else {"white": found.white}
    return options | {"third": found.third, "people": found.people} | white


def open_split(
    split: str,
    *,
    dir: str,
    fold: int | None = None,
    folds: int = FOLDS,
    images: str | None = None,
    table: str | None = None,
    group: str | None = None,
    stratify: str | None = None,
    joints: tuple[str, ...] | None = None,
    limbs: tuple[tuple[int | str, ...], ...] | None = None,
    mirror: tuple[int | str, ...] | None = None,
    third: str | None = None,
    people: int | None = None,
    channels: tuple[int, ...] | None = None,
    white: float | None = None,
) -> Rows:
    """Rows of "train", "val" or "test" of the folder.

    images: the folder of pictures, where its name does not tell; table: a csv with the
    column image, and split or others; group: a column no value of which may be in two
    folds; stratify: one to be spread evenly; joints: their names, in the order in which
    they are written; limbs: pairs of joints, by name or by number from 0, which join
    all; mirror: the joint that each becomes; third: what the third number of a joint
    says, which is visible (0 not labelled, 1 hidden, 2 seen), labelled, hidden or seen
    (0 no, 1 yes); people: room for so many in each picture, unset for the most that one
    shows; channels: the three to take; white: the value that is white in pictures of
    more than 8 bits.
    """
    config = {k: v for k, v in locals().items() if v is not None}
    pairs, keypoints, white = _labelled(config)
    dealt = deal_splits(pairs, fold, folds, group, stratify)
    reading = {"white": white, "channels": channels}
    column = (stratify or "label").lower()
    some = [pairs[i] for i in dealt.splits[split]]
    return Rows(Path(dir), some, keypoints, column, group, reading)


def look_through(**config) -> Survey:
    """What the folder holds, sound or not."""
    return survey(**_of(config, (*WHERE, *SKELETON, "third", "white", "channels")))


def _labelled(config: dict[str, Any]):
    """The pictures, the key points of each, and what is white."""
    known = _known_skeleton(config)
    white = config.get("white") if known else _sound(config).white
    found = find_people(**_of(config, WHERE))
    check_sound(found.problems)
    if known and len(known.joints) != found.written.number:
        raise Mistake(
            f"data.joints names {len(known.joints)} joints, and"
            f" {shown(found.written.told.file)} has {found.written.number} a person."
        )
    third, _ = find_third(found, config.get("third"))
    keypoints = label(found, third).keypoints
    return [pair for pair in found.pairs if pair.image in keypoints], keypoints, white


def _known_skeleton(config: dict[str, Any]) -> Skeleton | None:
    """The skeleton, where the options say all of it, as those of a begun run do."""
    if not all(config.get(word) is not None for word in SKELETON):
        return None
    told = Told(**{word: as_tuples(config[word]) for word in SKELETON})
    return find_skeleton(len(told.joints), "data.joints", told)


def _sound(config: dict[str, Any]) -> Survey:
    """What the folder holds, or a Mistake."""
    if not Path(config.get("dir") or "").is_dir() or not config.get("dir"):
        raise Mistake(
            f"data.dir is {config.get('dir')!r}, which is not a folder; say which:"
            " --config.data.dir=FOLDER."
        )
    found = look_through(**config)
    check_sound(found.problems)
    return found


def _of(config: dict[str, Any], options: tuple[str, ...]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k in options and v is not None}
