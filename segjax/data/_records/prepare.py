"""A data set prepared once, from what its owner hands out: checked, told, written."""

from collections.abc import Callable
from pathlib import PurePosixPath
from types import ModuleType

from segjax.base import Mistake, find, names
from segjax.data._cache import data_root
from segjax.data._intake import Files, listed, open_files, shown
from segjax.data._records.build import build, check_writable
from segjax.data._records.prepared import damage, prepared_folder
from segjax.data._records.scan import Intake, Tick

_TOLD = 20  # problems that are told one by one


def prepare_data(
    name: str,
    source: str,
    to: str | None,
    again: bool,
    skip_broken: bool,
    annotations: str | None,
    say: Callable[[str], None],
    count: Tick,
) -> int:
    """The data set `name`, built from the folder or zip `source`: how many problems
    were left out. A Mistake, and nothing written, where one is found and not skipped.
    """
    module, root = _preparable(name), data_root(to)
    builder, files = module.BUILDER, None
    if hasattr(module, "choose_builder"):  # by what there is
        files = only_annotations(open_files(source), annotations)
        builder = module.choose_builder(files)
    elif annotations is not None:
        raise Mistake(f"--annotations does not count for {name}; leave it out.")
    folder, there = prepared_folder(builder, root)
    if there and not again and not damage(folder):
        say(
            f"{name} is prepared already, in {shown(folder)}. To build it anew: --again"
        )
        return 0
    check_writable(root)
    files = files or open_files(source)
    say(f"files in {shown(files.where)}: {len(files.names)}")
    checked, remarks = builder.look_through(files, count)
    problems = checked.problems
    if problems and not (skip_broken and checked.records):
        raise Mistake(
            f"{_told(problems)}Nothing was written. Mend them, or add --skip-broken to"
            " go on without."
        )
    splits = builder.assign(checked.records)
    say(f"{len(checked.records)} pictures with their masks")
    for line in (*remarks, *builder.describe(checked), *module.describe_splits(splits)):
        say(f"  {line}")
    build(builder, Intake(files, splits, count), root)
    size = sum(p.stat().st_size for p in folder.iterdir())
    say(f"{name} is prepared, {size / 1e6:.0f} MB in {shown(folder)}")
    if problems:
        say(f"{_told(problems)}They were left out.")
    return len(problems)


def only_annotations(files: Files, word: str | None) -> Files:
    """The files without those JSON files whose name does not hold the word; where none
    does, without those whose path does not."""
    if word is None:
        return files
    texts = [name for name in files.names if name.lower().endswith(".json")]
    kept = [name for name in texts if word in PurePosixPath(name).name]
    kept = kept or [name for name in texts if word in name]
    if not kept:
        raise Mistake(
            f"{shown(files.where)} holds no JSON file with {word!r} in its path, as"
            f" --annotations wants; there are: {listed(texts) or 'none'}."
        )
    left_out = set(texts) - set(kept)
    files.names = [name for name in files.names if name not in left_out]
    return files


def _preparable(name: str) -> ModuleType:
    """The data set's file, if it has a builder; or a Mistake."""
    every = {n: find("data", n) for n in names("data")}
    with_builder = [n for n in every if hasattr(every[n], "BUILDER")]
    if name in every and name not in with_builder:
        raise Mistake(
            f"Data {name!r} needs no preparing. What does: {', '.join(with_builder)}."
        )
    return find("data", name)


def _told(problems: list[str]) -> str:
    """The problems, a line each."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    more = len(problems) - _TOLD
    lines = problems[:_TOLD] + ([f"And {more} more."] if more > 0 else [])
    return "\n  ".join([f"{count}:", *lines]) + "\n"
