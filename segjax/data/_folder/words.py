"""What the names of a user's folders say of the files in them."""

import re

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
_OF_MASKS = re.compile(
    r"masks?|annot(ation)?s?|labels?(?!l?ed)|segment(ation)?s?|lesions?|silhouettes?"
    r"|ground.?truths?|truths?|targets?|mattes?|manual|(?<![a-z])(gts?|segs?)(?![a-z])"
)
_INSTANCES = ("instance", "instances")
_OF_PICTURES = re.compile(
    r"images?|imgs?|pictures?|photos?|frames?|inputs?|scans?|originals?"
)


def says_masks(folder: str, objects: bool) -> bool:
    """Whether a folder's name says that masks lie in it; `instances` only where objects
    are to be told apart, as those that lie beside masks of classes are no second ones.
    """
    word = folder.lower()
    return bool(_OF_MASKS.search(word)) or (objects and word in _INSTANCES)


def says_pictures(folder: str) -> bool:
    """Whether a folder's name says that pictures lie in it."""
    return bool(_OF_PICTURES.search(folder.lower()))


def says_split(folder: str) -> str:
    """The split that a folder's name says beside what lies in it, or ''."""
    rest = _OF_PICTURES.sub(" ", _OF_MASKS.sub(" ", folder.lower()))
    words = re.findall(r"[a-z]+", rest)
    return next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), "")
