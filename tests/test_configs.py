"""Every shipped config and preset builds; loading one starts no backend."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from ml_collections import ConfigDict

from segjax.base import Mistake
from segjax.run import (
    build_parts,
    config_folder,
    load_config,
    override,
    with_found,
)

FILES = sorted(config_folder().glob("*.py"))


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PRESETS = [(path, preset) for path in FILES for preset in module_of(path).PRESETS]


@pytest.mark.parametrize(
    ("path", "preset"), PRESETS, ids=lambda v: getattr(v, "stem", v)
)
def test_every_preset_builds(path, preset):
    for accelerator in {False, preset == "auto"}:
        # eight devices, which the small presets of one or two cores were not made for
        source, eight = f"{path}:{preset}", [("batch", "16")]
        config = load_config(source, eight, accelerator=accelerator)
        # folders, and what was prepared, are not there to be looked into
        told = {"classes": ("a", "b"), "palette": "index"}
        body = {"joints": ("a", "b", "c"), "limbs": ((0, 1), (1, 2))}
        body |= {"mirror": (2, 1, 0), "people": 2}
        if config.data.name == "joints":
            config = with_found(config, body)
        elif preset == "folder":
            config = with_found(config, told | {"threshold": 0.5})
        elif config.data.name == "folder":
            config = with_found(config, told)
        if preset == "coco":
            found = {"classes": ("a", "b"), "things": ("b",)}
            config = with_found(config, found | (body if path.stem == "pose" else {}))
        parts = build_parts(config)
        assert parts.task.heads


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_config_keeps_the_fixed_names_and_is_locked(path):
    module = module_of(path)
    config = module.get_config()
    assert isinstance(config, ConfigDict)
    assert config.is_locked
    assert {"seed", "steps", "batch", "init"} <= set(config)
    assert {"name", "dir", "size", "fit", "fold"} <= set(config.data)
    assert config.init is None
    assert f"configs/{path.name}" in module.__doc__
    with pytest.raises(ValueError, match="no preset 'huge'"):
        module.get_config("huge")


def test_auto_is_small_on_a_cpu_and_the_papers_on_an_accelerator():
    assert load_config("unet", accelerator=True).preset == "paper"
    assert load_config("unet").preset == "small"
    assert load_config("unet:paper").model.width == 64
    for preset in ("ph2", "mads"):
        assert load_config(f"segnet:{preset}", accelerator=True).model.width == 64
        assert load_config(f"segnet:{preset}").model.width == 16
        assert load_config(f"segnet:{preset}").data.name == preset


def test_loading_a_config_starts_no_backend():
    code = (
        "from segjax.run import load_config\n"
        "config = load_config('unet:paper', [('model.width', '8')])\n"
        "from jax._src import xla_bridge\n"
        "assert config.model.width == 8 and not xla_bridge._backends\n"
    )
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_options_are_typed_by_the_functions_that_take_them():
    changes = {
        "model.up": "bilinear",
        "model.dropout": "0.5",
        "model.norm": "none",
        "task.class_weights": "(1, 2.5)",
        "data.fold": "2",
        "optim.momentum": ".8",
        "augment.crop": "none",
        "log.tensorboard": "False",
        "optim.learning_rate": "1",
    }
    config = load_config("unet", changes.items())
    assert config.model.dropout == 0.5
    assert config.model.norm == "none"  # a choice, not "unset"
    assert config.task.class_weights == (1, 2.5)
    assert config.optim.momentum == 0.8
    assert config.augment.crop is None
    assert config.log.tensorboard is False
    build_parts(config)


SHORT = """
from ml_collections import ConfigDict

def get_config():
    model, task = {"name": "lesson"}, {"name": "semantic"}
    data = {"name": "nevi", "size": 32}
    parts = dict(model=model, task=task, data=data, augment={}, optim={}, log={})
    return ConfigDict(dict(seed=0, steps=2, batch=8, **parts))
"""


def test_a_user_may_write_a_short_config(tmp_path):
    """Only what matters; functions' defaults do for the rest."""
    mine = tmp_path / "mine.py"
    mine.write_text(SHORT)
    assert build_parts(load_config(str(mine))).optimizer.accumulate == 1
    assert load_config(str(mine), [("model.width", "8")]).model.width == 8
    with pytest.raises(Mistake, match="has no presets; leave out 'small'"):
        load_config(f"{mine}:small")


def test_a_config_is_a_python_file(tmp_path):
    (tmp_path / "notes.md").write_text("# mine")
    with pytest.raises(Mistake, match="a config is a Python file"):
        load_config(str(tmp_path / "notes.md"))


def test_the_config_that_was_given_stays_as_it_was():
    given = load_config("unet")
    assert override(given, [("model.width", "3")]).model.width == 3
    assert with_found(given, {"size": 8}).data.size == 8
    assert (given.model.width, given.data.size) == (16, 96)
