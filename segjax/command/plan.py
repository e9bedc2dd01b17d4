"""What a config's training takes, before it is begun."""

from segjax.base import DONE
from segjax.command._parse import config_parser, load, parse
from segjax.command._tell import tell


def main(arguments: list[str]) -> int:
    parser = config_parser(
        "segjax plan",
        "Compile a config's training step, without its data, and say what it takes:"
        " parameters, FLOPs, bytes, memory, time, the largest batch.",
        in_place=True,
    )
    parser.add_argument(
        "--for",
        dest="target",
        metavar="cpu|gpu|v5e:2x2",
        help="the devices: of this machine, or TPUs elsewhere (needs libtpu)",
    )
    flags, overrides = parse(parser, arguments)
    from segjax import parallel

    elsewhere = parallel.is_topology(flags.target)
    flags.cpu = flags.cpu or elsewhere or flags.target == "cpu"
    config, _ = load(flags, overrides)
    target = parallel.find_target(flags.target)
    from segjax import plan, run

    if elsewhere:  # what preset 'auto' is there
        config = run.load_config(flags.config, overrides, accelerator=True)
    parts = run.build_parts(config, len(target.devices))
    for k, lines in enumerate(plan.plan(config, parts, target)):
        tell([""] * bool(k) + lines)
    return DONE
