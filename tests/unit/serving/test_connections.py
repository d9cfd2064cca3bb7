"""Which connections the HTTP server takes, and which it closes to make room."""

from __future__ import annotations

import pytest

from app.serving.connections import Connections


class Peer:
    """A connection that may be asked to close."""

    def __init__(self, *, busy: bool = False) -> None:
        self.is_busy = busy
        self.closed = False

    def give_way(self) -> bool:
        self.closed = not self.is_busy
        return self.closed


def places(most: int = 3, most_per_address: int = 2) -> Connections:
    return Connections(most, most_per_address, lambda address: address == "proxy")


def take(held: Connections, address: str, *, busy: bool = False) -> Peer:
    """A connection that was admitted; a request may be under way on it."""
    peer = Peer(busy=busy)
    assert held.admit(peer, address)
    if busy:
        held.busy(peer)
    return peer


def test_one_address_gets_its_share_and_no_more() -> None:
    """Another address still gets in, and the first again when one of its own is gone."""
    held = places()
    first = take(held, "a", busy=True)
    take(held, "a", busy=True)
    assert not held.admit(Peer(), "a")
    assert held.admit(Peer(), "b")
    held.remove(first)
    assert held.admit(Peer(), "a")


def test_an_address_at_its_share_makes_room_itself() -> None:
    """Its connection that waits longest is closed, though another's has waited for longer."""
    held = places(most=20)
    other, first, second = take(held, "b"), take(held, "a"), take(held, "a")
    assert held.admit(Peer(), "a")
    assert (other.closed, first.closed, second.closed) == (False, True, False)
    assert len(held) == 3


@pytest.mark.parametrize(("most", "share"), [(20, 12), (200, 180)])
def test_a_proxy_stands_for_many(most: int, share: int) -> None:
    """It has more places than another address, and leaves a tenth, or 8, for others."""
    held = places(most)
    for _ in range(share):
        take(held, "proxy", busy=True)
    assert not held.admit(Peer(), "proxy")
    assert held.admit(Peer(), "a")


def test_whoever_waits_longest_makes_room() -> None:
    """A connection that had a request in between waits since then."""
    held = places()
    first, second, third = Peer(), Peer(), Peer()
    for peer, address in ((first, "a"), (second, "b"), (third, "c")):
        held.admit(peer, address)
    held.busy(first)
    held.idle(first)
    assert held.admit(Peer(), "d")
    assert (first.closed, second.closed, third.closed) == (False, True, False)
    assert len(held) == 3


def test_requests_under_way_are_never_cut_off() -> None:
    """Where all are at work, the new one is refused."""
    held = places()
    peers = [Peer(busy=True) for _ in range(3)]
    for number, peer in enumerate(peers):
        held.admit(peer, str(number))
        held.busy(peer)
    assert not held.admit(Peer(), "d")
    assert not any(peer.closed for peer in peers)


def test_one_that_says_it_is_busy_when_asked_stays() -> None:
    """What the register takes for idle may have got a request just now."""
    held = places()
    late, idle = Peer(busy=True), Peer()
    held.admit(late, "a")
    held.admit(idle, "b")
    held.admit(Peer(busy=True), "c")
    assert held.admit(Peer(), "d")
    assert (late.closed, idle.closed) == (False, True)


def test_a_stranger_is_removed_without_harm() -> None:
    """A connection that was refused ends, too."""
    held = places()
    held.remove(Peer())
    held.idle(Peer())
    assert len(held) == 0
