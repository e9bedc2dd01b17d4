"""A data set looked at."""

from pathlib import Path

from segjax.base import DONE, FINDINGS
from segjax.command._parse import Parser, parse


def main(arguments: list[str]) -> int:
    parser = Parser(
        prog="python -m segjax doctor",
        description="Read a data set whole, change nothing, and say what is wrong.",
        epilog="Options of the data can be set as in training, for example"
        " --config.data.void=11 or --config.data.fold=1. Of a folder with masks and"
        " joints the masks are looked at; --config.data.name=joints looks at these.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="your folder, with masks or joints, or coco, dancers, mads, nevi,"
        " pasture, ph2",
    )
    parser.add_argument(
        "--sheet", metavar="FILE.png", help="where overlays go (default: doctor-*.png)"
    )
    flags, overrides = parse(parser, arguments)
    from segjax import doctor, run
    from segjax.log import Progress

    options = run.data_options(flags.data, overrides)
    sheet = flags.sheet or f"doctor-{Path(flags.data).resolve().name}.png"
    progress = Progress(1)
    found = doctor.diagnose(options, Path(sheet), progress.say, progress.count)
    return FINDINGS if found else DONE
