"""Several workers, and workers that are set up wrongly."""

from __future__ import annotations

import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from pathlib import Path

from livekit import api

from deploy.local.stack import ROOT, LiveKitStack
from tests.integration.standin.conftest import Field, Share, Webhooks


async def test_full_worker_leaves_the_next_to_another(tmp_path: Path) -> None:
    """With --max 1 two workers take one egress each, and each stops its own."""
    options = ["--max", "1"]
    async with (
        LiveKitStack(tmp_path, workers=2, egress_arguments=options) as stack,
        api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret) as lk,
    ):
        field = Field(stack, Webhooks(), lk, tmp_path / "out")
        share = await field.share("two", "alice", "--size", "320x180", "--fps", "10")
        ids = [await field.start("two", share.video_sid, share.audio_sid) for _ in range(2)]
        for egress_id in ids:
            await field.status(egress_id, "EGRESS_ACTIVE")
        logs = [stack.log(name) for name in ("egress", "egress2")]
        assert sorted(sum(egress_id in log for egress_id in ids) for log in logs) == [1, 1]
        for egress_id in ids:
            await field.stop(egress_id)
            await field.status(egress_id, "EGRESS_COMPLETE")
        await field.leave()


async def test_wrong_secret_fails_the_egress(tmp_path: Path) -> None:
    """A worker that the server does not let in says so in the egress's error."""
    options = ["--api-secret", "not-the-secret-not-the-secret-32"]
    async with (
        LiveKitStack(tmp_path, egress_arguments=options) as stack,
        api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret) as lk,
        Share(stack, "r", "alice", "--size", "320x180", "--no-audio") as share,
    ):
        field = Field(stack, Webhooks(), lk, tmp_path / "out")
        info = await field.status(await field.start("r", share.video_sid), "EGRESS_FAILED")
        assert info.error_code == 500
        assert "could not join the room" in info.error


async def test_missing_setting_is_named() -> None:
    """A worker without its settings does not start, and says which one is missing."""
    process = await create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.local.standin",
        "--redis",
        "127.0.0.1:9",
        cwd=ROOT,
        stderr=PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"no ws_url" in said
