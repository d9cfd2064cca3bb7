"""What this machine offers: enough cores for the encoding, a folder to share."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from app.condition.machine import cores, cores_for, media_root
from app.recording.encoding import named
from app.settings import Settings, load
from app.storage.name_claims import ASIDE


def settings(**given: object) -> Settings:
    return load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32, **given)


@pytest.mark.parametrize(
    ("chosen", "measured"),
    [("1280x720@15:1500", 0.7), ("H264_1080P_30", 1.8), ("H264_1080P_60", 2.7)],
)
def test_the_estimate_is_near_what_was_measured(chosen: str, measured: float) -> None:
    assert cores_for(named(chosen, 0, 0)) == pytest.approx(measured, rel=0.2)


def test_cores_are_judged_only_where_egress_may_run() -> None:
    assert cores(settings(encoding="640x360@15:600")).level == "ok"
    assert cores(settings(encoding="1920x1080@960:6000")).level == "warn"
    assert cores(settings(livekit_url="wss://livekit.example")).level == "unknown"


def test_the_probe_of_the_media_root_leaves_nothing(tmp_path: Path) -> None:
    root = tmp_path / "not/there yet"
    found = media_root(settings(file_upload_dest=root))
    assert found.level == "ok", found
    assert list((root / "replay-buffer").iterdir()) == []


def test_what_the_group_of_egress_could_get_at_is_told(tmp_path: Path) -> None:
    """The root, which it could rename folders in, and folders of ours; not its own."""
    root = tmp_path / "media"
    for name, mode in (("replays", 0o750), ("fragments", 0o700), ("replay-buffer", 0o2770)):
        (root / name).mkdir(parents=True)
        (root / name).chmod(mode)
    root.chmod(0o2770)
    found = media_root(settings(file_upload_dest=root))
    assert found.level == "warn"
    assert found.advice == f"chmod go-rwx {root}/replays; chmod go-w {root}"
    subprocess.run(found.advice, shell=True, check=True)
    found = media_root(settings(file_upload_dest=root))
    assert found.level == "ok", found


def test_what_was_in_the_way_of_a_folder_is_told_until_it_is_gone(tmp_path: Path) -> None:
    rooms = tmp_path / "replay-buffer"
    (rooms / "room-0123456789").mkdir(parents=True)
    for number in range(2):
        (rooms / f"{ASIDE}{number}").mkdir()
    found = media_root(settings(file_upload_dest=tmp_path))
    assert found.level == "warn"
    assert f"{rooms}/{ASIDE}" in found.detail
    assert "and 1 more" in found.detail
    subprocess.run(found.advice.partition("as root: ")[2], shell=True, check=True)
    assert media_root(settings(file_upload_dest=tmp_path)).level == "ok"
    assert [each.name for each in rooms.iterdir()] == ["room-0123456789"]


def test_the_probe_of_the_media_root_follows_nothing_of_egress(tmp_path: Path) -> None:
    """Egress writes there, too: a name that it can foresee leads where egress wants."""
    ours = tmp_path / "fragments"
    ours.mkdir(mode=0o700)
    (tmp_path / "replay-buffer").mkdir()
    (tmp_path / f"replay-buffer/.doctor-{os.getpid()}").symlink_to(ours)
    found = media_root(settings(file_upload_dest=tmp_path))
    assert found.level == "ok", found
    assert stat.S_IMODE(ours.stat().st_mode) == 0o700
    assert list(ours.iterdir()) == []
