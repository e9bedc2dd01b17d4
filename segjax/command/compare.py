"""Several configs trained on the same folds, and which is better."""

import itertools
import os
import re
import shlex
from pathlib import Path

from segjax.base import DONE, GONE_WRONG, Mistake
from segjax.command._parse import Parser, parse

_COMMA = re.compile(r",(?![^()]*\))")  # not one inside brackets
_NO_NAME = re.compile(r"[^\w.+-]")  # of a folder


def main(arguments: list[str]) -> int:
    flags, overrides = parse(_parser(), arguments)
    _check(flags, overrides)
    from segjax import compare, parallel, run
    from segjax.report import write_comparison

    if run.is_remote(flags.workdir):
        raise Mistake(
            f"--workdir is {flags.workdir}; a comparison needs a folder here."
        )
    parallel.keep_programs()
    if flags.cpu:
        parallel.use_cpu()
    parallel.check_accelerator()
    overrides = [*(run.data_source(flags.data) if flags.data else ()), *overrides]
    candidates = _candidates(flags.configs, flags.sweep, overrides, compare.Candidate)
    if len(candidates) < 2:
        raise Mistake("One config alone is nothing to compare; name two, or --sweep.")
    workdir = Path(flags.workdir)
    content = compare.compare(
        candidates,
        workdir,
        folds=flags.folds,
        seeds=flags.seeds,
        accelerator=parallel.has_accelerator(),
        command=f"python -m segjax compare {shlex.join(arguments)}",
        may_end=True,
    )
    print()
    for line in compare.told(content):
        print(line)
    page = write_comparison(workdir)
    print(f"Written: {workdir}/comparison.json, rows.csv; report: {page}")
    return GONE_WRONG if content["gone_wrong"] else DONE


def _parser() -> Parser:
    parser = Parser(
        prog="python -m segjax compare",
        description="Train several configs on the same folds from the same seeds, and"
        " say which is better and whether the data can tell.",
        epilog="Options of all configs can be set, for example --config.steps=600.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("configs", metavar="CONFIG", nargs="+", help="FILE[:PRESET]")
    add("--data", help="a data set of all, or a folder of pictures")
    add("--folds", type=int, help="how many are tested (default: the config's one)")
    add("--seeds", type=int, default=1, help="trainings a fold")
    add(
        "--sweep",
        action="append",
        default=[],
        metavar="OPTION=A,B,...",
        help="each config with each of these values; may be given again",
    )
    add("--workdir", required=True, help="a folder for all of it")
    add("--cpu", action="store_true", help="use the CPU")
    return parser


def _check(flags, overrides) -> None:
    for name, count in (("--folds", flags.folds), ("--seeds", flags.seeds)):
        if count is not None and count < 1:
            raise Mistake(f"{name} is {count}; it must be at least 1.")
    given = {key for key, _ in overrides} | {s.partition("=")[0] for s in flags.sweep}
    for key, flag in (("seed", "--seeds"), ("data.fold", "--folds")):
        if key in given:
            raise Mistake(f"A comparison sets {key} itself; {flag} says how many.")


def _candidates(configs: list[str], sweeps: list[str], overrides, candidate) -> list:
    """Each config with each choice of the swept values, by names of their own."""
    choices = [_swept(sweep) for sweep in sweeps]
    found = []
    for config in configs:
        for chosen in itertools.product(*choices):
            words = [_NO_NAME.sub("_", f"{k.rpartition('.')[2]}{v}") for k, v in chosen]
            name = "-".join([_short(config), *words])
            source = os.path.normpath(config)
            found.append(candidate(name, source, (*overrides, *chosen)))
    names = [c.name for c in found]
    if len(set(names)) < len(names):
        raise Mistake(
            f"Two of the configs go by one name, of {', '.join(names)}; give one"
            " another file name, or leave it out."
        )
    return found


def _short(config: str) -> str:
    path, _, preset = config.partition(":")
    return "-".join([Path(path).stem, *([preset] if preset else [])])


def _swept(text: str) -> list[tuple[str, str]]:
    key, equals, values = text.partition("=")
    found = [value.strip() for value in _COMMA.split(values)]
    if not equals or not all(found):
        raise Mistake(f"--sweep is {text!r}; write OPTION=A,B,...")
    return [(key, value) for value in found]
