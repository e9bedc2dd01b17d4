"""python -m segjax COMMAND: train, replay, plan, prepare, doctor, weights, list."""

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from segjax.base import (
    DONE,
    FINDINGS,
    GONE_WRONG,
    MISTAKE,
    STOPPED,
    GoneWrong,
    Mistake,
    Stopped,
    did_you_mean,
)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def main(arguments: Sequence[str]) -> int:
    """Run a command and give its exit code. A mistake is one sentence on stderr."""
    try:
        code = _dispatch(list(arguments))
        print(end="", flush=True)
        return code
    except Mistake as mistake:
        return _told(f"segjax: {mistake}", sys.stderr, MISTAKE)
    except Stopped as stopped:
        return _told(str(stopped), sys.stdout, STOPPED)
    except GoneWrong as wrong:
        return _told(f"segjax: {wrong}", sys.stderr, GONE_WRONG)
    except KeyboardInterrupt:  # before the loop listens: nothing to save yet
        return _told("Stopped.", sys.stderr, STOPPED)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        where = f"{error.filename} cannot be written" if error.filename else "The disk"
        sentence = f"segjax: {where}: {error.strerror}. Make room and try again."
        return _told(sentence, sys.stderr, MISTAKE)


def _told(sentence: str, out: TextIO, code: int) -> int:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(f"\n{sentence}", file=out, flush=True)
    return code


def _dispatch(arguments: list[str]) -> int:
    commands = {
        "train": _train,
        "replay": _replay,
        "plan": _plan,
        "prepare": _prepare,
        "doctor": _doctor,
        "weights": _weights,
        "list": _list,
    }
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        print("Each takes --help.")
        return DONE
    name, *rest = arguments
    if name not in commands:
        raise Mistake(
            f"There is no command {name!r}.{did_you_mean(name, commands)}"
            f" There are: {', '.join(commands)}."
        )
    return commands[name](rest)


class _Parser(argparse.ArgumentParser):
    """An argparse that tells a mistake as the rest of the package does."""

    def error(self, message: str):
        raise Mistake(f"{message[:1].upper()}{message[1:]}. Try {self.prog} --help.")


def _config_parser(program: str, description: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program,
        description=description,
        epilog="Any option of the config can be set, for example --config.steps=100"
        " or --config.model.width=32.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config",
        required=True,
        metavar="FILE[:PRESET]",
        help="a config file, or the name of one that comes with the package",
    )
    parser.add_argument(
        "--cpu", action="store_true", help="use the CPU, whatever else there is"
    )
    return parser


def _parse(parser: argparse.ArgumentParser, arguments: list[str]):
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


def _train(arguments: list[str]) -> int:
    parser = _config_parser("launch.py", "Train by a config, and score.")
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
    flags, overrides = _parse(parser, arguments)
    config, workdir = _load(flags, overrides, flags.cluster)
    from segjax.train import train_and_evaluate

    train_and_evaluate(config, flags.workdir or workdir, may_end=True)
    return DONE


def _replay(arguments: list[str]) -> int:
    parser = _Parser(
        prog="python -m segjax replay",
        description="Train one step of a run again, on the very pictures that it had,"
        " and say where its numbers stopped being finite.",
        allow_abbrev=False,
    )
    parser.add_argument("run", metavar="RUN", help="the folder of the run")
    parser.add_argument("--step", type=int, required=True, help="1 is the first")
    parser.add_argument(
        "--cpu", action="store_true", help="use the CPU, whatever else there is"
    )
    flags = parser.parse_args(arguments)
    from segjax import parallel

    parallel.keep_programs()
    if flags.cpu:
        parallel.use_cpu()
    from segjax.train import replay

    found = replay(flags.run, flags.step)
    print(
        f"step {flags.step}: loss {found.loss:.6g}, gradient norm"
        f" {found.gradient_norm:.6g}\nIts pictures as the network saw them:"
        f" {found.picture}"
    )
    if not found.broken:
        print("All its numbers are finite.")
        return DONE
    print(f"Not finite first: {found.broken}.")
    if found.where:
        print(f"It came from: {found.where}")
    return FINDINGS


def _plan(arguments: list[str]) -> int:
    parser = _config_parser("segjax plan", "Build a config's model and count it.")
    config, _ = _load(*_parse(parser, arguments))
    from segjax import models, run

    parts = run.build_parts(config)
    counts = models.count_parameters(parts.model)
    for part, count in counts.items():
        print(f"{part:<14}{count:>12,}")
    print(f"{config.model.name:<14}{sum(counts.values()):>12,} parameters")
    return DONE


def _prepare(arguments: list[str]) -> int:
    parser = _Parser(
        prog="python -m segjax prepare",
        description="Read a data set from its owner's folder or zip, check it, and"
        " write it as TFDS records, once.",
        allow_abbrev=False,
    )
    parser.add_argument("name", help="ph2 or mads")
    parser.add_argument(
        "--from", dest="source", required=True, metavar="DIR", help="its folder or zip"
    )
    parser.add_argument(
        "--to", help="where to (default: $SEGJAX_DATA, else ~/.cache/segjax)"
    )
    parser.add_argument(
        "--again", action="store_true", help="even if it is prepared already"
    )
    parser.add_argument(
        "--skip-broken", action="store_true", help="leave broken files out"
    )
    flags = parser.parse_args(arguments)
    from segjax import data
    from segjax.log import Progress

    progress = Progress(1)
    left_out = data.prepare(**vars(flags), say=progress.say, count=progress.count)
    return FINDINGS if left_out else DONE


def _doctor(arguments: list[str]) -> int:
    parser = _Parser(
        prog="python -m segjax doctor",
        description="Read a data set whole, change nothing, and say what is wrong.",
        epilog="Options of the data can be set as in training, for example"
        " --config.data.void=11 or --config.data.fold=1.",
        allow_abbrev=False,
    )
    parser.add_argument("data", metavar="DATA", help="your folder, or ph2, mads, nevi")
    parser.add_argument(
        "--sheet", metavar="FILE.png", help="where overlays go (default: doctor-*.png)"
    )
    flags, overrides = _parse(parser, arguments)
    from segjax import doctor, run
    from segjax.log import Progress

    options = run.data_options(flags.data, overrides)
    sheet = flags.sheet or f"doctor-{Path(flags.data).resolve().name}.png"
    progress = Progress(1)
    found = doctor.diagnose(options, Path(sheet), progress.say, progress.count)
    return FINDINGS if found else DONE


def _list(arguments: list[str]) -> int:
    parser = _Parser(
        prog="python -m segjax list",
        description="The models, tasks, data sets, configs and their presets.",
    )
    parser.parse_args(arguments)
    from segjax import run

    for line in run.contents():
        print(line)
    return DONE


def _weights(arguments: list[str]) -> int:
    parser = _Parser(
        prog="python -m segjax weights",
        description="Turn torchvision's weights of a network that others have trained"
        " into an encoder that a run can start from (--config.init=DIR).",
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE.safetensors")
    parser.add_argument(
        "--as",
        dest="form",
        required=True,
        metavar="FORM",
        help="vgg16, vgg16_bn, resnet18, resnet34 or resnet50",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="a new folder")
    flags = parser.parse_args(arguments)
    from segjax import parallel

    parallel.use_cpu()
    from segjax.weights import convert

    print(convert(**vars(flags)))
    return DONE


def _load(flags, overrides, cluster: str | None = None) -> tuple:
    """The config and its run folder, once the devices are known."""
    from segjax import parallel

    parallel.keep_programs()
    if flags.cpu:
        parallel.use_cpu()
    if cluster is not None:
        parallel.join_cluster(cluster)
    parallel.check_accelerator()
    from segjax import run

    config = run.load_config(
        flags.config, overrides, accelerator=parallel.has_accelerator()
    )
    return config, run.default_workdir(flags.config, config)


def run_command(arguments: Sequence[str]) -> NoReturn:
    """Run a command as this process, and end it."""
    code = main(arguments)
    if code == STOPPED and "segjax.parallel" in sys.modules:
        from segjax import parallel

        if parallel.hosts() == 1:
            # a compiler that is still at work would be waited for, and then crash
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    sys.exit(code)


def entry() -> NoReturn:
    """The `segjax` command of an installed package."""
    run_command(sys.argv[1:])


if __name__ == "__main__":
    entry()
