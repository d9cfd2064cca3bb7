"""What the settings take, and what they say about what they don't."""

from __future__ import annotations

import pytest

from app.errors import ConfigurationError
from app.settings import Settings, load

PUBLISHED = "devsecret-devsecret-devsecret-32"


def settings(**given: object) -> Settings:
    return load(
        _env_file=None, **({"livekit_api_key": "k", "livekit_api_secret": "s" * 32} | given)
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"livekit_api_key": ""}, "LIVEKIT_API_KEY is missing"),
        ({"livekit_api_secret": ""}, "LIVEKIT_API_SECRET is missing"),
        ({"port": 70000}, "PORT=70000"),
        ({"livekit_url": "ftp://x"}, "LIVEKIT_URL='ftp://x'"),
        ({"livekit_url": ""}, "LIVEKIT_URL"),
        ({"encoding": "1281x720@15:1500"}, "ENCODING='1281x720@15:1500'"),
        ({"encoding": "4098x2304@15:1500"}, "at most 9437184"),
        ({"encoding": "H265"}, "H264_1080P_60"),
        ({"livekit_keys": "only-a-key"}, "LIVEKIT_KEYS"),
        ({"retention_minutes": float("inf")}, "RETENTION_MINUTES=inf"),
        ({"clip_days": float("nan")}, "CLIP_DAYS=nan"),
        ({"reconcile_seconds": 1e-9}, "RECONCILE_SECONDS"),
        ({"metrics_port": 8000}, "METRICS_PORT and PORT are both 8000"),
        ({"egress_file_upload_dest": "out"}, "EGRESS_FILE_UPLOAD_DEST='out'"),
        ({"cors_origins": "foo"}, "CORS_ORIGINS"),
        ({"embed_origins": "https://a.example.com; script-src *"}, "EMBED_ORIGINS"),
        ({"embed_origins": "https://a.example.com/wiki"}, "EMBED_ORIGINS"),
        ({"events_url": "https://chat.example.com/x"}, "EVENTS_KEY and EVENTS_SECRET"),
        ({"watch": "sometimes"}, "WATCH='sometimes'"),
        ({"livekit_api_secret": "a"}, "LIVEKIT_API_SECRET has 1 bytes of the 32"),
        ({"livekit_keys": "old:b"}, "the secret of 'old' in LIVEKIT_KEYS has 1 bytes"),
        ({"metrics_token": "1"}, "METRICS_TOKEN has 1 bytes"),
        ({"admins": "ann,*"}, "ADMINS"),
        ({"tenant_keys": "tenent"}, "TENANT_KEYS='tenent' is the key of no pair"),
        ({"public_url": "http://replay.example.com"}, "PUBLIC_URL='http://replay.example.com'"),
        ({"livekit_url": "ws://livekit.example.com"}, "use wss"),
        ({"host": "0.0.0.0", "metrics_port": 9100}, "set METRICS_TOKEN"),
        (
            {"livekit_api_secret": PUBLISHED, "host": "0.0.0.0"},
            "LIVEKIT_API_SECRET is a published one",
        ),
        ({"livekit_api_secret": "secret", "livekit_url": "wss://far.example.com"}, "published"),
        ({"trusted_proxies": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given: dict[str, object], told: str) -> None:
    """The start ends with the setting's name, its value and what to give instead."""
    with pytest.raises(ConfigurationError) as refused:
        settings(**given)
    assert told in str(refused.value)


def test_a_secret_is_never_shown() -> None:
    """Wrong or not, secrets stay out of messages and of the settings' own text."""
    with pytest.raises(ConfigurationError) as refused:
        settings(livekit_keys="my-secret-without-a-key")
    assert "my-secret" not in str(refused.value)
    assert "s" * 32 not in repr(settings())


def test_keys_for_rotation_come_after_the_current_pair() -> None:
    """LIVEKIT_KEYS adds pairs; the current one stays what it is."""
    found = settings(livekit_keys=f"old:{'o' * 32}, k:{'x' * 32}").key_pairs
    assert list(found.items()) == [("k", "s" * 32), ("old", "o" * 32)]


def test_urls_and_roots_follow_from_what_is_given() -> None:
    """The HTTP API is reached under the same address as the WebSocket; egress may see elsewhere."""
    found = settings(livekit_url="wss://lk.example.com/", file_upload_dest="/srv/replay")
    assert found.livekit_http_url == "https://lk.example.com"
    assert (str(found.media_root), found.egress_media_root) == ("/srv/replay", "/srv/replay")
    assert settings(egress_file_upload_dest="/out/").egress_media_root == "/out"


@pytest.mark.parametrize(
    "given",
    [
        {"livekit_api_secret": PUBLISHED},
        {"livekit_api_secret": "secret", "livekit_url": "ws://localhost:7880", "host": "::1"},
        {"livekit_url": "ws://livekit:7880"},
        {"public_url": "http://192.168.1.5:8000", "host": "0.0.0.0"},
        {"livekit_url": "ws://sfu.corp.example", "plain_http_hosts": "SFU.corp.example"},
        {"host": "0.0.0.0", "metrics_port": 9100, "metrics_token": "t" * 32},
        {"metrics_port": 9100},
        {"livekit_keys": "old:" + "o" * 32, "tenant_keys": "old"},
    ],
)
def test_what_is_safe_is_taken(given: dict[str, object]) -> None:
    """A try on one machine, a network of one's own, a pair that is known."""
    settings(**given)


def test_every_reason_is_told_at_once() -> None:
    """Whoever mends one need not start again to hear of the next."""
    with pytest.raises(ConfigurationError) as refused:
        settings(livekit_api_secret="a", tenant_keys="tenent", metrics_token="1")
    assert len(str(refused.value).splitlines()) == 3
