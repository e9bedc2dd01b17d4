"""A comparison in lines of text."""

from collections.abc import Iterator, Sequence
from typing import Any

from segjax import parallel, run
from segjax.compare._plan import Cell
from segjax.log import cautions, mean_and_span, span, verdict
from segjax.ops.bootstrap import Paired


def begun(told: Sequence[str]) -> Iterator[str]:
    """What is trained, on what. told: of the data and the candidates."""
    yield f"devices: {parallel.describe_devices()}" + (
        ", a training on each" if parallel.devices_here() > 1 else ""
    )
    yield from told


def cautions_of(cells: Sequence[Cell]) -> list[str]:
    """What must be known beside the scores of the runs; once, with the runs of which it
    is true."""
    true_of: dict[str, list[str]] = {}
    for cell in cells:
        for sentence in cautions(run.read_scores(cell.folder) or {}):
            true_of.setdefault(sentence, []).append(cell.told())
    return [
        sentence if len(of) == len(cells) else f"{sentence} ({'; '.join(of)})"
        for sentence, of in true_of.items()
    ]


def told(content: dict[str, Any]) -> Iterator[str]:
    """content: of comparison.json."""
    score, chosen = content["score"], content["chosen"]
    width = max(map(len, [*content["table"], "config"])) + 2
    head = f"{score:>8}  {'95 % interval':<18}{'choosing':>8}  by seed"
    yield f"{'config':<{width}}{head}"
    for name, scores in content["table"].items():
        mean = scores[score]
        seeds = " ".join(f"{v:.4f}" for v in content["by_seed"][name].values())
        yield (
            f"{name:<{width}}{mean['mean']:>8.4f}  {span(mean):<18}"
            f"{content['choosing'][name]:>8.4f}  {seeds}"
        )
    first = content["table"][chosen][score]
    groups = content["groups"]
    together = (
        f" from {groups} groups, over which intervals are taken" if groups else ""
    )
    by = content["trainings"]
    each = f", each counted by its mean over {by} trainings" if by > 1 else ""
    yield f"Over {first['n']} pictures at their own size{together}{each}."
    if content["picked"]:
        yield (
            "Chosen anew for each fold, by its choosing fold alone:"
            f" {mean_and_span(content['picked'])}"
        )
    yield f"The choosing folds prefer {chosen}. On the tested pictures:"
    for name, verdict_of in content["verdicts"].items():
        yield f"  against {name}, {verdict_of}"
    for name, sentences in content["gone_wrong"].items():
        yield f"{name} is left out: {sentences[0]}"
    yield from content["cautions"]


def verdict_on(content: dict[str, Any], name: str) -> str:
    """The chosen one against another, and whether every seed says the same."""
    score, chosen = content["score"], content["chosen"]
    found = Paired(**content["against"][name][score])
    line = verdict(score, found, tuple(content["falling"]))
    ours, theirs = content["by_seed"][chosen], content["by_seed"][name]
    gaps = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
    if len(gaps) > 1:
        same = all(g > 0 for g in gaps) or all(g < 0 for g in gaps)
        told = ", ".join(f"{gap:+.4f}" for gap in gaps)
        line += f" (by seed {told}{'' if same else ': seeds disagree'})"
    return line
