"""Which addresses are counted as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.serving.connections import Connections
from app.work.parties import party
from tests.unit.serving.test_connections import Peer


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_of_ipv6_a_network_is_one_party(address: str, name: str) -> None:
    assert party(address) == name


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_no_address_is_not_kept_longer_than_any_address_is(text: str, more: str) -> None:
    """A proxy that hands on what it was sent has whatever a head may hold kept, 20,000 times."""
    assert party(text * 800 + more) == party((text * 800 + more)[:64])
    assert len(party(text * 800 + more)) <= 64


def test_the_longest_address_is_whole() -> None:
    longest = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%" + "a" * 15
    assert len(longest) <= 64
    assert party(longest) == "ffff:ffff:ffff:ffff::/64"


def test_a_network_has_the_places_of_one_address_and_a_proxy_in_it_its_own() -> None:
    places = Connections(100, 2, lambda address: address == "2001:db8::1")
    found = [places.admit(Peer(busy=True), f"2001:db8::{host}") for host in (2, 3, 4, 1, 1, 1)]
    assert found == [True, True, False, True, True, True]
