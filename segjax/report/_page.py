"""A page that needs nothing but itself."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from segjax import run

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5c6670;
  --line: #d9dde1; --paper: #fff; --code: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #9aa4ae;
  --line: #3a4047; --paper: #16191c; --code: #22272c; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.lead { font-size: 1.15rem; }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.warn { border-left: 4px solid #d1652d; padding: .3rem .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; min-width: min(100%, 40rem); }
td, th { text-align: right; padding: .25rem .6rem; white-space: nowrap;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
td:first-child, th:first-child { text-align: left; padding-left: 0; }
th { font-weight: 600; color: var(--soft); }
.two { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
figure { margin: 0 0 1rem; }
.strip { display: grid; gap: 3px;
  grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.strip img { width: 100%; height: auto; display: block; }
svg { width: 100%; max-width: 36rem; height: auto; display: block; }
svg text { font-size: 12px; fill: var(--soft); }
.grid { stroke: var(--line); }
.axis, .faint { stroke: var(--soft); }
.key span { margin-right: 1rem; white-space: nowrap; font-size: .9rem; }
.key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem; }
pre { background: var(--code); padding: .7rem; font-size: .85rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 40rem) { td, th { padding: .2rem .35rem; font-size: .82rem; }
  .strip { grid-template-columns: 1fr 1fr; } }
@media print { body { max-width: none; font-size: 11pt; }
  figure, tr, svg, .wide { break-inside: avoid; } h2 { break-after: avoid; }
  .wide { overflow: visible; } td, th { padding: .2rem .35rem; font-size: .82rem; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole file."""
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def write_page(folder: Path, text: str) -> Path:
    """report.html, whole or not at all; its place."""
    path = folder / "report.html"
    with run.whole(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if text else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(word)}</th>" for word in head)
    lines = (
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>'
        f"{''.join(lines)}</tbody></table></div>"
    )


def key(colors: Mapping[str, str]) -> str:
    """What each colour stands for."""
    marks = (
        f'<span><i style="background:{color}"></i>{escape(name)}</span> '
        for name, color in colors.items()
    )
    return f'<p class="key">{"".join(marks)}</p>'


def code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def beside(*parts: str) -> str:
    """Next to each other where there is room."""
    kept = "".join(f"<div>{part}</div>" for part in parts if part)
    return f'<div class="two">{kept}</div>' if kept else ""


def strip(panels: Sequence[np.ndarray], caption: str, widest: int = 480) -> str:
    """Pictures side by side, two and two on a narrow screen. [u8[h,w,3], ...]"""
    shown = "".join(_embedded(panel, widest) for panel in panels)
    return (
        f'<figure><div class="strip">{shown}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _embedded(pixels: np.ndarray, widest: int) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((widest, widest))
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=85)
    data = base64.b64encode(out.getvalue()).decode()
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img src="data:image/jpeg;base64,{data}" alt="" {size}>'
