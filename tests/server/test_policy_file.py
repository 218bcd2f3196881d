"""A policy file is read whole or refused whole, and every mistake is told with its place."""

import contextlib
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import policy_file
from server.policy import GroupPolicy, Lane, Policies
from server.policy_file import COMPLAINTS_MAX, FILE_MAX_BYTES, GROUPS_MAX, PolicyError, read
from server.policy_text import text_of
from server.policy_values import NAMES, TOLERANCES

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "install" / "server" / "policy.toml").read_text(encoding="utf-8")


def refused(text: str | bytes) -> list[str]:
    """The mistakes of a file, as `LINE: KEY: message`."""
    with pytest.raises(PolicyError) as caught:
        read(text.encode() if isinstance(text, str) else text, "p.toml")
    return [str(each) for each in caught.value.complaints]


def given_policies(text: str) -> Policies:
    """What a file states."""
    return read(text.encode(), "p.toml")


def test_the_example_states_the_defaults_and_names_every_key() -> None:
    """The operators' reference is what holds without any file."""
    assert given_policies(EXAMPLE) == Policies()
    for key in (*NAMES, *TOLERANCES):
        assert re.search(rf"\b{key} = ", EXAMPLE), key


def test_what_the_example_only_shows_can_be_used_as_it_stands() -> None:
    """Its commented lines, without their signs, are a policy."""
    bare = re.sub(r"^# ?(?=\[|[a-z_.]+ = |$)", "", EXAMPLE, flags=re.MULTILINE)
    bare = bare.replace("allowed_overrides = []\n", "")
    found = given_policies(bare)
    assert found.default.target_share == 0.9
    assert found.of("pilots").lane == "ahead"
    assert found.of("on stable").desktop_tolerance_s == 30 * 86_400


def test_a_group_has_the_defaults_value_for_what_it_does_not_name() -> None:
    """Key by key, also inside the table of tolerances; a list is replaced."""
    found = given_policies(
        '[default]\ngrace = "3d"\ntolerance = { editor = "1h", sdk = "2h" }\n'
        'allowed_overrides = ["a"]\n'
        '[groups.pilots]\nchannel = "next"\ntolerance.sdk = 0\nallowed_overrides = ["b*"]\n'
        '[groups."on stable"]\ntarget_share = "95%"\nsurfaces = ["sdk", "terminal"]\n'
        "[groups.plain]\n"
    )
    pilots, stable = found.of("pilots"), found.of("on stable")
    assert (pilots.channel, pilots.grace_s) == ("next", 3 * 86_400)
    assert (pilots.editor_tolerance_s, pilots.sdk_tolerance_s) == (3_600, 0)
    assert pilots.allowed_overrides == ("b*",)
    assert stable.target_share == 0.95
    assert stable.surfaces == frozenset({"sdk", "terminal"})
    assert found.of("plain") == found.default == found.of("unheard of")


def test_all_mistakes_are_told_at_once_each_where_it_stands() -> None:
    """An operator corrects a file once, not once for every mistake."""
    text = """\
[default]
chanel = "stable"
grace = 24
silent_after = "1m"
surfaces = [
  "terminal",
  "edtor",
]
tolerance = { desktop = "14d", termnal = 0 }

[groups.pilots]
lane = "fast"
target_share = "190%"
trust_learned = 1
[groups."a/b"]
channel = ""
[groups.default]
[groups]
lonely = 3
[defaults]
"""
    text = text.replace("[groups]\n", "").replace("lonely = 3", "[groups.x]\ngrace = {}")
    assert refused(text) == [
        "2: default.chanel: is not known here; did you mean channel?",
        '3: default.grace: must be a length of time with its unit, like "90m", "24h" or "3d"',
        "4: default.silent_after: must be from 1h to 365d",
        "7: default.surfaces[2]: is no surface; did you mean editor?",
        "9: default.tolerance.termnal: is not known here; known are: editor, desktop, sdk",
        '12: groups.pilots.lane: must be one of "public", "ahead"',
        '13: groups.pilots.target_share: must be a share from 0 to 1, like 0.9 or "90%"',
        "14: groups.pilots.trust_learned: must be true or false",
        (
            '15: groups."a/b": cannot name a group; take letters, digits, spaces and any of'
            " ._@:+- up to 64 characters, a letter or digit first"
        ),
        (
            '16: groups."a/b".channel: must be the name of a public pointer, like "latest" or'
            ' "stable", or "machine"'
        ),
        "17: groups.default: is written [default]",
        ('19: groups.x.grace: must be a length of time with its unit, like "90m", "24h" or "3d"'),
        "20: defaults: is not known here; did you mean default?",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("grace = -1", "length of time"),
        ("grace = true", "length of time"),
        ('grace = "24"', "length of time"),
        ('grace = "1.5h"', "length of time"),
        ('grace = "366d"', "from 0 to 365d"),
        ('head_max_age = "1m"', "from 15m to 30d"),
        ('enrolled_grace = "91d"', "from 0 to 90d"),
        ('channel = "two words"', "public pointer"),
        ("channel = 2", "public pointer"),
        ("surfaces = []", "a list of some of"),
        ('surfaces = "sdk"', "a list of some of"),
        ("surfaces = [1]", "it must be text"),
        ('surfaces = ["sdk", "sdk", "sdk", "sdk", "sdk"]', "more than the 4"),
        ("target_share = 1.01", "from 0 to 1"),
        ("target_share = nan", "from 0 to 1"),
        ("target_share = true", "from 0 to 1"),
        ('allowed_overrides = "*"', "list of patterns"),
        ('allowed_overrides = [""]', "one line of"),
        ('allowed_overrides = ["a\\nb"]', "one line of"),
        (f"allowed_overrides = {['x'] * 201}", "more than 200 patterns"),
        ("tolerance = 3", "must be a table: [default.tolerance]"),
        ("lane = []", "must be one of"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_key(line: str, said: str) -> None:
    """Each says what is possible."""
    (complaint,) = refused(f"\n[default]\n{line}\n")
    assert complaint.startswith(f"3: default.{line.partition(' =')[0]}")
    assert said in complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1: says nothing; for the defaults alone, write [default]"),
        ("\n \n", "1: says nothing; for the defaults alone, write [default]"),
        ('channel = "stable"', "1: channel: belongs under [default] or the table of a group,"),
        ("default = 3", "1: default: must be a table: [default]"),
        ("groups = []", "1: groups: must be a table: [groups]"),
        ("\n[[default]]\n", "2: default: must be a table: [default]"),
        ("[default]\ngrace = \n", "2: is not TOML: Invalid value"),
        ("[default]\n[default]", "2: is not TOML: Cannot declare ('default',) twice"),
        ('[default]\nchannel = """a\n', "3: is not TOML: Unterminated string"),
        (b"[default]\n\nlane = '\xff'", "3: is not text in UTF-8"),
        ("#" * (FILE_MAX_BYTES + 1), f"1: is larger than {FILE_MAX_BYTES} bytes"),
        ("x = " + "[" * 9_000, "1: x[1][1][1][1][1][1][1]: is nested deeper than 8"),
    ],
)
def test_a_file_that_is_no_policy_at_all_is_refused_with_its_line(
    text: str | bytes, complaint: str
) -> None:
    """An empty one, too: an editor that was stopped half way leaves that."""
    (told,) = refused(text)
    assert told.startswith(complaint)


def test_a_mistyped_table_hides_no_mistake_inside_it() -> None:
    """What it was meant as is certain; what is in it is told beside it."""
    text = b'[group.pilot]\nchanel = "latest"\ngrace = "soon"\n[other.pilot]\nchanel = "x"\n'
    with pytest.raises(PolicyError) as told:
        read(text, "policy.toml")
    assert [(each.line, each.key) for each in told.value.complaints] == [
        (1, "group"),
        (2, "group.pilot.chanel"),
        (3, "group.pilot.grace"),
        (4, "other"),
    ]


def test_a_file_may_begin_with_a_byte_order_mark() -> None:
    """Some editors write one."""
    assert read(b"\xef\xbb\xbf[default]\n", "p.toml") == Policies()
    assert refused(b"\xef\xbb\xbf[default]\r\nx = '\xff'") == ["2: is not text in UTF-8"]


def test_the_error_is_one_line_that_names_the_file_and_counts_the_others() -> None:
    """As a server that cannot start tells it."""
    with pytest.raises(PolicyError) as caught:
        read(b"[default]\na = 1\nb = 1\nc = 1\n", "/etc/p.toml")
    assert str(caught.value).startswith("/etc/p.toml:2: default.a: is not known here; ")
    assert str(caught.value).endswith(" (and 2 more)")
    assert caught.value.advice == "see parity-server policy check /etc/p.toml"


def test_a_file_with_many_mistakes_or_groups_ends_soon() -> None:
    """No more are told than anybody reads."""
    wrong = "".join(f"k{number} = 1\n" for number in range(20_000))
    assert len(refused(f"[default]\n{wrong}")) == COMPLAINTS_MAX
    groups = "".join(f"[groups.g{number}]\n" for number in range(GROUPS_MAX))
    assert len(given_policies(groups).groups) == GROUPS_MAX
    assert refused(f"{groups}[groups.more]\n") == [f"1: groups: has more than {GROUPS_MAX} groups"]


def test_a_key_that_could_write_to_a_terminal_is_told_in_escapes() -> None:
    """A file of a stranger is checked safely."""
    (told,) = refused('[default]\n"\\u001b[2J" = 1\n')
    assert told.startswith('2: default."\\u001b[2J": is not known here')


_seconds = st.integers(3_600, 90 * 86_400) | st.sampled_from([86_400, 3_600, 7_200])
_patterns = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1)
_lanes: st.SearchStrategy[Lane] = st.sampled_from(get_args(Lane))


def _policies(shares: st.SearchStrategy[Any]) -> st.SearchStrategy[GroupPolicy]:
    return st.builds(
        GroupPolicy,
        channel=st.sampled_from(["latest", "machine", "claude-code@latest"]),
        grace_s=st.just(0) | _seconds,
        head_max_age_s=st.integers(900, 86_400),
        silent_after_s=_seconds,
        enrolled_grace_s=st.just(0) | _seconds,
        editor_tolerance_s=_seconds,
        desktop_tolerance_s=_seconds,
        sdk_tolerance_s=_seconds,
        surfaces=st.sets(st.sampled_from(["terminal", "editor", "desktop", "sdk"]), min_size=1).map(
            frozenset
        ),
        allowed_overrides=st.lists(_patterns, max_size=3).map(tuple),
        lane=_lanes,
        trust_learned=st.booleans(),
        target_share=shares,
    )


_groups = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._@:+-]{0,9}", fullmatch=True).filter(
    lambda name: name != "default"
)


@given(
    st.builds(
        Policies,
        _policies(st.none()),
        st.dictionaries(_groups, _policies(st.none() | st.floats(0, 1)), max_size=3),
    )
)
def test_policies_written_out_are_read_back_equal(policies: Policies) -> None:
    """What is in force can be put into a file, and is in force again."""
    assert read(text_of(policies).encode(), "p.toml") == policies


_LINES = st.lists(
    st.sampled_from(
        [
            "[default]", "[groups.a]", '[groups."b c"]', "[groups]", "[[groups]]", "[groups.a.b]",
            'channel = "stable"', "grace = 0", 'grace = "3d"', "grace = [[]]", "tolerance = {}",
            "tolerance.sdk = 0", "tolerance.x.y = 0", "surfaces = [1, {a = []}]", "x = inf",
            "lane = 1979-05-27", 'lane = """', "target_share = 0x5", "default.a = 1", "groups = 1",
            "allowed_overrides = [0, 'x', [\n", "]]", '"" = ""', "'\\' = 1", "\\u0000", "é = 1",
        ]
    ),
    max_size=12,
).map("\n".join)  # fmt: skip


@given(st.binary() | st.text().map(str.encode) | _LINES.map(str.encode))
def test_any_bytes_give_policies_or_the_one_error(data: bytes) -> None:
    """Whatever stands in the file; and each line told is a line of it."""
    with contextlib.suppress(PolicyError):
        read(data, "p.toml")
        return
    with pytest.raises(PolicyError) as caught:
        read(data, "p.toml")
    for complaint in caught.value.complaints:
        assert 1 <= complaint.line <= data.count(b"\n") + 1
        assert complaint.message


def test_a_place_is_told_as_an_operator_would_write_it() -> None:
    """Positions count from 1, odd names are quoted."""
    assert policy_file.shown(("groups", "a b", "surfaces", 0)) == 'groups."a b".surfaces[1]'
