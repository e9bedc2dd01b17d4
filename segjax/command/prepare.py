"""A data set, written once as records."""

from segjax.base import DONE, FINDINGS
from segjax.command._parse import Parser


def main(arguments: list[str]) -> int:
    parser = Parser(
        prog="python -m segjax prepare",
        description="Read a data set from its owner's folder or zip, check it, and"
        " write it as TFDS records, once.",
        allow_abbrev=False,
    )
    parser.add_argument("name", help="coco, mads or ph2")
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
    parser.add_argument(
        "--annotations",
        metavar="WORD",
        help="coco: only the annotations with WORD in their file's name or path",
    )
    flags = parser.parse_args(arguments)
    from segjax import data
    from segjax.log import Progress

    progress = Progress(1)
    left_out = data.prepare(**vars(flags), say=progress.say, count=progress.count)
    return FINDINGS if left_out else DONE
