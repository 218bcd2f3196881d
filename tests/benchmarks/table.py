"""The results of all cells as one table in Markdown, and the ratios that matter. Pure."""

from collections.abc import Iterator, Sequence

from tests.benchmarks.kept import Result

SMALL = 10_000
"""The size that the status of others is compared with."""

_MIB = 1 << 20

_HEAD = (
    "database",
    "machines",
    "profiles",
    "status p50 / p99 ms",
    "beside check-ins",
    "release to right",
    "check-ins' p99 meanwhile",
    "rows of machines written",
    "check-ins per s",
    "bytes per machine",
    "server MiB",
)


def markdown(found: Sequence[Result]) -> str:
    """The table, with a line per cell, and the ratios below it, where there are any."""
    rows = (_HEAD, ("---",) * len(_HEAD), *map(_row, found))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    compared = list(ratios(found))
    return "\n".join((*lines, *([""] if compared else []), *compared))


def page(found: Sequence[Result]) -> str:
    """The same as a page of its own, with where it was measured; of one cell at least."""
    measured_on = sorted({_machine(each) for each in found})
    return "\n".join(
        (
            "# What a fleet costs as it grows",
            "",
            "Measured by `python -m tests.benchmarks.sizes`; each cell's command is in its file.",
            f"Machine: {'; '.join(measured_on)}.",
            "",
            markdown(found),
            "",
        )
    )


def _machine(result: Result) -> str:
    told = result.measured_on
    return f"{told['system']}, {told['cores']} cores, Python {told['python']}"


def ratios(found: Sequence[Result]) -> Iterator[str]:
    """What the status of the most machines takes, by that of `SMALL`; one line per mix."""
    small = {_kind(each): each for each in found if each.cell.machines == SMALL}
    large = {_kind(each): each for each in found if each.cell.machines > SMALL}
    for kind, most in large.items():
        if kind in small:
            ratio = most.status_idle.p50_ms / small[kind].status_idle.p50_ms
            told = f"{most.cell.machines:,} machines against {SMALL:,}: {ratio:.2f}"
            yield f"* status, {kind[0]}, {kind[1]}: {told}"


def _kind(result: Result) -> tuple[str, str]:
    return result.cell.database, _MIXES[result.cell.mix]


_MIXES = {"1000": "1,000 profiles", "tenth": "10 % distinct", "all": "all distinct"}


def _row(result: Result) -> tuple[str, ...]:
    cell, release = result.cell, result.release
    idle, busy = result.status_idle, result.status_busy
    return (
        cell.database,
        f"{cell.machines:,}",
        f"{cell.profiles:,}",
        f"{idle.p50_ms:.1f} / {idle.p99_ms:.1f}",
        f"{busy.p50_ms:.1f} / {busy.p99_ms:.1f}",
        f"{release.seconds:.2f} s",
        f"{release.meanwhile.p99_ms:.0f} ms (before {release.before.p99_ms:.0f})",
        str(release.machine_rows),
        f"{result.check_ins_per_s:,}",
        f"{result.database_bytes / cell.machines:,.0f}",
        f"{result.resident_bytes / _MIB:.0f}, at most {result.most_resident_bytes / _MIB:.0f}",
    )
