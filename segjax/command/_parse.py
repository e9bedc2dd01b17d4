"""What commands share: how words are read, and a config with its devices."""

import argparse
from typing import Any

from segjax.base import Mistake


class Parser(argparse.ArgumentParser):
    """An argparse that tells a mistake as the rest of the package does."""

    def error(self, message: str):
        raise Mistake(f"{message[:1].upper()}{message[1:]}. Try {self.prog} --help.")


def config_parser(
    program: str, description: str, in_place: bool = False
) -> argparse.ArgumentParser:
    """in_place: whether the config may be typed without --config, too."""
    parser = Parser(
        prog=program,
        description=description,
        epilog="Any option of the config can be set, for example --config.steps=100"
        " or --config.model.width=32.",
        allow_abbrev=False,
    )
    what: dict[str, Any] = {
        "metavar": "FILE[:PRESET]",
        "help": "a config file, or the name of one that comes with the package",
    }
    if in_place:
        either = parser.add_mutually_exclusive_group(required=True)
        # no default, or a word that is not there would undo --config
        either.add_argument("config", nargs="?", default=argparse.SUPPRESS, **what)
        either.add_argument("--config", **what)
    else:
        parser.add_argument("--config", required=True, **what)
    parser.add_argument(
        "--cpu", action="store_true", help="use the CPU, whatever else there is"
    )
    return parser


def parse(parser: argparse.ArgumentParser, arguments: list[str]):
    """The parser's own options, and the --config.key=value pairs."""
    own, overrides, rest = [], [], iter(arguments)
    for word in rest:
        if not word.startswith("--config."):
            own.append(word)
            continue
        key, equals, value = word.removeprefix("--config.").partition("=")
        if not equals:
            following = next(rest, None)
            if following is None or following.startswith("--"):
                raise Mistake(f"{word} has no value; write {word}=VALUE.")
            value = following
        overrides.append((key, value))
    return parser.parse_args(own), overrides


def load(flags, overrides, cluster: str | None = None) -> tuple:
    """The config and its run folder, once the devices are known."""
    from segjax import parallel

    parallel.keep_programs()
    if flags.cpu:
        parallel.use_cpu()
    from segjax import run

    if cluster is None:
        on_cpu = run.load_config(flags.config, overrides)
        parts = (on_cpu.get("optim") or {}).get("accumulate") or 1
        parallel.use_cores((on_cpu.get("batch") or 0) // parts)
    else:
        parallel.join_cluster(cluster)
    parallel.check_accelerator()
    config = run.load_config(
        flags.config, overrides, accelerator=parallel.has_accelerator()
    )
    return config, run.default_workdir(flags.config, config)
