"""Others' weights, as an encoder to start from."""

from segjax.base import DONE
from segjax.command._parse import Parser


def main(arguments: list[str]) -> int:
    parser = Parser(
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
