"""How well does a network that saw only drawn nevi cut out real ones?

    python benchmarks/real_ph2.py --from PH2Dataset runs/unet

PH2 (https://www.fc.up.pt/addi/ph2%20database.html, for research only) is read as its
owners hand it out: BMPs in folders. Beside the run stands Otsu's threshold on the same
pictures: no learning, the blue channel, inside a centred circle. Scores are taken at
the pictures' own size.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
import segjax
from segjax.base import Mistake
from segjax.ops.bootstrap import score_each, summarise

KINDS = {"0": "typical nevus", "1": "atypical nevus", "2": "melanoma"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="the folder of a trained run")
    parser.add_argument("--from", dest="folder", required=True, help="PH2Dataset")
    parser.add_argument(
        "--part",
        choices=("all", "tune", "held"),
        default="all",
        help="tune, held: two thirds and one third of each kind, by order of name",
    )
    flags = parser.parse_args()
    try:
        run = segjax.load_run(flags.run)
        names = choose(kinds_of(Path(flags.folder)), flags.part)
    except Mistake as mistake:
        print(f"real_ph2: {mistake}", file=sys.stderr)
        return 2
    rows: dict[str, list[np.ndarray]] = {"network": [], "otsu": []}
    for name in names:
        image, truth = read(Path(flags.folder), name)
        found = run.predict([image])[0]["semantic"]
        for method, mask in (("network", found), ("otsu", otsu_mask(image))):
            pair = {"semantic": mask}, {"semantic": truth}
            rows[method].append(np.asarray(run.task.count(*pair)["confusion"]))
    report(run, names, {m: {"confusion": np.stack(r)} for m, r in rows.items()})
    return 0


def kinds_of(folder: Path) -> dict[str, str]:
    """The diagnosis of each picture, from PH2_dataset.txt. {"IMD003": "typical ..."}"""
    table = folder / "PH2_dataset.txt"
    if not table.is_file():
        raise Mistake(f"{folder} holds no PH2_dataset.txt; give the folder PH2Dataset.")
    lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    fields = [[f.strip() for f in line.strip("| ").split("||")] for line in lines]
    return {
        f[0]: KINDS[f[2].split("|")[0].strip()]
        for f in fields
        if len(f) > 2 and f[0].startswith("IMD")
    }


def choose(kinds: dict[str, str], part: str) -> dict[str, str]:
    """All pictures; or of each kind every third (held), or the others (tune)."""
    chosen = {}
    for kind in KINDS.values():
        of_kind = sorted(name for name, k in kinds.items() if k == kind)
        for place, name in enumerate(of_kind):
            if part == "all" or (part == "held") == (place % 3 == 2):
                chosen[name] = kind
    return chosen


def read(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its mask. u8[h,w,3], u8[h,w] 0|1"""
    inside = folder / "PH2 Dataset images" / name
    with Image.open(inside / f"{name}_Dermoscopic_Image" / f"{name}.bmp") as file:
        image = np.asarray(file.convert("RGB"))
    with Image.open(inside / f"{name}_lesion" / f"{name}_lesion.bmp") as file:
        mask = (np.asarray(file.convert("L")) > 0).astype(np.uint8)
    return image, mask


def otsu_mask(image: np.ndarray) -> np.ndarray:
    """What is darker in blue than Otsu's threshold, inside a centred circle a tenth
    larger than the frame is high: of seven circles tried on 100 of the pictures the
    one that served Otsu best. u8[h,w,3] -> u8[h,w]"""
    h, w = image.shape[:2]
    y, x = np.mgrid[:h, :w]
    circle = np.hypot(y - (h - 1) / 2, x - (w - 1) / 2) <= 0.55 * h
    blue = image[..., 2]
    threshold = otsu_threshold(blue[circle])
    return ((blue <= threshold) & circle).astype(np.uint8)


def otsu_threshold(values: np.ndarray) -> int:
    """The level that parts the values into the two tightest groups. u8[n]"""
    share = np.bincount(values, minlength=256) / len(values)
    below, level_sum = np.cumsum(share), np.cumsum(share * np.arange(256))
    apart = (level_sum[-1] * below - level_sum) ** 2
    spread = below * (1 - below)
    between = np.divide(apart, spread, out=np.zeros(256), where=spread > 1e-9)
    return int(between.argmax())


def report(run, names: dict[str, str], rows: dict[str, dict[str, np.ndarray]]) -> None:
    kinds = np.array(list(names.values()))
    print(f"{len(names)} pictures of PH2, at their own size; run of step {run.step}")
    for method, counted in rows.items():
        found = summarise(run.task.score, counted)["dice"]
        each = score_each(run.task.score, counted)["dice"]
        print(
            f"{method:<9}Dice {found['mean']:.4f} (95 % interval {found['low']:.4f} to"
            f" {found['high']:.4f}) a picture, median {np.median(each):.4f},"
            f" {found['pooled']:.4f} pooled"
        )
        for kind in KINDS.values():
            few = each[kinds == kind]
            print(f"    {kind:<15}{few.mean():.4f} over {len(few)}")
        if method == "network":
            worst = np.argsort(each)[:5]
            told = ", ".join(f"{list(names)[i]} {each[i]:.2f}" for i in worst)
            print(f"    worst: {told}")


if __name__ == "__main__":
    sys.exit(main())
