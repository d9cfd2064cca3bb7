"""Who an address stands for, where it is counted how much one of them has or asks for."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

_HOST_BITS = 64
"""Of an IPv6 address: one customer, or machine, has all of these to itself (RFC 6177, RFC 7934)."""
LONGEST = 64
"""Characters of an address that count: no true one has more. A proxy may hand on anything."""


def party(address: str) -> str:
    """One name for all addresses that one party has: of IPv6 their network, else the address.

    What is no address stays as it is, up to LONGEST.
    """
    return _party(address[:LONGEST])


@lru_cache(4096)
def _party(address: str) -> str:
    try:
        found = IPv6Address(address)
    except AddressValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> _HOST_BITS << _HOST_BITS)}/{128 - _HOST_BITS}"
