"""One step of a run again."""

from segjax.base import DONE, FINDINGS
from segjax.command._parse import Parser


def main(arguments: list[str]) -> int:
    parser = Parser(
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
