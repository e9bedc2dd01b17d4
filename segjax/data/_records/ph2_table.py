"""PH2's table of diagnoses, in the forms that go round: PH2_dataset.txt as its owners
give it, and the copies of it parted by tabs, commas or semicolons."""

import csv
import re
from collections.abc import Callable

from segjax.base import Mistake
from segjax.data._intake import shown

KINDS = ("typical nevus", "atypical nevus", "melanoma")  # the table's 0, 1, 2
_MARKED = ("commonnevus", "atypicalnevus", "melanoma")  # of the copies with an X


def read_table(data: bytes, file: str) -> tuple[dict[str, str], list[str], set[str]]:
    """The diagnosis of each picture, {"IMD003": "typical nevus"}, what is wrong, and
    the pictures whose row it is wrong with."""
    rows = _rows(data)
    heads = [[re.sub(r"[^a-z]", "", cell.lower()) for cell in row] for row in rows]
    first = next((i for i, head in enumerate(heads) if _kind_reader(head)), None)
    if first is None:
        raise Mistake(
            f"{shown(file)} has no column 'Clinical Diagnosis'; it is not PH2's table."
        )
    kind_of = _kind_reader(heads[first])
    kinds: dict[str, str] = {}
    problems: list[str] = []
    unknown: set[str] = set()
    for number, row in enumerate(rows[first + 1 :], first + 2):
        name = next(
            (cell for cell in row if re.fullmatch(r"IMD\d+", cell.upper())), None
        )
        if name is None:
            continue  # the legend, an empty line
        name = name.upper()
        kind = kind_of(row)  # type: ignore[misc]
        where = f"Line {number} of {shown(file)}"
        if kind is None:
            problems.append(f"{where} gives {name} no diagnosis; it must be 0, 1 or 2.")
            unknown.add(name)
        elif kinds.setdefault(name, kind) != kind:
            problems.append(f"{where} gives {name} a second, other diagnosis.")
            unknown.add(name)
    sure = {name: kind for name, kind in kinds.items() if name not in unknown}
    return sure, problems, unknown


def _rows(data: bytes) -> list[list[str]]:
    """The table's cells; empty ones keep their place."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = text.replace("\0", "").splitlines()
    if "||" in text:
        rows = [re.split(r"\|\|?", line) for line in lines]
    else:
        head = next((line for line in lines if line.strip()), "")
        parted_by = max("\t,;", key=head.count)
        rows = list(csv.reader((line[:10_000] for line in lines), delimiter=parted_by))
    return [[cell.strip() for cell in row] for row in rows]


def _kind_reader(head: list[str]) -> Callable[[list[str]], str | None] | None:
    """What reads a row's diagnosis by these columns; None if they hold none."""

    def by_number(row: list[str]) -> str | None:
        place = head.index("clinicaldiagnosis")
        cell = row[place] if place < len(row) else ""
        return KINDS[int(cell)] if cell in ("0", "1", "2") else None

    def by_mark(row: list[str]) -> str | None:
        places = [head.index(word) for word in _MARKED]
        marked = [k for k, p in enumerate(places) if p < len(row) and row[p]]
        return KINDS[marked[0]] if len(marked) == 1 else None

    if "clinicaldiagnosis" in head:
        return by_number
    return by_mark if set(_MARKED) <= set(head) else None
