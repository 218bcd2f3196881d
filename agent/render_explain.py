"""A code explained, as lines of text: what holds here, what it means, what to do. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from agent import render_findings
from agent.claude_config.overrides import LocalOverride
from agent.render_absent import at_rest
from agent.text import plain, span, table, when, wrapped
from agent.wire import FindingView, MachineView, Meaning

_NEVER = (
    "what it means is not known here yet: the server was never reached for it; it is told by"
    " the next check"
)


def sets(finding: FindingView, overrides: Iterable[LocalOverride]) -> tuple[LocalOverride, ...]:
    """The overrides of this laptop that a finding is about, by its subject."""
    layer = finding.fix.method if finding.fix else None
    return tuple(
        each
        for each in overrides
        if (finding.subject == f"{each.kind} {each.name}" and layer in {None, each.layer})
        or (finding.subject == f"unnamed {each.layer}" and not each.named)
    )


def explained(
    view: MachineView,
    word: str,
    meanings: Sequence[Meaning],
    overrides: Sequence[LocalOverride],
    *,
    zone: tzinfo | None = None,
    colour: bool = False,
) -> list[str]:
    """One word of a verdict: whether it holds here, and what it means.

    Args:
        view: The server's word on this machine.
        word: A rule code, a standing, a severity or a trust.
        meanings: Of the word; none where the server was never reached for them.
        overrides: What this laptop sets, with the files.
        zone: Of the reader.
        colour: The terminal shows colours.
    """
    lines = _here(view, word, overrides, zone, colour=colour)
    if not lines and not {"severity", "trust"} >= {each.kind for each in meanings}:
        lines = [f"{plain(word)} does not hold here"]
    if not meanings:
        return [*lines, "", *wrapped(_NEVER, "  ")]
    return [*lines, "", *meant(meanings)] if lines else meant(meanings)


def meant(meanings: Sequence[Meaning]) -> list[str]:
    """What a word means, in each of its senses, and what to do."""
    lines: list[str] = []
    for each in meanings:
        lines += [""] if lines else []
        lines += [f"WHAT {plain(each.word)} MEANS ({plain(each.kind)})"]
        lines += wrapped(each.says, "  ")
        lines += wrapped(f"what to do: {each.mend}", "  ")
    return lines


def listed(meanings: Sequence[Meaning]) -> list[str]:
    """All words that can be asked about, by kind."""
    kinds: dict[str, list[str]] = {}
    for each in meanings:
        kinds.setdefault(each.kind, []).append(each.word)
    rows = [(kind, ", ".join(words)) for kind, words in kinds.items()]
    return ["ALL WORDS", *table(("KIND", "WORDS"), rows)]


def overview(
    view: MachineView, meanings: Mapping[str, Sequence[Meaning]], *, zone: tzinfo | None = None
) -> list[str]:
    """The words that hold here, each with a line of what it means.

    Args:
        view: The server's word on this machine.
        meanings: Of every word that holds, by word.
        zone: Of the reader.
    """
    since = f"since {when(view.since, zone)} ({span(view.judged_at - view.since)})"
    stands = f"{plain(view.label)} (group {plain(view.group)}): {view.standing}, {since}"
    lines = [*wrapped(stands, "", hang="  "), *_says(meanings.get(view.standing, ()))]
    if not view.findings:
        return [*lines, "", *(at_rest(view) or ["nothing is found here that needs a word"])]
    rows = [(each.code, each.severity, each.subject) for each in view.findings]
    lines += ["", "FOUND HERE", *table(("CODE", "SEVERITY", "ABOUT"), rows)]
    for code in dict.fromkeys(each.code for each in view.findings):
        if says := _says(meanings.get(code, ()), "    "):
            lines += ["", f"  {plain(code)}", *says]
    return [*lines, "", "more of one: parity-agent explain CODE"]


def _says(meanings: Sequence[Meaning], indent: str = "  ") -> list[str]:
    return wrapped(meanings[0].says, indent) if meanings else []


def _here(
    view: MachineView,
    word: str,
    overrides: Sequence[LocalOverride],
    zone: tzinfo | None,
    *,
    colour: bool,
) -> list[str]:
    lines = []
    for each in view.findings:
        if each.code == word:
            lines += render_findings.finding(each, view.judged_at, zone, colour=colour)
            lines += _files(sets(each, overrides))
    if lines:
        return ["FOUND HERE", *lines]
    if view.standing == word:
        since = f"since {when(view.since, zone)} ({span(view.judged_at - view.since)})"
        return [*wrapped(f"{plain(view.label)} is {word}, {since}", ""), *at_rest(view)]
    return []


def _files(found: Iterable[LocalOverride]) -> list[str]:
    return [
        f"    {plain(each.name)} is set in {plain(each.file)}"
        for each in found
        if each.file is not None
    ]
