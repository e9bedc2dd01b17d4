"""Options that had to be found in the data: once, and kept with the run."""

from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from segjax import data
from segjax.run._config import check_options, options
from segjax.run._folder import plain, read_config


def find_in_data(config: ConfigDict, workdir: Path) -> tuple[dict[str, Any], list[str]]:
    """The data options that the config leaves to be found, and what is to be said of
    them; those of a run that is there are its own, and are not looked for again."""
    check_options(config)
    saved = read_config(workdir)
    if saved is not None and saved.config.get("data") == plain(config)["data"]:
        return saved.settled.get("data", {}), []
    asked = options(config.data)
    found, told = data.settle(**asked)
    return {k: v for k, v in found.items() if asked.get(k) != v}, told


def with_found(config: ConfigDict, found: dict[str, Any]) -> ConfigDict:
    """The config, its data options completed by those found."""
    whole = config.copy_and_resolve_references()  # its sections too
    with whole.unlocked(), whole.data.unlocked(), whole.data.ignore_type():
        for option, value in found.items():
            whole.data[option] = tuple(value) if isinstance(value, list) else value
    return whole.lock()
