"""A run scored at its pictures' own size."""

from pathlib import Path
from typing import Any

from segjax.base import DONE, FINDINGS, Mistake
from segjax.command._parse import Parser, parse

_STOPPED = "Stopped before the end; the same command begins anew."


def main(arguments: list[str]) -> int:
    flags, overrides = parse(_parser(), arguments)
    from segjax import evaluate, parallel, run
    from segjax.log import Progress
    from segjax.report import write_report

    tolerance = evaluate.TOLERANCE if flags.tolerance is None else flags.tolerance
    if not 0 <= tolerance < 1e6:
        raise Mistake(f"--tolerance is {tolerance}; it must be 0 or more pixels.")
    if run.is_remote(flags.run) and not flags.out:
        raise Mistake(f"{flags.run} is elsewhere; give the scores a folder here: --out")
    parallel.keep_programs()
    if flags.cpu:
        parallel.use_cpu()
    progress = Progress(1)
    with run.stop_requests(may_end=True) as stop, stop.at_once(_STOPPED):
        of = run.load_run(flags.run, step=flags.step)
        own = evaluate.are_own(of, flags.data, overrides)
        about = _about(flags, [] if own else overrides, tolerance, own)
        out = Path(flags.out) if flags.out else None
        folder = evaluate.choose_place(of, about, out)
        theirs = evaluate.read_other(flags.against, tolerance) if flags.against else {}
        found = evaluate.evaluate(
            of,
            evaluate.open_pictures(of, flags.split, flags.data, overrides),
            tolerance=tolerance,
            choosing=_choosing(of, overrides if own else [], own, progress.say),
            progress=progress,
            by=flags.by,
            group=flags.group,
            tta=flags.tta,
        )
        kept = (folder, of, flags.split, found, tolerance, about)
        content = evaluate.write(*kept)
        unlike = ""
        if theirs:
            try:
                each = evaluate.against(found, theirs, flags.against, of.task.ranges)
                content = evaluate.write(*kept, (flags.against, each))
            except Mistake as mistake:  # it loses none of the scores
                unlike = str(mistake)
    for line in evaluate.told(of.task, content):
        progress.say(line)
    progress.say(f"Written: {folder}/scores.json, rows.csv")
    if folder == of.folder:
        progress.say(f"Report: {write_report(folder, progress.say)}")
    if unlike:
        progress.say(f"Not compared: {unlike}")
    return FINDINGS if found.measured.broken or unlike else DONE


def _parser() -> Parser:
    parser = Parser(
        prog="python -m segjax evaluate",
        description="Score a run at its pictures' own size, with surfaces, calibration"
        " and intervals; against another run, pair by pair.",
        epilog="Options of the data can be set as in training, for example"
        " --config.data.dir=DIR where the pictures have been moved.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="the folder of the run")
    add("--data", help="another data set, or a folder of pictures")
    add("--split", default="test", help="test, val, train or all")
    add("--step", type=int, help="of a checkpoint (default: the best)")
    add("--tolerance", type=float, help="of surface Dice, in pixels (default: 2)")
    add("--against", metavar="RUN2", help="another run's folder, or a rows.csv")
    add("--by", metavar="COLUMN", help="scores for each of its words (default: label)")
    add("--group", metavar="COLUMN", help="whose pictures belong together: a patient")
    add("--tta", action="store_true", help="by the mean of several flips and turns")
    add("--out", metavar="DIR", help="where scores.json and rows.csv go")
    add("--cpu", action="store_true", help="use the CPU")
    return parser


def _about(flags, overrides, tolerance: float, own: bool) -> dict[str, Any]:
    """What is not as usual: then these are not the run's own scores."""
    data = flags.data and (
        str(Path(flags.data).resolve()) if Path(flags.data).exists() else flags.data
    )
    unusual = {
        "data": data,
        "options": [list(pair) for pair in overrides],
        "step": flags.step,
        "by": flags.by,
        "group": flags.group,
        "tta": flags.tta or None,
        "tolerance": None if flags.tolerance is None else tolerance,
    }
    unusual = {word: said for word, said in unusual.items() if said not in (None, [])}
    if own and flags.split == "test" and not unusual:
        return {}
    return unusual | {"split": flags.split}


def _choosing(of, overrides, own: bool, say):
    """The pictures that chose the checkpoint; one may have the run and not its data."""
    from segjax import evaluate

    try:
        return evaluate.open_pictures(of, "val", overrides=overrides)
    except Mistake as mistake:
        if own:
            raise
        say(f"No temperature is fitted: {mistake}")
        return None
