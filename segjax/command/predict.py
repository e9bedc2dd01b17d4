"""A run laid over files."""

from pathlib import Path

from segjax.base import DONE, FINDINGS
from segjax.command._parse import Parser, parse

_STOPPED = "Stopped; what is written stays, and the same command goes on."


def main(arguments: list[str]) -> int:
    flags, overrides = parse(_parser(), arguments)
    from segjax import parallel, predict, run
    from segjax.log import Progress

    parallel.keep_programs()
    if flags.cpu:
        parallel.use_cpu()
    progress = Progress(1)
    with run.stop_requests(may_end=True) as stop, stop.at_once(_STOPPED):
        of = run.load_run(flags.run, step=flags.step)
        broken = predict.predict_files(
            of,
            flags.inputs,
            Path(flags.out),
            tta=flags.tta,
            temperature=run.fitted_temperature(of) if flags.calibrated else 1.0,
            overwrite=flags.overwrite,
            reading=run.reading_options(overrides),
            say=progress.say,
            count=progress.count,
        )
    return FINDINGS if broken else DONE


def _parser() -> Parser:
    parser = Parser(
        prog="python -m segjax predict",
        description="Write, for each picture, its classes as a PNG with a palette, the"
        " probability of each class, an overlay, and their areas as JSON.",
        epilog="How pictures are read can be set as in training, for example"
        ' --config.data.channels="(0,1,2)" or --config.data.white=4095.',
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="the folder of the run")
    add("inputs", metavar="INPUT", nargs="+", help="files, folders, patterns")
    add("--out", metavar="DIR", required=True, help="a folder of its own")
    add("--step", type=int, help="of a checkpoint (default: the best)")
    add("--tta", action="store_true", help="the mean of several views, uncertainty")
    add("--calibrated", action="store_true", help="by the temperature of `evaluate`")
    add("--overwrite", action="store_true", help="do all anew")
    add("--cpu", action="store_true", help="use the CPU")
    return parser
