"""What an egress left behind, in one shape for the real one's files and the stand-in's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from livekit import api

REAL = Path(__file__).resolve().parents[2] / "data/real_egress"


@dataclass(frozen=True)
class Recording:
    """One share's webhooks, infos and files."""

    egress_id: str
    webhooks: list[dict[str, Any]]
    """In order of arrival: {"arrival", "headers", "raw", "body"}."""
    listed: list[dict[str, Any]]
    """EgressInfos that ListEgress gave, as they changed; protojson with proto names."""
    playlists: list[Path]
    """As a reader saw them, oldest first."""
    out: Path
    """The final folder."""
    whole: bool
    """All segments that the playlists name are there."""
    slowdown: float = 1.0
    """How slow the machine was meanwhile (tests.pace)."""

    @property
    def segments(self) -> list[Path]:
        return sorted(self.out.glob("*.ts"))

    @property
    def infos(self) -> list[dict[str, Any]]:
        """Each EgressInfo that a webhook carried, in order; protojson with proto names."""
        told = [event["egressInfo"] for event in self.egress_events]
        infos = [ParseDict(info, api.EgressInfo()) for info in told]
        return [MessageToDict(info, preserving_proto_field_name=True) for info in infos]

    @property
    def egress_events(self) -> list[dict[str, Any]]:
        bodies = [webhook["body"] for webhook in self.webhooks]
        return [body for body in bodies if body["event"].startswith("egress_")]


def real(share: str) -> Recording:
    """A share from tests/data/real_egress."""
    folder = REAL / share
    infos = json.loads((folder / "egressinfo_listegress_evolution.json").read_text())
    webhooks = (folder / "webhooks.jsonl").read_text().splitlines()
    return Recording(
        egress_id=infos[0]["info"]["egress_id"],
        webhooks=[json.loads(line) for line in webhooks],
        listed=[entry["info"] for entry in infos],
        playlists=sorted((folder / "playlists").glob("*.m3u8")),
        out=folder / "out",
        whole=False,
    )
