"""A run, or a comparison, in one file to send."""

from segjax.base import DONE
from segjax.command._parse import Parser


def main(arguments: list[str]) -> int:
    parser = Parser(
        prog="python -m segjax report",
        description="Write report.html of a finished run: scores, curves, pictures and"
        " the commands to repeat it, in one file that needs no network.",
        allow_abbrev=False,
    )
    parser.add_argument("run", metavar="RUN", help="its folder, or a comparison's")
    flags = parser.parse_args(arguments)
    from segjax import parallel, run

    parallel.keep_programs()
    parallel.use_cpu()  # a report never takes an accelerator from a training
    from segjax.report import is_comparison, write_comparison, write_report

    folder = run.local_folder(flags.run)
    write = write_comparison if is_comparison(folder) else write_report
    print(write(folder))
    return DONE
