"""The README's Python runs as it stands."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from segjax import data
from segjax.run import build_parts, load_config

README = (Path(__file__).parent.parent / "README.md").read_text()


def block_after(comment):
    found = re.search(
        rf"<!-- {re.escape(comment)} -->\n```python\n(.*?)```", README, re.S
    )
    return found[1]


def test_the_notebook_trains_and_draws():
    code = block_after("executed by tests/test_readme.py")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    names = {}
    exec(code, names)
    assert names["metrics"]["loss"] < 1.0
    assert names["picture"].shape == (48, 4 * 48, 3)


def test_a_data_set_of_ones_own(tmp_path, monkeypatch):
    room = tmp_path / "room"
    room.mkdir()
    code = block_after("executed by tests/test_readme.py as segjax/data/mine.py")
    (room / "mine.py").write_text(code)
    monkeypatch.setattr(data, "__path__", [*data.__path__, str(room)])
    for folder, shape in (("images", (9, 12, 3)), ("masks", (9, 12))):
        (tmp_path / folder).mkdir()
        for k in range(5):
            picture = Image.fromarray(np.full(shape, k % 2, np.uint8))
            picture.save(tmp_path / folder / f"{k}.png")
    changes = {"data.name": "mine", "data.dir": str(tmp_path), "data.size": "8"}
    config = load_config("unet", changes.items())
    assert build_parts(config).info.classes == ("background", "mine")
    split = data.load_split("mine", "train", size=8, dir=str(tmp_path))
    assert split.names == ("2", "3", "4")
    assert split.arrays["semantic"].mean() == 1 / 3
