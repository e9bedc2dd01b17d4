"""The figures of speed.py as a picture."""

import statistics

COLORS = ("#1b6ca8", "#e08e2b", "#999999", "#cccccc")


def plot(records: list[dict]) -> str:
    """A bar for each side of each case, as long as its median time a pixel is against
    the longest of the case; alone, against the longest of all. A line has the range."""
    bars = []  # label, and the least, middle and most seconds a pixel
    for record in records:
        case = record["case"]
        for side, runs in record["runs"].items():
            times = [run["median"] / case["batch"] / case["size"] ** 2 for run in runs]
            what = "{name} {mode} {size} x {batch}".format(**case)
            label = f"{what}: {side}"
            bars.append((label, min(times), statistics.median(times), max(times)))
    sides = len(records[0]["runs"])
    drawn = []
    for i, (label, least, middle, most) in enumerate(bars):
        first = i // sides * sides
        of = bars[first : first + sides] if sides > 1 else bars
        scale = 400 / max(bar[3] for bar in of)
        y = 18 * i + 10 * (i // sides) + 10
        color = COLORS[i % sides] if sides > 1 else COLORS[0]
        drawn += [
            f'<text x="240" y="{y + 11}" text-anchor="end">{label}</text>',
            f'<rect x="250" y="{y}" width="{middle * scale:.1f}" height="14"'
            f' fill="{color}"/>',
            f'<path d="M{250 + least * scale:.1f} {y + 7}H{250 + most * scale:.1f}"'
            ' stroke="black"/>',
            f'<text x="{256 + most * scale:.1f}" y="{y + 11}">'
            f"{1e9 * middle:,.0f} ns a pixel</text>",
        ]
    height = 18 * len(bars) + 10 * len(records) + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}"'
        ' font-family="sans-serif" font-size="11">'
        f'<rect width="760" height="{height}" fill="white"/>{"".join(drawn)}</svg>\n'
    )
