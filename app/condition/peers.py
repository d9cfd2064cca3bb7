"""Checks of what must answer: the stores, LiveKit, and our own receiver of its webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
from livekit.api import AccessToken
from pymongo.errors import PyMongoError

from app import context
from app.condition import health
from app.condition.findings import CheckResult
from app.condition.livekit_clock import ahead_seconds
from app.errors import StoreAway, Unavailable
from app.recording.livekit import AnswerTooLong, LiveKit
from app.settings import Settings, safety
from app.storage.clip_places import claimed_folder, clip_bucket
from app.storage.confined import key_inside
from app.storage.egress_places import egress_bucket
from app.storage.instance import UNTOLD, id_there
from app.storage.prefix_owner import INSTANCE, PROBE
from app.store import Store
from app.work import outside_answers
from app.work.queue import Queue

if TYPE_CHECKING:
    from app.storage.clip_bucket import ClipBucket

CLOCK_SECONDS = 2.0
_KNOWN_SECONDS = 6.0
_FETCHED = "but not copied in ranges: trims are fetched and sent"


async def mongo(settings: Settings) -> CheckResult:
    """Whether the database answers, and takes writes."""
    store = Store(settings.mongo_url)
    try:
        return await _answers(store.probe)
    finally:
        await store.close()


async def known_instance(settings: Settings) -> str | None:
    """Whose the database is: None if it is nobody's yet, UNTOLD if it does not answer."""
    try:
        store = Store(settings.mongo_url)
    except (PyMongoError, ValueError):  # the URL is none, as the check of the database says
        return UNTOLD
    try:
        async with asyncio.timeout(_KNOWN_SECONDS):
            return await context.known_instance(store, settings.media_root)
    except (PyMongoError, OSError):  # TimeoutError is one
        return UNTOLD
    finally:
        await store.close()


async def redis(settings: Settings) -> CheckResult:
    """Whether the queue's store answers, takes writes, and is one that a queue can be in."""
    queue = await Queue.connect(settings)
    try:
        return await _answers(queue.probe)
    finally:
        await queue.close()


async def _answers(ping: Callable[[], Awaitable[None]]) -> CheckResult:
    """How long a ping takes. Raises what the ping does."""
    began = time.perf_counter()
    await ping()
    return CheckResult("ok", f"answers in {(time.perf_counter() - began) * 1000:.0f} ms")


async def clip_store(settings: Settings, known: str | None) -> CheckResult:
    """Whether clips can be kept where CLIPS_URL says, and are read from there.

    `known`: the id of the installation, as far as the database tells.
    """
    place = settings.clips_place
    if place is None:
        return CheckResult("ok", f"clips are kept in {settings.media_root}")
    instance = await asyncio.to_thread(id_there, settings.media_root, known)
    if instance is None:
        return _nobodys(settings)
    if place.scheme == "file":
        folder = await asyncio.to_thread(claimed_folder, place, instance)
        return CheckResult("ok", f"clips are kept in {folder}")
    bucket = clip_bucket(settings, place, instance)
    await bucket.probe()
    try:
        await bucket.probe_uploads()
    except StoreAway as error:
        return CheckResult(
            "warn",
            error.detail,
            "or give the bucket a rule that aborts incomplete uploads after a day: what a killed "
            "worker leaves of one costs on, unseen",
        )
    if await _keeps_versions(bucket):
        return CheckResult(
            "warn",
            f"{place}: the bucket keeps versions, so that what people delete stays in it",
            "give it a rule that expires versions which are not current",
        )
    kept = f"{place}: objects can be put, read, listed and deleted, {await _copying(bucket)}"
    if settings.clips_proxy or bucket.origin is None:
        return CheckResult("ok", f"{kept}; clips are read through us")
    if _is_out_of_reach(bucket.origin, settings.base_url):
        return CheckResult(
            "warn",
            f"{kept}; but who has {settings.base_url} open does not reach {bucket.origin}",
            "set S3_ENDPOINT to an address that browsers reach, by TLS if ours is, or "
            "CLIPS_PROXY=true",
        )
    return CheckResult("ok", f"{kept}; callers are redirected to {bucket.origin}")


async def buffer_store(settings: Settings, known: str | None) -> CheckResult:
    """Whether segments can be read and deleted in the bucket where BUFFER_URL has egress write.

    `known`: the id of the installation, as far as the database tells.
    """
    place = settings.buffer_place
    if place is None:
        return CheckResult("ok", f"egress writes in {settings.media_root}")
    instance = await asyncio.to_thread(id_there, settings.media_root, known)
    if instance is None:
        return _nobodys(settings)
    await asyncio.to_thread(egress_bucket(settings, place, instance).probe)
    ours = f"{place} is ours: objects can be put, read, listed and deleted"
    if settings.egress_s3_access_key:
        return CheckResult("ok", f"{ours}; egress is given the key EGRESS_S3_ACCESS_KEY")
    if settings.egress_s3_role_arn:
        return CheckResult("ok", f"{ours}; egress takes the role {settings.egress_s3_role_arn}")
    return CheckResult("ok", f"{ours}; egress has its own storage, which must be this bucket")


def _nobodys(settings: Settings) -> CheckResult:
    """Whose the place is can't be told, and no id is made that the database may know better."""
    return CheckResult(
        "unknown",
        f"{settings.media_root} has no instance id, and the database does not answer",
        "have the database answer, or mount the disk of the media root",
    )


async def _copying(bucket: ClipBucket) -> str:
    """What becomes of trims in a bucket."""
    # Only who keeps clips in one waits for the libraries.
    from app.storage import composed_upload

    probe, instance = (key_inside(bucket.place.prefix, name) for name in (PROBE, INSTANCE))
    if bucket.s3 is None:
        return _FETCHED
    is_copied = await composed_upload.is_copied(bucket.s3, probe, instance)
    if is_copied is None:
        return (
            "and whether trims are copied there could not be tried with a small object: if not, "
            "they are fetched and sent"
        )
    return "and trims are copied there" if is_copied else _FETCHED


async def _keeps_versions(bucket: ClipBucket) -> bool:
    """Whether a bucket does, as far as our key may ask: clips need no right to."""
    try:
        return bucket.s3 is not None and await bucket.s3.keeps_versions()
    except StoreAway:
        return False


def _is_out_of_reach(origin: str, base_url: str) -> bool:
    """Whether a browser that has our page can't load from there, as far as the URLs tell."""
    own_only = safety.is_own(safety.host_of(origin)) and not safety.is_own(safety.host_of(base_url))
    return own_only or (base_url.startswith("https:") and origin.startswith("http:"))


async def livekit(settings: Settings) -> CheckResult:
    """Whether LiveKit answers, and takes the key."""
    client = LiveKit(settings)
    try:
        if not await client.takes_key():
            return CheckResult(
                "fail",
                f"{settings.livekit_http_url} {health.REFUSES_KEY}",
                f"give livekit-server's secret of {settings.livekit_api_key!r}, or name the pair "
                "in its keys; if both are right, look at the clocks",
            )
        rooms = await client.rooms()
    except AnswerTooLong as error:
        return CheckResult(
            "warn",
            f"{settings.livekit_http_url}: {error}",
            "only rooms of which webhooks told are surveyed; see who makes so many, "
            "and how much metadata `limit.max_metadata_size` lets them have",
        )
    except Unavailable as error:
        return CheckResult(
            "fail",
            f"{settings.livekit_http_url}: {error}",
            "does livekit-server run there?",
        )
    finally:
        await client.close()
    return CheckResult(
        "ok", f"{settings.livekit_http_url} answers and takes the key; {len(rooms)} rooms"
    )


async def clock(settings: Settings) -> CheckResult:
    """Whether LiveKit's clock and ours agree."""
    ahead = await ahead_seconds(settings, timeout_seconds=5.0)
    if ahead is None:
        return CheckResult("unknown", f"{settings.livekit_http_url} does not tell its time")
    if abs(ahead) > CLOCK_SECONDS:
        return CheckResult(
            "fail",
            f"LiveKit's clock is {ahead:+.1f} s from ours",
            "run NTP on both machines; times of clips and lifetimes of tokens depend on it",
        )
    return CheckResult("ok", "LiveKit's agrees with ours to the second")


async def webhook(settings: Settings) -> CheckResult:
    """Whether our receiver takes what LiveKit's key signed, under the URL that LiveKit is given.

    That it answers from here proves nothing for a LiveKit on another machine, if the URL leads each
    machine to itself.
    """
    url = f"{settings.base_url}/webhooks/livekit"
    body = b'{"event":"doctor"}'
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    key, secret = next(iter(settings.key_pairs.items()))
    token = AccessToken(key, secret).with_sha256(digest).with_ttl(timedelta(minutes=5)).to_jwt()
    try:
        headers = {"Authorization": token}
        async with outside_answers.client() as client:
            answer = await outside_answers.ask(
                client, "POST", url, seconds=10, content=body, headers=headers
            )
    except (httpx.HTTPError, TimeoutError) as error:
        return CheckResult(
            "fail",
            f"{url}: {error or type(error).__name__}",
            "start `python -m app api`, and check PUBLIC_URL, HOST and PORT",
        )
    if answer.status != httpx.codes.OK:
        text = answer.beginning.decode(errors="replace")
        return CheckResult("fail", f"{url} answers {answer.status}: {text[:200]}")
    taken = f"{url} takes what {key!r} signed"
    if safety.is_own(safety.host_of(url)) and not safety.is_own(
        safety.host_of(settings.livekit_url)
    ):
        return CheckResult(
            "warn",
            f"{taken}, but no other machine reaches it there, and LIVEKIT_URL="
            f"{settings.livekit_url} seems to be another one",
            "set PUBLIC_URL to a URL that leads from LiveKit's machine to this one, HOST=0.0.0.0 "
            "unless a proxy on this machine takes it, and name PUBLIC_URL/webhooks/livekit in "
            "livekit.yaml",
        )
    if settings.is_placeless:
        return CheckResult(
            "warn",
            f"{taken}, but HOST={settings.host} stands for all addresses of this machine, and is "
            "none that callers reach: links to clips are refused",
            "set PUBLIC_URL to the URL that LiveKit and callers use, and name "
            "PUBLIC_URL/webhooks/livekit in livekit.yaml",
        )
    return CheckResult(
        "ok", f"{taken}; livekit.yaml needs webhook: {{api_key: {key}, urls: [{url}]}}"
    )
