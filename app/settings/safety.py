"""Settings that would let strangers in: the start ends with the reason. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

SECRET_BYTES = 32
"""As long as the hash that signs with it (RFC 7518, 3.2); LiveKit asks for the same."""
_WITH_TLS = {"redis": "rediss://", "redis+sentinel": "rediss+sentinel://"}
PUBLISHED = frozenset(
    {"devsecret-devsecret-devsecret-32", "devegress-devegress-devegress-32", "secret"}
)
"""Secrets that everybody knows: of our own examples, and of `livekit-server --dev`."""
_ALIKE = 0.9
"""Of 1: a letter too many or too few in a name of six or more."""


def unsafe_secrets(secrets: Mapping[str, str], published_may_pass: Sequence[str]) -> Iterator[str]:
    """Secrets that can be guessed; `secrets`: by what they are called.

    `published_may_pass` are the addresses and URLs by which the service is reached, and reaches
    others: where all are of this machine, published secrets are good enough for a try.
    """
    local = all(is_loopback(host_of(each)) for each in published_may_pass if each)
    for name, value in secrets.items():
        if value != value.strip():
            yield (
                f"{name} begins or ends with white space, as what is read from a file may, and "
                "would sign as another: take it away, `$(cat FILE)` does"
            )
        if value in PUBLISHED and local:
            continue
        if value in PUBLISHED:
            yield (
                f"{name} is a published one of examples, and "
                f"{', '.join(each for each in published_may_pass if each)} can be reached by others"
                ": make a secret with `openssl rand -hex 32`, here and in LiveKit's keys"
            )
        elif len(value.encode()) < SECRET_BYTES:
            yield (
                f"{name} has {len(value.encode())} bytes of the {SECRET_BYTES} that it needs at "
                "least: make one with `openssl rand -hex 32`"
            )


def plain_urls(urls: Mapping[str, str], plain_http_hosts: Sequence[str]) -> Iterator[str]:
    """URLs without TLS that lead out of one's own network; `urls`: by setting, empty ones too.

    One's own are loopback, private addresses, names without a dot, and the hosts that are named.
    """
    for name, url in urls.items():
        host = host_of(url)
        if url.startswith(("http:", "ws:")) and not _is_own_network(host, plain_http_hosts):
            yield (
                f"{name}={url!r} sends what it carries in the clear to {host!r}: use "
                f"{'wss' if url.startswith('ws') else 'https'}, or name the host in "
                "PLAIN_HTTP_HOSTS if it is in a network of yours"
            )


def open_stores(urls: Mapping[str, str], plain_http_hosts: Sequence[str]) -> Iterator[str]:
    """URLs of stores out of one's own network, as above, that lack a password or TLS.

    `urls`: by setting, empty ones too. They hold passwords, so only their hosts are told.
    """
    for name, url in urls.items():
        split = urlsplit(url)
        credentials, _, places = split.netloc.rpartition("@")
        hosts = [unquote(place.rpartition(":")[0] or place) for place in places.split(",")]
        far = [
            host
            for each in hosts
            if (host := each.strip("[]").lower())
            and not host.startswith("/")
            and not _is_own_network(host, plain_http_hosts)
        ]
        if not far:
            continue
        query = {key.lower(): value[-1] for key, value in parse_qs(split.query).items()}
        if not (credentials.partition(":")[2] or query.get("password")):
            yield (
                f"{name} leads to {far[0]!r} without a password: whoever reaches that store reads "
                "and changes all there is; give it one, and name it in the URL"
            )
        safe = split.scheme in ("rediss", "rediss+sentinel", "mongodb+srv")
        if query.get("tls", query.get("ssl", str(safe))).lower() != "true":
            yield (
                f"{name} sends rows and its password in the clear to {far[0]!r}: use "
                f"{_WITH_TLS.get(split.scheme, 'tls=true')}, or name the host in "
                "PLAIN_HTTP_HOSTS if it is in a network of yours"
            )


def misspelt(given: Iterable[str], settings: Collection[str]) -> dict[str, str]:
    """By name of a variable that is no setting, but nearly one, the setting that is meant."""
    near = {
        name: get_close_matches(name, settings, 1, _ALIKE)
        for name in sorted({each.upper() for each in given} - {*settings})
    }
    return {name: found[0] for name, found in near.items() if found}


def host_of(address: str) -> str:
    """The host of a URL, or of an address as HOST gives it."""
    return (urlsplit(address).hostname or "") if "://" in address else address.lower()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_own(host: str) -> bool:
    """Whether it leads each machine to itself: loopback, or the address that stands for all."""
    return is_unspecified(host) or is_loopback(host)


def is_unspecified(host: str) -> bool:
    """Whether it stands for all addresses of a machine."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_own_network(host: str, named: Sequence[str]) -> bool:
    return _is_near(host) or host in {each.lower() for each in named}


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or is_loopback(host)
