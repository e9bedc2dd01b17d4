"""Train by a config, and score."""

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

    train_and_evaluate(config, flags.workdir or workdir, may_end=True)
    return DONE
