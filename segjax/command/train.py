"""Train by a config, and score."""

from pathlib import Path

from segjax.base import DONE
from segjax.command._parse import config_parser, load, parse


def main(arguments: list[str]) -> int:
    parser = config_parser("launch.py", "Train by a config, and score.")
    parser.add_argument(
        "--workdir", help="the run folder (default: runs/<config>[-<preset>][-fold<k>])"
    )
    parser.add_argument(
        "--cluster",
        nargs="?",
        const="",
        metavar="HOST:PORT,COUNT,INDEX",
        help="join the other processes of this run; on a Cloud TPU pod without a value",
    )
    flags, overrides = parse(parser, arguments)
    config, workdir = load(flags, overrides, flags.cluster)
    from segjax.train import train_and_evaluate

    folder = flags.workdir or workdir
    train_and_evaluate(config, folder, may_end=True)
    from segjax import parallel, run
    from segjax.report import write_report

    if parallel.is_first() and not run.is_remote(str(folder)):
        print(f"Report: {write_report(Path(folder))}")
    return DONE
