"""What a dancer looks like: skin, hair and clothes. Colours are f32[3] in 0..255."""

from typing import NamedTuple

import numpy as np

from segjax.data._dancers.palette import CLOTHS, HAIRS, SKINS, pick

_HAIR_ODDS = (0.28, 0.2, 0.16, 0.12, 0.1, 0.05, 0.05, 0.04)
_PLAIN = np.eye(len(CLOTHS))[[0, 0, 0, 4, 6]].mean(0)  # mostly white, black or blue
_CUTS = ("short", "long", "tail", "bun", "shaved", "cap", "scarf", "curls")
_CUT_ODDS = (0.36, 0.15, 0.12, 0.1, 0.08, 0.08, 0.04, 0.07)


class Look(NamedTuple):
    """Of one dancer."""

    skin: np.ndarray
    hair: np.ndarray  # or a cap's or a scarf's colour
    cut: str
    top: np.ndarray
    trim: np.ndarray  # of collar, belt and print
    bottom: np.ndarray
    shoes: np.ndarray
    sleeves: float  # how far they reach: 0 none, 0.5 to the elbow, 1 to the wrist
    legs: float  # how far trousers reach, or tights of 1 below a skirt
    skirt: float  # its length in thighs, 0 for none
    loose: float  # how far cloth stands off, in heights
    front: str  # of the shirt: lapels, buttons, print or plain
    belt: bool
    stripes: float  # of the shirt, to the height; 0 for none
    barefoot: bool


def _suit(rng) -> dict:
    """What is worn for martial arts: a loose jacket with lapels, and a belt."""
    cloth = pick(rng, CLOTHS, None if rng.random() < 0.3 else _PLAIN)
    return {
        "top": cloth,
        "bottom": cloth if rng.random() < 0.75 else pick(rng, CLOTHS),
        "sleeves": rng.uniform(0.75, 1),
        "legs": rng.uniform(0.85, 1),
        "loose": rng.uniform(0.008, 0.016),
        "front": "lapels",
        "belt": True,
        "barefoot": rng.random() < 0.85,
    }


def _kit(rng) -> dict:
    """What is worn for sports."""
    return {
        "sleeves": rng.choice([0, 0.45]),
        "legs": rng.uniform(0.3, 0.6) if rng.random() < 0.7 else 1.0,
        "loose": rng.uniform(0, 0.009),
        "front": str(rng.choice(["print", "plain"])),
        "stripes": rng.choice([0, 0, rng.uniform(12, 26)]),
    }


def _dancewear(rng) -> dict:
    """What clings, with a skirt or without."""
    cloth = pick(rng, CLOTHS)
    return {
        "top": cloth,
        "bottom": cloth if rng.random() < 0.6 else pick(rng, CLOTHS),
        "sleeves": rng.choice([0, 0, 0.5, 1]),
        "legs": rng.choice([0.12, 1.0]),
        "skirt": rng.choice([0, rng.uniform(0.45, 0.8), rng.uniform(1.0, 1.7)]),
        "front": "plain",
        "barefoot": rng.random() < 0.4,
    }


def _everyday(rng) -> dict:
    """What is worn in the street."""
    long = rng.random() < 0.6
    return {
        "sleeves": rng.uniform(0.9, 1) if long else rng.uniform(0.35, 0.5),
        "legs": rng.uniform(0.95, 1) if rng.random() < 0.75 else rng.uniform(0.45, 0.6),
        "loose": rng.uniform(0.002, 0.01),
        "front": str(rng.choice(["buttons", "print", "plain"])),
        "belt": rng.random() < 0.3,
        "stripes": rng.choice([0, 0, 0, rng.uniform(12, 30)]),
    }


def make_look(rng: np.random.Generator) -> Look:
    """Someone, dressed for one of the four."""
    wears = (_suit, _kit, _dancewear, _everyday)[rng.integers(4)]
    cut = str(rng.choice(_CUTS, p=_CUT_ODDS))
    covered = cut in ("cap", "scarf")
    usual = {
        "skin": pick(rng, SKINS, spread=4),
        "hair": pick(rng, CLOTHS) if covered else pick(rng, HAIRS, _HAIR_ODDS, 5),
        "cut": cut,
        "top": pick(rng, CLOTHS),
        "trim": pick(rng, CLOTHS),
        "bottom": pick(rng, CLOTHS),
        "shoes": pick(rng, CLOTHS),
        "skirt": 0.0,
        "loose": 0.0,
        "belt": False,
        "stripes": 0.0,
        "barefoot": False,
    }
    return Look(**{**usual, **wears(rng)})
