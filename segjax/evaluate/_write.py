"""What an evaluation leaves: scores.json and rows.csv, and where."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segjax import run
from segjax.base import Mistake
from segjax.ops.bootstrap import Paired
from segjax.ops.calibration import calibration_error

About = dict[str, Any]  # what was scored, and how, other than usual


def choose_place(of: run.Run, about: About, out: Path | None) -> Path:
    """Where the scores go: into the run's folder those of its own test pictures, taken
    as usual; others beside them, or to `out`. A Mistake where others' would be lost."""
    if out is None:
        name = Path(about.get("data") or "own").name
        code = zlib.crc32(json.dumps(about, sort_keys=True).encode())
        other = f"{name}-{about.get('split')}-{code:08x}"
        place = of.folder / "evaluations" / other if about else of.folder
        run.check_place(place, "--out")
        return place
    run.check_place(out, "--out")
    held = run.read_scores(out) or {}
    if held.get("about") != _signed(of, about) and out.exists() and any(out.iterdir()):
        raise Mistake(
            f"{out} holds something else than these scores; give --out another folder."
        )
    return out


def _signed(of: run.Run, about: About) -> About:
    return {"run": str(of.folder.resolve())} | about


def write(
    folder: Path,
    of: run.Run,
    split: str,
    found: Any,
    tolerance: float,
    about: About | None = None,
    against: tuple[str, Mapping[str, Paired]] | None = None,
) -> dict[str, Any]:
    """The files, and the content of scores.json. about: what was not as usual."""
    measured, own = found.measured, "data" not in (about or {})
    folder.mkdir(parents=True, exist_ok=True)
    run.write_rows(
        folder,
        measured.names,
        measured.labels,
        found.each,
        measured.rows,
        measured.groups,
        measured.truths,
    )
    beside: dict[str, Any] = {
        "about": _signed(of, about or {}) if about or folder != of.folder else {},
        "caution": of.info.caution,
        "remark": of.task.remark(measured.rows),
        "unfinished": _unfinished(of),
        # dealt in another way, what is tested may have been learnt
        "learnt": own and (split in ("train", "all") or "options" in (about or {})),
        "tolerance": tolerance,
        "groups": len(set(measured.groups or ())),
        "left_out": found.measured.broken,
        "by_label": found.by_label,
    }
    if "reliability" in measured.rows:
        before = measured.rows["reliability"].sum(0)
        beside["calibration"] = {"before": _calibration(before)}
        if measured.tempered is not None:
            among = own and split in ("val", "all")
            beside["calibration"] |= {
                "among_these": among,
                "temperature": found.temperature,
                "after": _calibration(measured.tempered),
            }
    if against:
        other, scores = against
        told = {name: paired._asdict() for name, paired in scores.items()}
        beside["against"] = {"of": other, "scores": told}
    return run.write_scores(folder, of.step, split, "native", found.scores, **beside)


def _unfinished(of: run.Run) -> str:
    """How far the run had got, where that was not its end."""
    steps = run.evaluated_steps(of.folder)
    last, asked = max(steps, default=of.step), of.config.steps
    still = run.stands_still(steps, of.config.log.get("patience") or 0, last)
    return "" if last >= asked or still else f"trained to step {last} of {asked:,}"


def _calibration(bins) -> dict[str, Any]:
    """bins: pixels, their confidence summed, how many were right."""
    return {"ece": calibration_error(bins), "bins": bins.tolist()}
