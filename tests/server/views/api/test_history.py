"""The past over HTTP, asked of a running server."""

import secrets
from urllib.parse import quote

import requests

from server.shown import moment
from tests.server.asking import signed
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S, refusal


def test_a_machine_is_told_as_it_was_told_then(known: Known) -> None:
    """Before its enrolment with the reason why there is nothing; then as now."""
    known.live.enrol("had a past", secrets.token_hex(16), known.secret)
    listed = known.live.get("/v1/machines", known.viewer)["machines"]
    (machine,) = [each["machine"] for each in listed if each["label"] == "had a past"]
    now = known.live.get(f"/v1/machines/{machine}", known.viewer)
    since = now["since"]
    then = known.live.get(f"/v1/machines/{machine}/at?at={since}", known.viewer)
    assert (then["standing"], then["label"], then["at"]) == ("unknown", "had a past", since)
    before = known.live.get(f"/v1/machines/{machine}/at?at={since - 1}", known.viewer)
    assert (before["standing"], before["reason"]) == (
        None,
        f"not enrolled yet: that was at {moment(since)}",
    )


def test_a_share_without_a_moment_is_of_now(known: Known) -> None:
    """The same numbers as the status has; of a group only its own."""
    status = known.live.get("/v1/status", known.viewer)
    told = known.live.get("/v1/share", known.viewer)
    assert told["tally"]["machines"] == status["fleet"]["machines"]
    assert told["at"] == told["as_of"]
    one = known.live.get("/v1/share?group=nobody-is-here", known.viewer)
    assert (one["tally"]["machines"], one["tally"]["share"]) == (0, None)


def test_a_share_of_long_ago_is_not_known(known: Known) -> None:
    """No counts were kept: which is told as that."""
    told = known.live.get("/v1/share?at=2020-01-01T00:00:30Z", known.viewer)
    assert told["tally"] is None
    assert told["as_of"] == told["at"] - 30
    assert told["reason"].startswith("counts are kept from ")


def test_heads_of_a_time_before_any_reading_are_none(known: Known) -> None:
    """With the reason; the moment may be written with any offset."""
    at = quote("2026-04-16T14:05:00+02:00")
    told = known.live.get(f"/v1/heads?at={at}", known.viewer)
    assert told["heads"] == []
    assert told["at"] == 1_776_341_100
    assert told["reason"]


def test_a_moment_without_an_offset_is_refused_with_advice(known: Known) -> None:
    """Nobody has to guess whose time it is."""
    answer = requests.get(
        f"{known.live.url}/v1/heads?at=2026-04-16T14:05:00",
        headers=signed(known.viewer),
        timeout=PATIENCE_S,
    )
    told = refusal(answer.content)
    assert (answer.status_code, told.path) == (422, "$.at")
    assert "has no offset from UTC" in told.error
    assert "%2B" in told.advice
