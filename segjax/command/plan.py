"""A config's network, counted."""

from segjax.base import DONE
from segjax.command._parse import config_parser, load, parse
from segjax.command._tell import tell


def main(arguments: list[str]) -> int:
    parser = config_parser("segjax plan", "Build a config's model and count it.")
    config, _ = load(*parse(parser, arguments))
    from segjax import models, run

    parts = run.build_parts(config)
    counts = models.count_parameters(parts.model)
    lines = [f"{part:<14}{count:>12,}" for part, count in counts.items()]
    total = f"{config.model.name:<14}{sum(counts.values()):>12,} parameters"
    tell([*lines, total])
    return DONE
