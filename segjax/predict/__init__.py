"""A run laid over files: classes, probabilities and overlays for each picture."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from segjax import data, run
from segjax.base import Mistake
from segjax.predict._inputs import find_inputs
from segjax.predict._output import Output

__all__ = ["predict_files"]


def predict_files(
    of: run.Run,
    inputs: Sequence[str],
    out: Path,
    *,
    tta: bool = False,
    temperature: float = 1.0,
    reading: Mapping[str, Any] = {},
    overwrite: bool = False,
    say: Callable[[str], None] = print,
    count: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> int:
    """Every picture among the inputs predicted, and how many could not be read.

    out: a folder of its own, which a stopped prediction goes on in. tta: the mean of
    the eight flips and turns, and a map of uncertainty; of joints that of the picture
    and its mirror picture. reading: how pictures are read, where it is not as the run's
    were: channels, white.
    """
    if tta:
        of.check_views("--tta")
    pictures = find_inputs(inputs, out)
    settings = {"run": str(of.folder.resolve()), "step": of.step}
    settings |= {"network": of.fingerprint()}  # a folder may come to hold another run
    settings |= {"tta": tta, "temperature": temperature}
    settings |= {word: reading[word] for word in sorted(reading)}
    output = Output(out, settings, of, overwrite)
    todo = [picture for picture in pictures if not output.has(picture)]
    output.begin()
    if len(todo) < len(pictures):
        say(f"{len(pictures) - len(todo)} of {len(pictures)} are done already")
    slots = "people" if "keypoints" in of.task.needs else "objects"
    how, broken = {**run.options(of.config.data), **reading}, 0
    for done, picture in enumerate(todo, 1):
        try:
            image = data.read_picture(picture.path, **how)
        except Mistake as mistake:
            say(f"left out: {mistake}")
            broken += 1
            continue
        (prediction,) = of.predict([image], tta=tta, temperature=temperature)
        output.write(picture, image, prediction)
        if prediction.get("full"):
            say(
                f"{picture.path} has as many {slots} as there is room for,"
                f" {len(prediction['score'])}, or more; what is beyond is left out."
                f" Train with a larger task.{slots}."
            )
        count("predicted", done, len(todo))
    output.finish()
    written = len(todo) - broken
    say(f"{written} predicted into {out}" + (f", {broken} left out" if broken else ""))
    return broken
