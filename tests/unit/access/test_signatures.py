"""A media URL opens the one thing it was made for, for its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.access.generations import holder, holders
from app.access.signatures import STEP_SECONDS, check, expiry, media_keys, signed
from app.errors import Unauthorized
from app.settings import Settings, load

NOW = datetime(2026, 11, 3, 10, 7, 30, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=1)
PATH = "/buffers/0123456789abcdef01234567/replay.mp4"
QUERY = {"start": "2026-11-03T10:00:00.000Z", "end": "2026-11-03T10:05:00.000Z"}


def settings_of(key: str, secret: str, others: str = "", tenants: str = "") -> Settings:
    return load(
        _env_file=None,
        livekit_api_key=key,
        livekit_api_secret=secret,
        livekit_keys=others,
        tenant_keys=tenants,
    )


KEYS = media_keys(settings_of("k", "secret" * 8), "0a1b2c3d")


def parts(url: str) -> tuple[str, list[tuple[str, str]]]:
    split = urlsplit(url)
    return split.path, parse_qsl(split.query, keep_blank_values=True)


def test_a_signed_url_is_good_until_it_expires() -> None:
    path, query = parts(signed(KEYS, PATH, QUERY, UNTIL))
    assert check(KEYS, path, query, NOW) == UNTIL
    assert check(KEYS, path, query, UNTIL - timedelta(seconds=1)) == UNTIL
    with pytest.raises(Unauthorized, match="expired"):
        check(KEYS, path, query, UNTIL)


def test_the_order_of_the_parameters_is_of_no_account() -> None:
    path, query = parts(signed(KEYS, PATH, QUERY, UNTIL))
    assert check(KEYS, path, query[::-1], NOW) == UNTIL


@pytest.mark.parametrize("position", range(4))
def test_no_parameter_can_be_changed_left_out_or_doubled(position: int) -> None:
    path, query = parts(signed(KEYS, PATH, QUERY, UNTIL))
    name, value = query[position]
    changed = value[:-1] + ("0" if value[-1] != "0" else "1")
    for altered in (
        [*query[:position], (name, changed), *query[position + 1 :]],
        [*query[:position], *query[position + 1 :]],
        [*query, (name, value)],
        [*query, ("more", "")],
    ):
        with pytest.raises(Unauthorized):
            check(KEYS, path, altered, NOW)


def test_it_is_not_good_for_another_resource() -> None:
    _, query = parts(signed(KEYS, PATH, QUERY, UNTIL))
    for path in (PATH + "/", PATH.replace("0123", "0124"), "/segments/x", ""):
        with pytest.raises(Unauthorized, match="does not fit"):
            check(KEYS, path, query, NOW)


def test_parameters_cannot_be_moved_into_the_path() -> None:
    path, query = parts(signed(KEYS, "/a", {"b": "c"}, UNTIL))
    assert path == "/a"
    rest = [pair for pair in query if pair[0] != "b"]
    for moved in ("/a&b=c", "/a\nb=c", "/a?b=c"):
        with pytest.raises(Unauthorized):
            check(KEYS, moved, rest, NOW)


def test_a_signature_of_another_installation_or_secret_does_not_fit() -> None:
    path, query = parts(signed(KEYS, PATH, QUERY, UNTIL))
    for other in (
        media_keys(settings_of("k", "secret" * 8), "ffffffff"),
        media_keys(settings_of("k", "secreT" * 8), "0a1b2c3d"),
    ):
        with pytest.raises(Unauthorized):
            check(other, path, query, NOW)


def test_after_a_rotation_urls_of_the_old_pair_stay_good() -> None:
    path, query = parts(signed(KEYS, PATH, QUERY, UNTIL))
    rotated = media_keys(settings_of("new", "fresh" * 8, "k:" + "secret" * 8), "0a1b2c3d")
    assert check(rotated, path, query, NOW) == UNTIL
    path, query = parts(signed(rotated, PATH, QUERY, UNTIL))
    with pytest.raises(Unauthorized):
        check(KEYS, path, query, NOW)


def test_a_tenants_pair_signs_no_url_and_names_nobody() -> None:
    """Whoever holds one knows all else that a key is made of: the instance stands in its ids."""
    others = {"old": "older" * 8, "tenant": "theirs" * 8}
    listed = ",".join(f"{key}:{secret}" for key, secret in others.items())
    shared = settings_of("k", "secret" * 8, listed, tenants="tenant")
    keys = media_keys(shared, "0a1b2c3d")
    forged = media_keys(settings_of("tenant", others["tenant"]), "0a1b2c3d")
    path, query = parts(signed(forged, PATH, QUERY, UNTIL))
    with pytest.raises(Unauthorized, match="does not fit"):
        check(keys, path, query, NOW)
    own = media_keys(settings_of("k", "secret" * 8, f"old:{others['old']}"), "0a1b2c3d")
    assert keys == own
    assert holders(shared, "0a1b2c3d", "ann") == [holder(key, "ann") for key in own]


def test_a_url_that_would_hold_longer_than_any_is_made_for_is_refused() -> None:
    """What another machine made, whose clock is ahead, is none of these."""
    just_after = NOW.replace(minute=0, second=1)
    last = expiry(just_after)
    path, query = parts(signed(KEYS, PATH, QUERY, last))
    assert check(KEYS, path, query, just_after - timedelta(seconds=10)) == last
    for exp in (NOW + timedelta(hours=2), datetime(2099, 1, 1, tzinfo=UTC)):
        path, query = parts(signed(KEYS, PATH, QUERY, exp))
        with pytest.raises(Unauthorized, match="longer"):
            check(KEYS, path, query, NOW)


class Counted(str):
    """A text that counts how often one of its kind was written into what is signed."""

    written = 0

    def __str__(self) -> str:
        Counted.written += 1
        return super().__str__()


def test_however_many_keys_there_are_what_was_signed_is_written_once() -> None:
    path, query = parts(signed(KEYS, PATH, QUERY, UNTIL))
    Counted.written = 0
    assert check((b"other", b"another", *KEYS), Counted(path), query, NOW) == UNTIL
    assert Counted.written == 1


@pytest.mark.parametrize("sig", ["", "x", "0" * 63, "0" * 65, "0" * 63 + "G", "é" * 64])
def test_beside_what_can_be_no_signature_nothing_is_written(sig: str) -> None:
    """Whoever writes it shows nothing, and may write 32 KiB of the rest."""
    Counted.written = 0
    query = [("sig", sig), ("exp", "9999999999"), *[("a", Counted("b"))] * 100]
    with pytest.raises(Unauthorized, match="does not fit"):
        check(KEYS, Counted(PATH), query, NOW)
    assert Counted.written == 0


@pytest.mark.parametrize(
    "query", [[], [("sig", "")], [("exp", "1")], [("sig", "é"), ("exp", "NaN")]]
)
def test_what_is_no_signature_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(Unauthorized):
        check(KEYS, PATH, query, NOW)


def test_any_name_may_stand_in_a_query() -> None:
    for value in ("a&b=c", "%2F?#", "🎬 +", ""):
        path, query = parts(signed(KEYS, PATH, {"title": value}, UNTIL))
        assert dict(query)["title"] == value
        assert check(KEYS, path, query, NOW) == UNTIL


def test_urls_made_within_a_while_are_the_same() -> None:
    first = expiry(NOW)
    assert first == expiry(NOW + timedelta(seconds=1))
    assert first >= NOW + timedelta(hours=1)
    assert first.timestamp() % STEP_SECONDS == 0
