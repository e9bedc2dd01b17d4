"""A config from its file, with the options typed behind it; and what is wrong with it.

A config is a locked ConfigDict of plain facts. What it does not list, the functions
below it have defaults for: an option of a model is a keyword of its build(), one of a
task a keyword of its make_task(), and so on. So nothing is listed twice, and a typo is
found by comparing with those keywords.
"""

import ast
import importlib.util
import inspect
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

import segjax
from segjax import data
from segjax.base import Mistake, did_you_mean, find, names
from segjax.ops.augment import augment
from segjax.optim import make_optimizer

TOP = {"seed": int, "steps": int, "batch": int, "init": str | None, "preset": str}
LOG = {
    "metrics": int,  # every so many steps a line of metrics
    "evaluate": int,  # every so many steps an evaluation and a checkpoint
    "save": int,  # every so many steps a checkpoint besides
    "pictures": int,  # how many overlays each evaluation writes
    "patience": int,  # evaluations without a better score that end the training
    "skips": int,  # updates in a row that are not finite before it is given up
    "tensorboard": bool,
}
_OF_FOLDERS = ("folder", "joints")  # data sets that a folder is given in place of
_SECTIONS = ("model", "task", "data", "augment", "optim", "log")


def load_config(
    source: str,
    overrides: Iterable[tuple[str, str]] = (),
    *,
    accelerator: bool = False,
) -> ConfigDict:
    """The config `FILE[:PRESET]` with overrides such as ("optim.clip", "0.5").

    FILE is a path, or the name of a config that comes with the package. accelerator:
    what preset "auto" decides by.
    """
    path, preset = _split_source(source)
    get_config = load_file(path).get_config
    wanted = {"preset": preset, "accelerator": accelerator}
    taken = inspect.signature(get_config).parameters
    if preset != "auto" and "preset" not in taken:
        raise Mistake(f"{path} has no presets; leave out {preset!r}.")
    try:
        config = get_config(**{k: v for k, v in wanted.items() if k in taken})
    except ValueError as error:  # how a config refuses a preset it does not know
        raise Mistake(str(error)) from None
    return override(config, overrides)


def override(config: ConfigDict, overrides: Iterable[tuple[str, str]]) -> ConfigDict:
    """The config with options set, each from its text. Names first: they decide which
    other options there are."""
    config = ConfigDict(config.copy_and_resolve_references())  # its sections too
    for key, text in sorted(overrides, key=lambda pair: not pair[0].endswith(".name")):
        section, _, option = key.rpartition(".")
        known = option_types(config, section)
        if not section and option in _SECTIONS:
            raise Mistake(f"{option} is a section; set one of its options.")
        if option not in known:
            raise Mistake(unknown_option(section, option, known))
        if section and section not in config:
            config[section] = ConfigDict()
        node = config[section] if section else config
        with node.unlocked(), node.ignore_type():
            node[option] = _parse(key, text, known[option])
    return config


def data_source(source: str, joints: bool = False) -> list[tuple[str, str]]:
    """What sets a data set by its name, or a folder, as the data. joints: whether these
    are wanted of a folder that has masks too."""
    known = [name for name in names("data") if name not in _OF_FOLDERS]
    is_name = source in known
    folder = Path(source).expanduser()
    if not is_name and not (source and folder.is_dir()):
        raise Mistake(
            f"{source!r} is neither a folder nor a data set."
            f"{did_you_mean(source, known)} Data sets are: {', '.join(known)}."
        )
    if is_name:
        return [("data.name", source)]
    return [("data.name", data.reader_of(folder, joints)), ("data.dir", str(folder))]


def data_options(
    source: str, overrides: Iterable[tuple[str, str]], joints: bool = False
) -> dict[str, Any]:
    """The data options of a folder, or of a data set by name, with those set behind.
    joints: as of data_source."""
    words = dict(data_source(source, joints))
    fixed = {"data.name", "data.dir"}
    if "data.dir" in words:  # a folder of masks and joints may be read as either
        fixed = {"data.dir"}
    for key, _ in overrides:
        if not key.startswith("data.") or key in fixed:
            raise Mistake(f"config.{key} counts not here; only config.data.* do.")
    data = {key.removeprefix("data."): value for key, value in words.items()}
    return options(override(ConfigDict({"data": data}), overrides).data)


def reading_options(overrides: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """How picture files are read, from what was typed."""
    for key, _ in overrides:
        if key not in ("data.channels", "data.white"):
            raise Mistake(
                f"config.{key} counts not here; config.data.channels and"
                " config.data.white do."
            )
    as_folder = override(ConfigDict({"data": {"name": "folder"}}), overrides)
    return {k: v for k, v in options(as_folder.data).items() if k != "name"}


def check_options(config: ConfigDict) -> None:
    """A Mistake for an option that nothing takes, or a value of another type."""
    for section in ("", *_SECTIONS):
        if section and section not in config:
            raise Mistake(f"The config has no section {section!r}; every config has.")
        known = option_types(config, section)
        for option, value in (config[section] if section else config).items():
            if not section and option in _SECTIONS:
                continue
            if option not in known:
                raise Mistake(unknown_option(section, option, known))
            if value is not None and not _fits(value, known[option]):
                key = f"{section}.{option}".lstrip(".")
                raise Mistake(_wrong_type(key, value, known[option]))
    for option in ("seed", "steps", "batch"):
        if config.get(option) is None:
            raise Mistake(f"The config sets no {option}; set --config.{option}=...")


def options(section: ConfigDict) -> dict[str, Any]:
    """A section as keyword arguments: all that is set in it."""
    return {k: v for k, v in section.to_dict().items() if v is not None}


def option_types(config: ConfigDict, section: str) -> dict[str, Any]:
    """The options that a section may have, and their types."""
    if section == "":
        return TOP
    if section == "log":
        return LOG
    if section == "augment":
        return _keywords(augment)
    if section == "optim":
        return _keywords(make_optimizer)
    if section not in _SECTIONS:
        raise Mistake(
            f"The config has no section {section!r}.{did_you_mean(section, _SECTIONS)}"
            f" There are: {', '.join(_SECTIONS)}."
        )
    rooms = {"model": ("models", "build"), "task": ("tasks", "make_task")}
    room, builder = rooms.get(section, ("data", "open_split"))
    if (config.get(section) or {}).get("name") is None:
        raise Mistake(f"The config names no {section}: set {section}.name.")
    takes = _keywords(getattr(find(room, config[section].name), builder))
    if section == "data":
        takes |= _keywords(data.open_split) | typing.get_type_hints(data.Loading)
    return {"name": str} | takes


def unknown_option(section: str, option: str, known: Iterable[str]) -> str:
    """The sentence for an option that nothing takes."""
    where = f"{section}.{option}" if section else option
    names = list(known) + ([] if section else list(_SECTIONS))
    return (
        f"The config has no option {where!r}.{did_you_mean(option, names)}"
        f" There are: {', '.join(names)}."
    )


def config_folder() -> Path:
    """The configs that come with the package, installed or in a clone."""
    package = Path(segjax.__file__).parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def _split_source(source: str) -> tuple[Path, str]:
    path, _, preset = source.partition(":")
    named = config_folder() / f"{path.removesuffix('.py')}.py"
    for candidate in (Path(path), named):
        if candidate.is_file():
            return candidate, preset or "auto"
    known = sorted(p.stem for p in config_folder().glob("[!_]*.py"))
    raise Mistake(
        f"There is no config {path!r}.{did_you_mean(Path(path).stem, known)}"
        f" Give a file, or one of: {', '.join(known)}."
    )


def load_file(path: Path):
    """A config file as a module, or a Mistake."""
    if path.suffix != ".py":
        raise Mistake(f"{path} is not a config: a config is a Python file, *.py.")
    spec = importlib.util.spec_from_file_location(f"config_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except (Exception, SystemExit) as error:
        problem = f"{type(error).__name__}: {error}"
        raise Mistake(f"{path} cannot be read as a config: {problem}.") from None
    if not hasattr(module, "get_config"):
        raise Mistake(f"{path} is not a config: it has no function get_config().")
    return module


def _keywords(function: Callable) -> dict[str, Any]:
    """The keyword-only parameters that a config may set, and their types."""
    hints = typing.get_type_hints(function)
    return {
        name: hints.get(name, Any)
        for name, p in inspect.signature(function).parameters.items()
        if p.kind is p.KEYWORD_ONLY and name != "axis_name"  # the step sets it
    }


def _parse(key: str, text: str, wanted: Any) -> Any:
    value = _literal(text)
    if value is None and wanted is str:  # a choice may be called none
        return text
    for choice in (value, text):  # a folder may be called 2024
        if choice is None or _fits(choice, wanted):
            return choice
    raise Mistake(_wrong_type(key, text, wanted))


def _literal(text: str) -> Any:
    """What the text says: none, true, a number, a list of numbers, or itself."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return tuple(value) if isinstance(value, list) else value


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value may stand where the type is wanted."""
    if wanted is Any:
        return True
    union = typing.get_args(wanted)
    if typing.get_origin(wanted) is tuple:
        element = union[0]
        return isinstance(value, (tuple, list)) and all(
            _fits(v, element) for v in value
        )
    if union:
        return any(_fits(value, kind) for kind in union)
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, wanted)


def _wrong_type(key: str, value: Any, wanted: Any) -> str:
    return f"{key} is {value!r}; it must be {_told(wanted)}."


def _told(wanted: Any) -> str:
    """A type in words."""
    words = {int: "a whole number", float: "a number", bool: "true or false"}
    words |= {str: "text", type(None): "none"}
    inner = typing.get_args(wanted)
    if typing.get_origin(wanted) is tuple:
        return f"a list such as (1, 2), each {_told(inner[0])}"
    if inner:
        return " or ".join(_told(kind) for kind in inner)
    return words.get(wanted, str(wanted))
