"""What asks a bucket: obstore's client of its kind, with our patience, keys and addresses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from obstore.store import AzureStore, GCSStore, S3Store

from app.settings import Settings
from app.settings.store_place import StorePlace
from app.storage.s3_requests import S3Requests, s3_endpoint

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

BucketClient = S3Store | GCSStore | AzureStore

CONNECT = timedelta(seconds=5)
REQUEST = timedelta(seconds=60)
"""A part of 8 MiB takes it at 1 Mbit/s."""
NOWHERE = "http://127.0.0.1:1"
"""A proxy that is not there. obstore's client goes wherever an answer leads, and can't be told not
to: the store could have it ask others on our network. By this it gets to the store's host alone."""
RETRIES = 2
RETRY = timedelta(seconds=10)
"""Beyond that those who ask decide: a capture is tried on and on, a caller is told."""


def of(
    settings: Settings, place: StorePlace, *, request: timedelta = REQUEST
) -> tuple[BucketClient, S3Requests | None]:
    """The client of a bucket, and what S3 is asked besides.

    Google's and Azure's take addresses and keys out of the environment as their own tools do.
    """
    options: ClientConfig = {
        "timeout": request,
        "connect_timeout": CONNECT,
        "allow_http": settings.s3_endpoint.startswith("http:"),
    }
    retries: RetryConfig = {"max_retries": RETRIES, "retry_timeout": RETRY}
    if place.scheme == "gs":
        return GCSStore(place.bucket, client_options=options, retry_config=retries), None
    if place.scheme == "az":
        return AzureStore(place.bucket, client_options=options, retry_config=retries), None
    s3 = S3Requests(settings, place)
    has_own_host = not settings.s3_endpoint and "." not in place.bucket
    base = s3_endpoint(settings, place.bucket)
    if not getproxies():  # one of this machine's own decides itself where it leads
        options |= {"proxy_url": NOWHERE, "proxy_excludes": urlsplit(base).hostname or ""}
    endpoint = base if has_own_host else base.removesuffix(f"/{place.bucket}")
    client = S3Store(
        place.bucket,
        # Both, since it would take either from the environment.
        endpoint=endpoint,
        aws_endpoint_url_s3=endpoint,
        virtual_hosted_style_request=has_own_host,
        region=settings.s3_region,
        credential_provider=s3.credentials,
        client_options=options,
        retry_config=retries,
    )
    return client, s3
