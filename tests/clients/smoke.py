"""What a program does with the client that openapi-python-client makes.

See test_generated_clients.py: `replay_client` is made there.
"""

from __future__ import annotations

import json
import sys

from replay_client import AuthenticatedClient
from replay_client.api.buffers import list_buffers
from replay_client.api.captures import create_capture
from replay_client.api.sessions import get_session
from replay_client.models import (
    Accepted,
    BufferPage,
    CallerView,
    CaptureRequest,
    Cut,
    InvalidProblem,
    Tail,
)


def main(base_url: str, token: str, room: str) -> None:
    with AuthenticatedClient(base_url=base_url, token=token) as client:
        session = get_session.sync(client=client)
        assert isinstance(session, CallerView)
        buffers = list_buffers.sync(client=client, room=room, limit=1)
        assert isinstance(buffers, BufferPage)
        (buffer,) = buffers.items
        given = CaptureRequest(room=room, last="5s", tail=Tail.SKIP, cut=Cut.SEGMENT)
        accepted = create_capture.sync(client=client, body=given)
        assert isinstance(accepted, Accepted)
        refused = create_capture.sync(client=client, body=CaptureRequest(room=room, last="0s"))
        assert isinstance(refused, InvalidProblem)
        told = {
            "identity": session.identity,
            "buffer": buffer.id,
            "state": buffer.state,
            "status": accepted.status,
            "problem": refused.type_,
        }
        print(json.dumps(told))


main(*sys.argv[1:])
