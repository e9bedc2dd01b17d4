"""What there is."""

from segjax.base import DONE
from segjax.command._parse import Parser
from segjax.command._tell import tell


def main(arguments: list[str]) -> int:
    parser = Parser(
        prog="python -m segjax list",
        description="The models, tasks, data sets, configs and their presets.",
    )
    parser.parse_args(arguments)
    from segjax import run

    tell(run.contents())
    return DONE
