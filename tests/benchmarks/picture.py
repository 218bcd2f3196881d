"""The curves of growth as an SVG: three panels of machines against what they cost. Pure.

Colour tells the database, the kind of line how profiles are shared. Both axes are logarithmic:
what does not grow with the fleet is flat, what grows as the fleet does is a straight slope. It
brings its own ground, so that it can be read on a light page and on a dark one.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tests.benchmarks.kept import Result

WIDTH, HEIGHT = 940, 312
_PANEL, _TALL, _LEFT, _TOP, _STEP = 230, 200, 62, 56, 304

_STYLE = """
  .ground { fill: #ffffff } text { fill: #24292f; font: 12px system-ui, sans-serif }
  .name { font-weight: 600; font-size: 13px } .axis { stroke: #8c959f } .grid { stroke: #d8dee4 }
  .sqlite { stroke: #0969da; fill: #0969da } .postgresql { stroke: #bc4c00; fill: #bc4c00 }
  .line { stroke-width: 2 } polyline.line { fill: none } .tenth { stroke-dasharray: 7 4 }
  .all { stroke-dasharray: 2 4; stroke-linecap: round }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d }
    .sqlite { stroke: #58a6ff; fill: #58a6ff } .postgresql { stroke: #f0883e; fill: #f0883e }
  }
"""

_LEGEND = (
    ("sqlite", "1000", "SQLite"),
    ("postgresql", "1000", "PostgreSQL"),
    ("axis", "1000", "1,000 profiles"),
    ("axis", "tenth", "10 % distinct"),
    ("axis", "all", "all distinct"),
)


@dataclass(frozen=True)
class Panel:
    """One of the diagrams.

    Attributes:
        name: Above it.
        value: What it shows of a result; above 0.
    """

    name: str
    value: Callable[[Result], float]


PANELS = (
    Panel("status, 99th percentile, ms", lambda each: each.status_idle.p99_ms),
    Panel("a release until all is right, s", lambda each: each.release.seconds),
    Panel("durable check-ins per second", lambda each: each.check_ins_per_s),
)


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis of whole decades.

    Attributes:
        low: The exponent of ten where it begins.
        high: Where it ends.
    """

    low: int
    high: int

    def part(self, value: float) -> float:
        """How far along the axis a value is, from 0 to 1."""
        return (math.log10(value) - self.low) / (self.high - self.low)

    @property
    def decades(self) -> range:
        """The exponents that are marked."""
        return range(self.low, self.high + 1)


def scale(values: Sequence[float]) -> Scale:
    """The axis that holds all values, each above 0."""
    low = math.floor(math.log10(min(values)))
    return Scale(low, max(low + 1, math.ceil(math.log10(max(values)))))


def svg(found: Sequence[Result]) -> str:
    """The picture of some results.

    Args:
        found: At least one, in the order of `tests.benchmarks.kept.read`.
    """
    across = scale([each.cell.machines for each in found])
    body = [_legend()]
    for number, panel in enumerate(PANELS):
        body.append(f'<g transform="translate({_LEFT + number * _STEP} {_TOP})">')
        body += [*_panel(panel, found, across), "</g>"]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    label = 'role="img" aria-label="What a fleet costs as it grows"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {label}>',
            f"<style>{_STYLE}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
            *body,
            "</svg>\n",
        )
    )


def _panel(panel: Panel, found: Sequence[Result], across: Scale) -> Iterator[str]:
    up = scale([panel.value(each) for each in found])
    yield f'<text class="name" x="0" y="-12">{panel.name}</text>'
    for exponent in up.decades:
        y = _TALL * (1 - up.part(10.0**exponent))
        yield f'<line class="grid" x1="0" x2="{_PANEL}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{_number(exponent)}</text>'
    for exponent in across.decades:
        x = _PANEL * across.part(10.0**exponent)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_TALL}" y2="{_TALL + 5}"/>'
        yield f'<text x="{x:.1f}" y="{_TALL + 20}" text-anchor="middle">{_number(exponent)}</text>'
    yield f'<text x="{_PANEL / 2:.0f}" y="{_TALL + 40}" text-anchor="middle">machines</text>'
    for (database, mix), results in groupby(
        found, lambda each: (each.cell.database, each.cell.mix)
    ):
        points = [
            (_PANEL * across.part(each.cell.machines), _TALL * (1 - up.part(panel.value(each))))
            for each in results
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline class="line {database} {_class(mix)}" points="{line}"/>'
        yield from (
            f'<circle class="{database}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points
        )


def _legend() -> str:
    drawn, x = [], _LEFT
    for colour, mix, said in _LEGEND:
        drawn.append(
            f'<line class="line {colour} {_class(mix)}" x1="{x}" x2="{x + 30}" y1="18" y2="18"/>'
        )
        drawn.append(f'<text x="{x + 38}" y="22">{said}</text>')
        x += 62 + 7 * len(said)
    return "\n".join(drawn)


def _class(mix: str) -> str:
    return {"1000": "few"}.get(mix, mix)


def _number(exponent: int) -> str:
    return f"{10**exponent:,}" if exponent >= 0 else f"{10.0**exponent:g}"
