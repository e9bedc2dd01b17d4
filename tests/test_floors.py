"""Rooms know only the floors below them."""

import ast
from pathlib import Path

import segjax

ROOT = Path(segjax.__file__).parent
FLOORS = {
    "base": 0,
    "ops": 1,
    **dict.fromkeys(["data", "models", "tasks", "optim", "parallel"], 2),
    **dict.fromkeys(["checkpoint", "log"], 2),
    **dict.fromkeys(["run", "step"], 3),
    **dict.fromkeys(["train", "evaluate", "predict", "export", "report"], 4),
    **dict.fromkeys(["doctor", "plan", "weights"], 4),
    **dict.fromkeys(["compare"], 5),
    "command": 6,
    "__main__": 7,
}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(source: str) -> set[str]:
    """The rooms of segjax that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found |= {f"{node.module}.{a.name}" for a in node.names}
    parts = [name.split(".") for name in found]
    return {p[1] for p in parts if p[0] == "segjax" and len(p) > 1}


def wrong_arrows(room: str, source: str) -> set[str]:
    rooms = imports_of(source) & FLOORS.keys()
    return {r for r in rooms if r != room and FLOORS[r] >= FLOORS[room]}


def test_every_file_has_a_floor_and_imports_downward():
    files = [p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py"]
    assert len(files) > 20
    for path in files:
        room = room_of(path)
        assert room in FLOORS, f"{path}: which floor is {room!r} on?"
        arrows = wrong_arrows(room, path.read_text())
        assert not arrows, f"{path} imports {arrows}, which is not below it"


def test_a_wrong_import_is_found():
    assert wrong_arrows("ops", "from segjax.models import build") == {"models"}
    assert wrong_arrows("data", "def f():\n    from segjax import tasks") == {"tasks"}
    assert wrong_arrows("train", "import segjax.export") == {"export"}
    assert wrong_arrows("models", "from segjax.ops.pool import max_pool") == set()
    assert wrong_arrows("models", "from segjax.models._layers import Up") == set()


def test_configs_import_nothing_of_segjax():
    for path in (ROOT.parent / "configs").glob("*.py"):
        assert "segjax" not in {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        } | {
            (node.module or "").split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
        }
