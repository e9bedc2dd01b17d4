"""Colours of people and of what is around them; much of it has those of clothes, so
that no colour tells who is a person."""

import numpy as np

SKINS = (
    (246, 214, 190),
    (236, 194, 160),
    (220, 172, 134),
    (196, 142, 102),
    (158, 106, 72),
    (118, 76, 52),
    (84, 56, 42),
)
HAIRS = (
    (30, 26, 26),
    (52, 38, 32),
    (92, 62, 42),
    (146, 98, 56),
    (206, 168, 104),
    (160, 76, 44),
    (172, 170, 168),
    (232, 230, 226),
)
CLOTHS = (
    (232, 230, 224),
    (206, 198, 182),
    (150, 152, 156),
    (92, 96, 104),
    (36, 36, 42),
    (24, 30, 58),
    (38, 62, 128),
    (66, 120, 190),
    (150, 192, 222),
    (40, 118, 112),
    (40, 92, 56),
    (118, 152, 84),
    (222, 196, 78),
    (226, 138, 52),
    (206, 60, 48),
    (132, 32, 44),
    (218, 110, 146),
    (122, 70, 140),
    (122, 84, 56),
    (178, 132, 90),
)
BRICKS = ((150, 84, 66), (186, 160, 136), (120, 112, 108), (214, 206, 196))
WOODS = ((136, 96, 60), (176, 132, 86), (92, 62, 42), (206, 172, 126))
STONES = ((150, 148, 144), (112, 112, 116), (186, 178, 164), (84, 84, 90))
METALS = ((60, 60, 66), (150, 152, 158), (36, 34, 34), (190, 170, 110))
LEAVES = ((62, 102, 52), (92, 124, 62), (44, 80, 58), (140, 136, 66))
LAWNS = ((104, 140, 66), (134, 148, 82), (84, 122, 72))
SKIES = ((120, 168, 220), (190, 208, 222), (224, 220, 210), (60, 70, 110))


def pick(rng: np.random.Generator, colours, odds=None, spread: float = 7) -> np.ndarray:
    """One of the colours, a little off, f32[3]."""
    many = len(colours)
    one = rng.integers(many) if odds is None else rng.choice(many, p=odds)
    off = rng.normal(0, spread, 3) + rng.normal(0, 1.3 * spread)
    return (np.array(colours[one]) + off).clip(8, 250).astype(np.float32)
