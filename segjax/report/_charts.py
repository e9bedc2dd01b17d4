"""Charts as SVG text: what a page needs, drawn once, without a script."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from segjax.report._page import key

COLORS = ("#1f6feb", "#d1652d", "#1a7f4b", "#8250a8", "#b3261e", "#5c6670")
_WIDTH, _HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 14, 12, 40


class Axis(NamedTuple):
    """A scale from figures to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Four to eight round figures between the ends."""
        span = self.high - self.low
        unit = 10.0 ** np.floor(np.log10(span))
        step = next(s for s in (0.1, 0.2, 0.25, 0.5, 1, 2) if span / (s * unit) <= 7)
        first = np.ceil(self.low / (step * unit) - 1e-9)
        last = np.floor(self.high / (step * unit) + 1e-9)
        return [float(k * step * unit) + 0.0 for k in np.arange(first, last + 1)]


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], x: str, y: str
) -> str:
    """Curves over a common axis. {name: (x, y)}; what is not finite is left out."""
    kept = {}
    for name, (xs, ys) in series.items():
        points = [(a, b) for a, b in zip(xs, ys) if np.isfinite(b)]
        if points:
            kept[name] = points
    if not kept:
        return ""
    every = np.array([point for points in kept.values() for point in points])
    across, up = _axes(every)
    parts = [_frame(across, up, x, y)]
    for k, (name, points) in enumerate(kept.items()):
        color = COLORS[k % len(COLORS)]
        path = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        )
        if len(points) <= 40:
            parts += [
                _dot(across(a), up(b), color, f"{name} {b:.4g}") for a, b in points
            ]
    return _svg(parts, f"{y} over {x}") + _key(kept)


def reliability(bins: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """How often right at each confidence. {name: [pixels, confidence, right] each}"""
    across, up = Axis(0, 1, _LEFT, _WIDTH - _RIGHT), Axis(0, 1, _HEIGHT - _BOTTOM, _TOP)
    ideal = (
        f'<line x1="{across(0)}" y1="{up(0)}" x2="{across(1)}" y2="{up(1)}"'
        ' class="faint" stroke-dasharray="4 4"/>'
    )
    parts = [_frame(across, up, "confidence", "share that is right"), ideal]
    for k, (name, found) in enumerate(bins.items()):
        color, filled = COLORS[k % len(COLORS)], [b for b in found if b[0] > 0]
        points = [(c / n, r / n, n) for n, c, r in filled]
        path = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b, _ in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        )
        parts += [
            _dot(across(a), up(b), color, f"{name}: {b:.3f} of {n:,.0f} pixels")
            for a, b, n in points
        ]
    return _svg(parts, "Reliability") + _key(bins)


def dots(values: Mapping[str, Sequence[float]], name: str) -> str:
    """Each picture's score, a row for each kind. {kind: values}"""
    rows = {
        kind: [v for v in found if np.isfinite(v)] for kind, found in values.items()
    }
    rows = {kind: found for kind, found in rows.items() if found}
    if not rows:
        return ""
    every = np.array([v for found in rows.values() for v in found])
    margin = max(np.ptp(every) * 0.04, 1e-3)
    left = _room(f"{kind} ({len(found)})" for kind, found in rows.items())
    across = Axis(every.min() - margin, every.max() + margin, left, _WIDTH - _RIGHT)
    height = 34 * len(rows) + _BOTTOM
    parts = [_ticks_below(across, height - _BOTTOM, name)]
    for k, (kind, found) in enumerate(rows.items()):
        y = 17 + 34 * k
        parts.append(
            f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{escape(kind)}'
            f" ({len(found)})</text>"
        )
        # neighbours a little apart, the same each time
        parts += [
            _dot(across(v), y + (i * 7 % 15) - 7, COLORS[0], f"{v:.4f}", 3)
            for i, v in enumerate(found)
        ]
        mean = across(float(np.mean(found)))
        parts.append(
            f'<line x1="{mean:.1f}" y1="{y - 13}" x2="{mean:.1f}" y2="{y + 13}"'
            f' stroke="{COLORS[1]}" stroke-width="2"/>'
        )
    return _svg(parts, f"{name} of each picture", height)


def spans(
    rows: Sequence[tuple[str, float, float, float]],
    name: str,
    of: Sequence[str],
    at: float | None = None,
) -> str:
    """Means with their intervals under each other. (label, mean, low, high)

    of: all labels that any chart of the page has, whose place tells the colour; at: a
    value that is marked.
    """
    every = np.array(
        [value for row in rows for value in row[1:]] + ([at] if at is not None else [])
    )
    margin = max(np.ptp(every) * 0.06, 1e-3)
    left = _room(label for label, *_ in rows)
    across = Axis(every.min() - margin, every.max() + margin, left, _WIDTH - _RIGHT)
    height = 28 * len(rows) + _BOTTOM
    parts = [_ticks_below(across, height - _BOTTOM, name)]
    if at is not None:
        parts.append(
            f'<line x1="{across(at):.1f}" y1="0" x2="{across(at):.1f}"'
            f' y2="{height - _BOTTOM}" class="faint" stroke-dasharray="4 4"/>'
        )
    for k, (label, mean, low, high) in enumerate(rows):
        y, color = 14 + 28 * k, COLORS[of.index(label) % len(COLORS)]
        parts.append(
            f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
            f'<line x1="{across(low):.1f}" y1="{y}" x2="{across(high):.1f}" y2="{y}"'
            f' stroke="{color}" stroke-width="3"/>'
        )
        parts.append(
            _dot(across(mean), y, color, f"{mean:.4f} ({low:.4f} to {high:.4f})", 5)
        )
    return _svg(parts, name, height)


def _room(labels: Iterable[str]) -> float:
    """Pixels that the longest label takes."""
    return min(20 + 6.6 * max(map(len, labels)), _WIDTH / 2)


def _axes(points: np.ndarray) -> tuple[Axis, Axis]:
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    x1 = x1 if x1 > x0 else x0 + 1
    margin = max((y1 - y0) * 0.05, 1e-6)
    return (
        Axis(x0, x1, _LEFT, _WIDTH - _RIGHT),
        Axis(y0 - margin, y1 + margin, _HEIGHT - _BOTTOM, _TOP),
    )


def _frame(across: Axis, up: Axis, x: str, y: str) -> str:
    parts = [_ticks_below(across, _HEIGHT - _BOTTOM, x)]
    for tick in up.ticks():
        at = up(tick)
        parts.append(
            f'<line x1="{_LEFT}" y1="{at:.1f}" x2="{_WIDTH - _RIGHT}" y2="{at:.1f}"'
            f' class="grid"/><text x="{_LEFT - 6}" y="{at + 4:.1f}"'
            f' text-anchor="end">{tick:.4g}</text>'
        )
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(
        f'<text x="12" y="{middle}" text-anchor="middle"'
        f' transform="rotate(-90 12 {middle})">{escape(y)}</text>'
    )
    return "".join(parts)


def _ticks_below(across: Axis, y: float, name: str) -> str:
    parts = [
        f'<line x1="{across.start}" y1="{y}" x2="{across.end}" y2="{y}" class="axis"/>'
    ]
    for tick in across.ticks():
        parts.append(
            f'<text x="{across(tick):.1f}" y="{y + 16}" text-anchor="middle">'
            f"{tick:.4g}</text>"
        )
    middle = (across.start + across.end) / 2
    parts.append(
        f'<text x="{middle}" y="{y + 34}" text-anchor="middle">{escape(name)}</text>'
    )
    return "".join(parts)


def _dot(x: float, y: float, color: str, title: str, radius: float = 3.5) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{color}"'
        f' fill-opacity="0.8"><title>{escape(title)}</title></circle>'
    )


def _svg(parts: Sequence[str], title: str, height: int = _HEIGHT) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _key(names) -> str:
    colors = [COLORS[k % len(COLORS)] for k in range(len(names))]
    return key(dict(zip(names, colors))) if len(names) > 1 else ""
