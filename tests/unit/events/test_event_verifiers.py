"""The verifiers that app/events/README.md shows take our events, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.events import event_bodies
from tests import readme

TEXT = readme.section((readme.ROOT / "app/events/README.md").read_text(), "Verifying an event")
SECRET = "a-secret-of-32-bytes-or-a-bit-more"
NOW = datetime(2026, 11, 3, 10, 15, tzinfo=UTC)
BODY = '{"type": "clip_shared", "data": {"title": "🎬 \\u2028 é"}}'
MOST_LINES = 15
# Each reads a list of {body, header, secret, now} and prints a list of whether it is ours.
IN_JAVASCRIPT = """
const given = JSON.parse(await new Response(process.stdin).text());
console.log(JSON.stringify(given.map(({ body, header, secret, now }) =>
  verified(Buffer.from(body), header, secret, now * 1000) !== null)));
"""
IN_PYTHON = """
import sys
print(json.dumps([
    verified(each["body"].encode(), each["header"], each["secret"], each["now"]) is not None
    for each in json.load(sys.stdin)
]))
"""
IN_GO = """package main

import (
	"encoding/json"
	"os"
	"time"

	"example.com/events/verifying"
)

func main() {
	var given []struct {
		Body, Header, Secret string
		Now                  int64
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	var found []bool
	for _, each := range given {
		now := time.Unix(each.Now, 0)
		found = append(found, events.Verified([]byte(each.Body), each.Header, each.Secret, now))
	}
	json.NewEncoder(os.Stdout).Encode(found)
}
"""


def code(language: str) -> str:
    """What the text shows in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"there is no {name} on PATH: `deploy/setup --test` installs one"
    return found


def javascript(folder: Path) -> list[str]:
    (folder / "verify.mjs").write_text(code("js") + IN_JAVASCRIPT)
    return [program("node"), "verify.mjs"]


def python(folder: Path) -> list[str]:
    (folder / "verify.py").write_text(code("python") + IN_PYTHON)
    return [sys.executable, "verify.py"]


def go(folder: Path) -> list[str]:
    (folder / "go.mod").write_text("module example.com/events\n\ngo 1.19\n")
    (folder / "main.go").write_text(IN_GO)
    (folder / "verifying").mkdir()
    (folder / "verifying" / "verifying.go").write_text(code("go"))
    return [program("go"), "run", "."]


def sent(
    *, body: str = BODY, header: str | None = None, secret: str = SECRET, seconds: int = 0
) -> dict[str, object]:
    """A request as a verifier gets it, `seconds` after it was signed; by default a right one."""
    own = event_bodies.signature(SECRET, BODY.encode(), NOW)
    now = int((NOW + timedelta(seconds=seconds)).timestamp())
    return {"body": body, "header": own if header is None else header, "secret": secret, "now": now}


RIGHT = [sent(), sent(seconds=299), sent(seconds=-299)]
_OWN = str(sent()["header"])
_LATER = _OWN.replace("t=", "t=1")
WRONG = [
    sent(body=BODY + " "),
    sent(body=""),
    sent(secret="another-secret-of-32-bytes-or-more"),
    sent(seconds=301),
    sent(seconds=-301),
    *(
        sent(header=header)
        for header in (
            "", "t=", "t=,v1=", "v1=", "t=1", ",", "=", "é", "t=é,v1=é", _OWN + "0", _OWN[:-1],
            _OWN.replace("v1=", "v2="), _OWN.replace(",", ""), _LATER, _OWN.partition(",")[2],
            _OWN.partition(",")[0], "t=" + "9" * 5000 + ",v1=" + "0" * 64, f"{_OWN},{_OWN}",
            "t=-1,v1=" + "0" * 64, "t=0x1,v1=" + "zz" * 32,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("language", [javascript, python, go])
def test_a_verifier_takes_our_events_and_nothing_else(
    language: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    """Whatever stands in the header, the verifier answers."""
    command = language(tmp_path)
    given = json.dumps([*RIGHT, *WRONG])
    ran = subprocess.run(
        command, cwd=tmp_path, input=given, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout) == [True] * len(RIGHT) + [False] * len(WRONG)


@pytest.mark.parametrize("language", ["js", "python", "go"])
def test_a_verifier_is_short(language: str) -> None:
    """Without what is imported, and empty lines."""
    imports = r"^(import .*|import \(.*?^\)|package \w+|from .*)$"
    left = re.sub(imports, "", code(language), flags=re.MULTILINE | re.DOTALL if language == "go"
                  else re.MULTILINE)  # fmt: skip
    assert len([line for line in left.splitlines() if line.strip()]) <= MOST_LINES
