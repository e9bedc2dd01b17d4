"""The real training step compiled for TPUs, on a machine without one: does it fit?

    python benchmarks/compile_tpu.py

`python -m segjax plan CONFIG --for v5e:2x2` says it of one config; this compares nets
and topologies, and reads in the program where time and memory go.

Run by any Python 3.11 or newer. libtpu lives in an environment of its own (ENVIRONMENT
below, 1.5 GB), made at the first call; --tpu-python PATH takes one that is there
already. Nothing is run and no weight is made: the step is compiled from shapes alone.

Memory, FLOPs and bytes are XLA's, of one chip and one step. `roofline` is the shortest
time at the vendor's 197 TFLOP/s and 819 GB/s; `estimate` adds up the cycles that the
compiler notes beside its instructions (it leaves out what chips send each other).
"""

import argparse
import json
import re
import subprocess
import sys
import time
import tomllib
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = Path.home() / ".cache" / "segjax" / "tpu-env"
NETS = ("unet", "segnet")
TOPOLOGIES = ("v5e:2x2", "v5e:4x4")
PICTURES = 600  # in the store

MEMORY = 16e9  # of one v5e chip, as its vendor states it
CLOCK = 197e12 / (4 * 128 * 128 * 2)  # four 128x128 matrix units, 2 FLOPs a cell

Record = dict[str, Any]


class Stop(Exception):
    """Why nothing can be compiled, in one sentence."""


def main() -> int:
    flags = parse()
    try:
        check(flags)
        if not flags.inside:
            return compile_elsewhere(flags.tpu_python or make_environment())
        records = compile_all(flags)
    except Stop as reason:
        print(reason, file=sys.stderr)
        return 2
    if flags.out:
        flags.out.write_text(json.dumps(records, indent=1) + "\n")
    return 0 if all("failure" not in record for record in records) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    add = parser.add_argument
    add(
        "--tpu-python", metavar="PATH", help="a Python with jax[tpu] and segjax's needs"
    )
    add("--nets", nargs="+", choices=NETS, default=NETS)
    add("--topologies", nargs="+", choices=TOPOLOGIES, default=TOPOLOGIES)
    add("--batch", type=int, default=64, help="pictures a step over all chips")
    add("--out", type=Path, metavar="FILE.json", help="the figures, for a program")
    add("--inside", action="store_true", help=argparse.SUPPRESS)  # in that environment
    return parser.parse_args()


def check(flags: argparse.Namespace) -> None:
    """A Stop for what would come to light only after minutes of compiling."""
    for topology in flags.topologies:
        chips = prod(numbers(topology.removeprefix("v5e:"), "x"))
        if flags.batch < 1 or flags.batch % chips:
            raise Stop(
                f"--batch is {flags.batch}; {topology} needs a multiple of {chips}."
            )
    if flags.out and not flags.out.parent.is_dir():
        raise Stop(f"--out is {flags.out}; there is no folder {flags.out.parent}.")


def make_environment() -> str:
    """The Python of our own environment, which is made unless it is there."""
    python = str(ENVIRONMENT / "bin" / "python")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = project["dependencies"] + project["optional-dependencies"]["tpu"]
    complete, content = ENVIRONMENT / "complete", "\n".join(needs)
    if not complete.exists() or complete.read_text() != content:  # or of older needs
        print(f"Making {ENVIRONMENT} with jax[tpu] (1.5 GB) ...", flush=True)
        make = [sys.executable, "-m", "venv", str(ENVIRONMENT)]
        attempt(
            make, f"{ENVIRONMENT} cannot be made (Debian: apt install python3-venv)."
        )
        install = [python, "-m", "pip", "install", "--quiet", *needs]
        attempt(install, "jax[tpu] cannot be installed; is there a network?")
        complete.write_text(content)
    return python


def attempt(command: list[str], failure: str) -> None:
    """The command run, or a Stop with the last thing it complained of."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        complaint = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Stop(f"{failure} {''.join(complaint)}")


def compile_elsewhere(python: str) -> int:
    """This file again, in the environment that has libtpu. Gives its exit code."""
    command = [python, __file__, *sys.argv[1:], "--inside"]
    try:
        return subprocess.run(command).returncode
    except OSError as error:
        raise Stop(f"{python} cannot be run: {error.strerror}.") from None


def compile_all(flags: argparse.Namespace) -> list[Record]:
    """Every net for every topology, a line each as it comes."""
    sys.path.insert(0, str(ROOT))
    try:
        import jax
        import libtpu

        import segjax.run  # noqa: F401
    except ModuleNotFoundError as error:
        raise Stop(f"{sys.executable} lacks {error.name}; see --tpu-python.") from None
    jax.config.update("jax_platforms", "cpu")
    print(f"jax {jax.__version__}, libtpu {libtpu.__version__}; a chip and step:\n")
    print("  ".join(COLUMNS), flush=True)
    records = []
    for net in flags.nets:
        for topology in flags.topologies:
            records.append(compile_net(net, topology, flags.batch))
            print(line(records[-1]), flush=True)
    print()
    for record in records:
        if "failure" in record:
            print(f"{record['net']}, {record['topology']}: {record['failure']}")
        else:
            print(remarks(record))
    return records


def compile_net(net: str, topology: str, batch: int) -> Record:
    """The project's own training step by the net's `paper` preset: its figures, or why
    it does not compile."""
    from segjax import models, parallel, plan, run
    from segjax.base import Mistake

    started = time.monotonic()
    try:
        target = parallel.find_target(topology)
        chips = len(target.devices)
        config = run.load_config(f"{net}:paper", [("batch", str(batch))])
        parts = run.build_parts(config, chips)
    except Mistake as mistake:
        raise Stop(str(mistake)) from None
    pictures = plan.Pictures(train=PICTURES, resident=True)
    shapes = plan.step_shapes(config, parts, pictures, chips, batch)
    record = {"net": net, "topology": topology, "chips": chips, "batch": batch}
    made = plan.compile_step(parts, target, shapes)
    if made is None:
        return record | {"failure": "its step takes more memory than a chip has."}
    seconds = time.monotonic() - started
    parameters = sum(models.count_parameters(parts.model).values())
    record |= {"parameters": parameters, "compile_seconds": round(seconds, 1)}
    costs = plan.costs_of(shapes, pictures, *made)
    peaks, _ = parallel.peaks_of(target, config.model.dtype)
    return record | analyse(made[1], costs, peaks)


def analyse(compiled, costs, peaks) -> Record:
    """What a chip holds, computes and moves in a step."""
    memory, text = compiled.memory_analysis(), compiled.as_text()
    instructions = text[text.index("\nENTRY") :].splitlines()
    compute, moving = costs.flops / peaks.flops, costs.bytes / peaks.bytes
    cycles = estimated_cycles(instructions)
    return {
        "arguments_bytes": memory.argument_size_in_bytes,
        "temporaries_bytes": memory.temp_size_in_bytes,
        "outputs_bytes": memory.output_size_in_bytes,
        "outputs_in_place_bytes": memory.alias_size_in_bytes,
        "code_bytes": memory.generated_code_size_in_bytes,
        "total_bytes": costs.total,
        "flops": costs.flops,
        "bytes_accessed": costs.bytes,
        "compute_seconds": compute,
        "memory_seconds": moving,
        "bound": "memory" if moving > compute else "compute",
        "roofline_seconds": max(compute, moving),
        "estimate_seconds": cycles.total() / CLOCK,
        "costliest_seconds": {k: n / CLOCK for k, n in cycles.most_common(8)},
        "most_padded": most_padded(instructions),
    }


def estimated_cycles(instructions: list[str]) -> Counter[str]:
    """The compiler's cycles, summed by what the instruction stems from: 'stack, back'
    is the gradient of jnp.stack."""
    cycles: Counter[str] = Counter()
    for text in instructions:
        if noted := re.search(r'"estimated_cycles":"(\d+)"', text):
            path = re.search(r'op_name="([^"]*)"', text)
            name = path[1] if path else "unnamed"
            back = ", back" if "transpose(" in name else ""
            cycles[name.rpartition("/")[2] + back] += int(noted[1])
    return cycles


_BUFFER = re.compile(  # %name = bf16[16,256,256,64]{3,0,2,1:T(8,128)(2,1)} operation(
    r"= [a-z]+(\d+)\[([\d,]+)\]\{([\d,]+):T\(([\d,]+)\)([^}]*)\} ([\w\-]+)\("
)


def most_padded(instructions: list[str]) -> Record:
    """The buffer that loses most to padding: a TPU keeps arrays in whole tiles, and
    128 numbers lie side by side even where an array has 64 channels."""
    found = [match for match in map(_BUFFER.search, instructions) if match]
    in_memory = [match for match in found if "S(" not in match[5]]  # S(1): on the core
    return max(map(padding, in_memory), key=lambda buffer: buffer["bytes_lost"])


def padding(buffer: re.Match[str]) -> Record:
    bits, dims, order, tile = int(buffer[1]), *map(numbers, buffer.group(2, 3, 4))
    sizes = [dims[axis] for axis in reversed(order)]  # the axis side by side is last
    whole = list(sizes)
    for k in range(-1, -1 - min(len(tile), len(sizes)), -1):
        whole[k] = -(-sizes[k] // tile[k]) * tile[k]
    lost = (prod(whole) - prod(sizes)) * bits // 8
    shape = buffer[0].split(":")[0].removeprefix("= ") + "}"
    return {"shape": shape, "bytes": prod(whole) * bits // 8, "bytes_lost": lost}


def numbers(text: str, between: str = ",") -> list[int]:
    return [int(number) for number in text.split(between)]


def gigabytes(name: str):
    return lambda record: f"{record[name] / 1e9:.2f} GB"


def milliseconds(name: str):
    return lambda record: f"{record[name] * 1e3:.1f} ms"


COLUMNS = {
    "   net": lambda record: record["net"],
    "topology": lambda record: record["topology"],
    "a chip": lambda record: str(record["batch"] // record["chips"]),
    "arguments": gigabytes("arguments_bytes"),
    "temporaries": gigabytes("temporaries_bytes"),
    "outputs": gigabytes("outputs_bytes"),
    "in all ": gigabytes("total_bytes"),
    "TFLOP": lambda record: f"{record['flops'] / 1e12:.2f}",
    "accessed": gigabytes("bytes_accessed"),
    "bound by": lambda record: record["bound"],
    "roofline": milliseconds("roofline_seconds"),
    "estimate": milliseconds("estimate_seconds"),
    "compiled": lambda record: f"{record['compile_seconds']:.0f} s",
}


def line(record: Record) -> str:
    if "failure" in record:
        return f"{record['net']:<6}  {record['topology']}  does not compile"
    return "  ".join(f"{show(record):>{len(name)}}" for name, show in COLUMNS.items())


def remarks(record: Record) -> str:
    """What a table has no room for: parameters, and where time and memory go."""
    costliest = (
        f"{n} {s * 1e3:.1f} ms" for n, s in record["costliest_seconds"].items()
    )
    most = record["batch"] / record["roofline_seconds"]
    likely = record["batch"] / record["estimate_seconds"]
    padded = record["most_padded"]
    return (
        f"{record['net']}, {record['topology']}: {record['parameters']:,} parameters;"
        f" {record['total_bytes'] / MEMORY:.0%} of a chip's 16 GB;"
        f" {most:,.0f} pictures a second at most, {likely:,.0f} by the estimate\n"
        f"  estimate by operation: {'; '.join(costliest)}\n"
        f"  most padded: {padded['shape']}, {padded['bytes'] / 1e6:.0f} MB of which"
        f" {padded['bytes_lost'] / 1e6:.0f} MB hold nothing\n"
    )


if __name__ == "__main__":
    sys.exit(main())
