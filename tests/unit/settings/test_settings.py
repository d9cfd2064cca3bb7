"""What the settings take, and what they say about what they don't."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import ConfigurationError
from app.settings import Settings, load, misspelt

PUBLISHED = "devsecret-devsecret-devsecret-32"


EGRESS_KEY = {"egress_s3_access_key": "k", "egress_s3_secret": "s" * 32}
EVENTS = {"events_url": "https://chat.example.com/hooks", "events_key": "k"}


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
        ({"encoding_steps": "H264_1080P_30,source"}, "ENCODING_STEPS"),
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
        ({"tenant_keys": "k"}, "is LIVEKIT_API_KEY"),
        ({"public_url": "http://replay.example.com"}, "PUBLIC_URL='http://replay.example.com'"),
        ({"livekit_url": "ws://livekit.example.com"}, "use wss"),
        ({"host": "0.0.0.0", "metrics_port": 9100}, "set METRICS_TOKEN"),
        (
            {"livekit_api_secret": PUBLISHED, "host": "0.0.0.0"},
            "LIVEKIT_API_SECRET is a published one",
        ),
        ({"livekit_api_secret": "secret", "livekit_url": "wss://far.example.com"}, "published"),
        ({"livekit_api_secret": "s" * 32 + "\n"}, "LIVEKIT_API_SECRET begins or ends with white"),
        ({"livekit_api_key": "k\n"}, "LIVEKIT_API_KEY='k\\n' begins or ends with white space"),
        (EVENTS | {"events_secret": " " + "s" * 32}, "EVENTS_SECRET begins or ends with white"),
        ({"trusted_proxies": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
        ({"trusted_proxies": "10.0.0.0/8,0.0.0.0/0"}, "would let everybody say"),
        ({"trusted_proxies": "::/0"}, "would let everybody say"),
        (EVENTS | {"events_secret": "secret"}, "EVENTS_SECRET is a published one"),
        ({"mongo_url": "mongodb://db.example.com/r?tls=true"}, "MONGO_URL leads to 'db.example"),
        ({"mongo_url": "mongodb://10.0.0.2,db.example.com:1/r"}, "without a password"),
        ({"mongo_url": "mongodb://u:pw@db.example.com/r"}, "MONGO_URL sends rows"),
        ({"mongo_url": "mongodb+srv://u:pw@db.example.com/r?tls=false"}, "use tls=true"),
        ({"redis_url": "rediss://8.8.8.8/0"}, "REDIS_URL leads to '8.8.8.8' without a password"),
        ({"redis_url": "redis://:pw@[2a00::1]:6379/0"}, "use rediss://"),
        ({"redis_url": "redis+sentinel://:pw@8.8.8.8/mymaster"}, "use rediss+sentinel://"),
        ({"redis_url": "localhost:6379"}, "REDIS_URL must begin with redis://"),
        ({"redis_url": "redis+cluster://h:6379/0"}, "REDIS_URL names a Redis Cluster"),
        ({"redis_url": "redis://:p/w@h:6379"}, "%2F for /"),
        ({"redis_url": "redis://:1/w@h:6379"}, "%2F for /"),
        ({"redis_url": "redis://:p#w@h:6379"}, "%23 for #"),
        ({"redis_url": "redis+sentinel://h:26379"}, "SERVICE[/DATABASE]"),
        ({"redis_url": "redis+sentinel://h:26379/0"}, "SERVICE[/DATABASE]"),
        ({"redis_url": "redis+sentinel://h:26379/mymaster/x"}, "SERVICE[/DATABASE]"),
        ({"redis_url": "redis+sentinel://h:26379,:1/mymaster"}, "a Sentinel without a host"),
        ({"clips_url": "ftp://bucket/clips"}, "CLIPS_URL='ftp://bucket/clips' must begin with one"),
        ({"clips_url": "/srv/clips"}, "CLIPS_URL='/srv/clips' must begin with one"),
        ({"clips_url": "file:///"}, "not that of the root"),
        ({"clips_url": "file://srv/clips"}, "the absolute path of a folder"),
        ({"clips_url": "file:///srv/../etc"}, "the absolute path of a folder"),
        ({"clips_url": "s3://bu..cket/clips"}, "no '..'"),
        ({"clips_url": "s3://ab/clips"}, "must name a bucket"),
        ({"clips_url": "s3:///clips"}, "must name a bucket"),
        ({"clips_url": "s3://bucket"}, "such as s3://bucket/clips"),
        ({"clips_url": "s3://bucket/"}, "such as s3://bucket/clips"),
        ({"clips_url": "s3://bucket/a/../b"}, "a prefix of names"),
        ({"clips_url": "s3://bucket/a//b"}, "a prefix of names"),
        ({"clips_url": "s3://bucket/a b"}, "a prefix of names"),
        ({"clips_url": "s3://key:secret@bucket/clips"}, "keys have settings"),
        ({"clips_url": "s3://bucket/clips?region=x"}, "keys have settings"),
        ({"clips_url": "s3://[/clips"}, "keys have settings"),
        ({"s3_endpoint": "s3.example.com"}, "S3_ENDPOINT='s3.example.com'"),
        ({"s3_endpoint": "http://s3.example.com"}, "S3_ENDPOINT='http://s3.example.com' sends"),
        ({"s3_region": "eu central"}, "S3_REGION='eu central'"),
        ({"clips_url": "s3://bucket/clips", "aws_access_key_id": "k"}, "belong together"),
        ({"buffer_url": "s3://bucket"}, "such as s3://bucket/buffer"),
        (
            {"buffer_url": "gs://bucket/buffer"},
            "BUFFER_URL='gs://bucket/buffer' must begin with s3",
        ),
        ({"buffer_url": "az://bucket/buffer"}, "no output into az:// yet"),
        ({"buffer_url": "file:///srv/buffer"}, "FILE_UPLOAD_DEST names the folder"),
        ({"buffer_url": "s3://bucket/b", "aws_access_key_id": "k"}, "belong together"),
        ({"egress_s3_access_key": "k"}, "EGRESS_S3_ACCESS_KEY and EGRESS_S3_SECRET belong"),
        (EGRESS_KEY | {"egress_s3_role_arn": "arn:aws:iam::1:role/r"}, "two ways in for egress"),
        ({"egress_s3_role_external_id": "x"}, "EGRESS_S3_ROLE_EXTERNAL_ID belongs to"),
        ({"egress_s3_endpoint": "http://s3.example.com"}, "EGRESS_S3_ENDPOINT='http://s3"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given: dict[str, object], told: str) -> None:
    """The start ends with the setting's name, its value and what to give instead."""
    with pytest.raises(ConfigurationError) as refused:
        settings(**given)
    assert told in str(refused.value)


def test_no_share_goes_on_in_another_encoding_unless_that_is_asked_for() -> None:
    """A step may change the size, over which captures are not copied."""
    assert settings().encoding_steps == ()
    given = settings(encoding_steps="H264_1080P_30, 1280x720@15:1500").encoding_steps
    assert given == ("H264_1080P_30", "1280x720@15:1500")


def test_a_secret_is_never_shown() -> None:
    """Wrong or not, secrets stay out of messages and of the settings' own text."""
    with pytest.raises(ConfigurationError) as refused:
        settings(livekit_keys="my-secret-without-a-key")
    assert "my-secret" not in str(refused.value)
    with pytest.raises(ConfigurationError) as refused:
        settings(redis_url="redis+cluster://:my-secret@h")
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
        EVENTS | {"events_secret": "e" * 32},
        EVENTS | {"events_secret": "secret", "events_url": "http://localhost/hooks"},
        {"mongo_url": "mongodb://mongo/replay", "redis_url": "redis://10.0.0.3:6379/0"},
        {"mongo_url": "mongodb://u:pw@%2Fsockets%2Fmongodb-27017.sock/replay?authSource=admin"},
        {"redis_url": "unix:///sockets/redis.sock?db=1"},
        {"mongo_url": "mongodb+srv://u:pw@db.example.com/r", "redis_url": "redis://[::1]:6379"},
        {"mongo_url": "mongodb://u:pw@db.example.com:1,b.example.com/r?ssl=true"},
        {"redis_url": "redis://kv.corp.example", "plain_http_hosts": "kv.corp.example"},
        {"trusted_proxies": "10.0.0.0/8,fd00::/8,192.0.2.1"},
    ],
)
def test_what_is_safe_is_taken(given: dict[str, object]) -> None:
    """A try on one machine, a network of one's own, a pair that is known."""
    settings(**given)


def test_a_password_of_a_store_is_never_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings(mongo_url="mongodb://u:pass-word@db.example.com/r")
    assert "pass-word" not in str(refused.value)


def test_a_misspelt_setting_is_told_with_what_is_meant() -> None:
    """What says nothing of ours is nobody's mistake."""
    found = misspelt({"TENANT_KEY": "t", "metric_token": "x", "PATH": "/bin", "PORT": "1"})
    assert found == {"TENANT_KEY": "TENANT_KEYS", "METRIC_TOKEN": "METRICS_TOKEN"}


def test_every_reason_is_told_at_once() -> None:
    """Whoever mends one need not start again to hear of the next."""
    with pytest.raises(ConfigurationError) as refused:
        settings(livekit_api_secret="a", tenant_keys="tenent", metrics_token="1")
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("given", "url", "is_placeless"),
    [
        ({}, "http://127.0.0.1:8000", False),
        ({"host": "0.0.0.0"}, "http://0.0.0.0:8000", True),
        ({"host": "::"}, "http://[::]:8000", True),
        ({"host": "::1"}, "http://[::1]:8000", False),
        ({"host": "10.1.2.3", "port": 80}, "http://10.1.2.3:80", False),
        (
            {"host": "0.0.0.0", "public_url": "https://replay.example.com"},
            "https://replay.example.com",
            False,
        ),
    ],
)
def test_the_service_knows_whether_its_url_leads_to_it(
    given: dict[str, object], url: str, is_placeless: bool
) -> None:
    made = settings(**given)
    assert made.base_url == url
    assert made.is_placeless is is_placeless


def test_a_file_of_settings_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    """As one in a folder that our user may not enter, or one that is no text."""
    with pytest.raises(ConfigurationError, match=r"File name too long.*uid .*working directory"):
        load(_env_file="x" * 300)
    file = tmp_path / ".env"
    file.write_bytes(b"PORT=\xff")
    with pytest.raises(ConfigurationError, match="no UTF-8 text"):
        load(_env_file=file)


def test_a_place_for_clips_is_bucket_and_prefix_or_a_folder() -> None:
    """As given, without slashes at its end; none given: in the media root."""
    assert settings().clips_place is None
    found = settings(clips_url="s3://my.bucket/replay/clips/").clips_place
    assert found is not None
    assert (found.scheme, found.bucket, found.prefix) == ("s3", "my.bucket", "replay/clips")
    assert str(found) == "s3://my.bucket/replay/clips"
    folder = settings(clips_url="file:///srv/clips/").clips_place
    assert folder is not None
    assert (folder.scheme, folder.prefix, str(folder)) == (
        "file",
        "/srv/clips",
        "file:///srv/clips",
    )


def test_keys_of_aws_matter_to_a_bucket_only() -> None:
    """Half a pair in the environment is nobody's fault where no bucket is named."""
    assert settings(aws_access_key_id="k").clips_place is None
