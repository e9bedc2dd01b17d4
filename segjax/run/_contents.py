"""What there is to choose from, a line each."""

from collections.abc import Iterator

from segjax.base import find, names
from segjax.run._config import config_folder, load_file


def contents() -> Iterator[str]:
    """Models, tasks, data sets and configs with what their files say first."""
    for room, title in (("models", "Models"), ("tasks", "Tasks"), ("data", "Data")):
        yield f"{title}:"
        for name in names(room):
            yield f"  {name:<13}{_first_line(find(room, name))}"
    yield "Configs, and their presets:"
    for path in sorted(config_folder().glob("[!_]*.py")):
        module = load_file(path)
        yield f"  {path.stem:<13}{_first_line(module)}"
        yield f"  {'':<13}{', '.join(getattr(module, 'PRESETS', ()))}"


def _first_line(module) -> str:
    """The first paragraph of its docstring, as one line."""
    return " ".join((module.__doc__ or "").strip().split("\n\n")[0].split())
