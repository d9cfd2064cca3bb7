"""A share whose egress uploads into a bucket: its rows, and what became of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from app.buffer import paths
from app.context import Context
from tests.egress_in_bucket import Bucket, BucketEgress
from tests.integration.buffer.shares import DiskShare, begin_share
from tests.media_factory import Recording


@dataclass
class FarShare(DiskShare):
    """Its `folder` is the prefix of its keys."""

    bucket: Bucket = field(kw_only=True)

    def uploaded(self) -> list[str]:
        prefix = f"{self.folder}/"
        return [key.removeprefix(prefix) for key in self.bucket.listed(prefix)]


async def begin_far_share(
    ctx: Context, bucket: Bucket, name: str, start: datetime, media: Recording, **given: Any
) -> FarShare:
    """Makes the rows that the recorder makes; media time 0 is at `start`."""
    near = await begin_share(ctx, name, start, media, **given)
    folder = Path(bucket.prefix, (await near.session())["folder"])
    shutil.rmtree(ctx.settings.media_root / paths.BUFFER_ROOT)  # where another egress would write
    egress = BucketEgress(folder, start, bucket=bucket)
    made = {key: value for key, value in vars(near).items() if key not in ("folder", "egress")}
    return FarShare(**made, folder=folder, egress=egress, bucket=bucket)
