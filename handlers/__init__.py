"""When something happens in LiveKit, note it: one module per family of events.

A handler reads as one sentence, "when X, note Y and ask for Z". It writes facts and asks for jobs;
it never calls LiveKit, builds a path, loops or tries again.
"""

from app.webhooks.router import Router
from handlers import egress, participants, rooms, tracks

router = Router(rooms.router, participants.router, tracks.router, egress.router)
