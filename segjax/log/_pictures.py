"""Overlays on disk."""

import re
from pathlib import Path

import numpy as np
from PIL import Image


def write_picture(folder: Path, step: int, name: str, picture: np.ndarray) -> Path:
    """pictures/<step>-<name>.png, whole or not at all; its place. u8[h,w,3]"""
    folder.mkdir(exist_ok=True)
    safe = re.sub(r"[^\w.-]+", "_", name)
    path = folder / f"{step:06d}-{safe}.png"
    part = path.with_suffix(".part")
    Image.fromarray(picture).save(part, format="PNG")
    part.replace(path)
    return path
