"""The kit: what is served, packed and told of it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import httpx
import pytest

from app.kit.kit_routes import FOLDER
from app.main import create_app
from app.settings import load
from deploy.examples.react import __main__ as react
from deploy.local.stack import ROOT
from handlers import router
from tests import npm

MODULE = (FOLDER / "replay.js").read_text()
TYPES = (FOLDER / "replay.d.ts").read_text()
README = (FOLDER / "README.md").read_text()
MOST_BYTES = 12_000
TYPES_BY_FILE = {"replay.js": "text/javascript", "replay.d.ts": "application/typescript"}
ORIGIN = "https://app.example"


def asking(**settings: str) -> httpx.AsyncClient:
    given = {"livekit_api_key": "key", "livekit_api_secret": "s" * 32} | settings
    app = create_app(load(_env_file=None, **given), router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def test_it_is_small() -> None:
    """As it is served, comments and all."""
    assert len(gzip.compress(MODULE.encode())) < MOST_BYTES


def test_it_is_one_module_that_needs_nothing() -> None:
    """No import but of types, which the type checker reads, and no code of strings."""
    assert re.findall(r"^\s*(?:import|export .* from) ", MODULE, re.MULTILINE) == []
    assert re.findall(r"(?<!typeof )\bimport\(|\beval\b|innerHTML|new Function", MODULE) == []


@pytest.mark.parametrize("allowed", ["", ORIGIN])
@pytest.mark.parametrize("name", TYPES_BY_FILE)
async def test_pages_of_any_origin_may_import_it(name: str, allowed: str) -> None:
    """Whoever may call the API; and who has it already is told so."""
    async with asking(cors_origins=allowed) as http:
        for origin in (ORIGIN, "https://other.example"):
            answer = await http.get(f"/kit/{name}", headers={"Origin": origin})
            assert answer.status_code == 200
            assert answer.text == (FOLDER / name).read_text()
            assert answer.headers["Content-Type"].split(";")[0] == TYPES_BY_FILE[name]
            assert answer.headers["Access-Control-Allow-Origin"] in ("*", origin)
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-cache"
        known = {"If-None-Match": answer.headers["ETag"]}
        assert (await http.get(f"/kit/{name}", headers=known)).status_code == 304


async def test_nothing_else_of_its_folder_is_served() -> None:
    async with asking() as http:
        for name in ("", "package.json", "README.md", "kit_routes.py", "../kit/kit_routes.py"):
            assert (await http.get(f"/kit/{name}")).status_code == 404


def test_it_packs_for_npm() -> None:
    """The module, its types and what is told of it; and the same version as the service."""
    program = shutil.which("npm")
    assert program, "there is no npm on PATH: `deploy/setup --test` installs one"
    command = [program, "pack", "--dry-run", "--json", "--offline"]
    ran = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    (packed,) = told.values() if isinstance(told, dict) else told
    files = {each["path"] for each in packed["files"]}
    assert files == {"package.json", "README.md", "replay.js", "replay.d.ts", "react.d.ts"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert packed["version"] == project["version"]


def test_all_that_it_exports_has_a_type_and_nothing_else_has() -> None:
    exported = r"^export (?:function|const) (\w+)"
    found = set(re.findall(exported, MODULE, re.MULTILINE))
    assert found == set(re.findall(exported, TYPES, re.MULTILINE)) == {"attach", "texts"}


def test_what_is_to_be_pasted_fits_livekit_client(tmp_path: Path) -> None:
    """The lines of the README, as they stand, by the types of the real Room and of the kit."""
    npm.NODE.install()
    pasted = "\n".join(re.findall(r"^ *```js\n(.*?)```", README, re.DOTALL | re.MULTILINE))
    assert "attach(room, { token })" in pasted
    address = "https://replay.example.com/kit/replay.js"
    assert pasted.count(address) == 1
    app = pasted.replace(address, str(FOLDER / "replay.js"))
    given = "import { Room } from 'livekit-client';\ndeclare const room: Room;\n"
    (tmp_path / "app.ts").write_text(given + app)
    (tmp_path / "node_modules").symlink_to(npm.NODE.folder / "node_modules")
    config = {
        "extends": str(ROOT / "app/console/tsconfig.json"),
        "files": ["app.ts"],
        "include": [],
        "compilerOptions": {"skipLibCheck": True},
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    command = [str(npm.NODE.programs / "tsc"), "--project", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout


REACT = """
export interface HTMLAttributes<T> {
  onClick?: (event: T) => void; style?: object; children?: unknown
}
export type DetailedHTMLProps<E, T> = { key?: string; ref?: (element: T | null) => void } & E;
export namespace JSX {
  interface Element {}
  interface ElementChildrenAttribute { children: {} }
  interface IntrinsicElements { button: HTMLAttributes<HTMLButtonElement> }
}
"""
"""As much of React's types as the kit adds to."""
TSX = """
import type {} from 'replay-kit/react';
import { attach } from 'replay-kit';
import type { RoomLike } from 'replay-kit';

export function Bar({ room }: { room: RoomLike }) {
  const replay = attach(room, { token: 'a-token' });
  return (
    <replay-clip-button last={30} hotkey="alt+c" private replay={replay} style={{ color: 'red' }}
      onreplay-error={({ detail }) => console.log(detail.title, detail.clip?.id)}>
      <button><replay-badge identity="bob" /><replay-clip clip-id="c1" /></button>
    </replay-clip-button>
  );
}
"""


@pytest.mark.parametrize(
    ("written", "fault"), [("last={30}", ""), ("last={true}", "'true' is not assignable")]
)
def test_elements_have_types_in_tsx(tmp_path: Path, written: str, fault: str) -> None:
    npm.NODE.install()
    (tmp_path / "bar.tsx").write_text(TSX.replace("last={30}", written))
    modules = tmp_path / "node_modules"
    (modules / "react").mkdir(parents=True)
    (modules / "react/index.d.ts").write_text(REACT)
    (modules / "react/jsx-runtime.d.ts").write_text("export { JSX } from './index.js';\n")
    shutil.copytree(FOLDER, modules / "replay-kit")
    config = {
        "extends": str(ROOT / "app/console/tsconfig.json"),
        "files": ["bar.tsx"],
        "include": [],
        "compilerOptions": {"jsx": "react-jsx"},
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    command = [str(npm.NODE.programs / "tsc"), "--project", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ran.returncode == 0) == (fault == ""), ran.stdout
    assert fault in ran.stdout


def test_react_apps_are_bundled_with_livekits_components(tmp_path: Path) -> None:
    """The example, and what is to be pasted; the kit as the package that npm makes of it."""
    (pasted,) = re.findall(r"^```jsx\n(.*?)```", README, re.DOTALL | re.MULTILINE)
    (tmp_path / "pasted.jsx").write_text(pasted)
    for app in (tmp_path / "pasted.jsx", react.FOLDER / "app.jsx"):
        made = react.bundle(app, tmp_path / "made").joinpath(f"{app.stem}.js").read_text()
        for name in ("replay-clip-button", "onreplay-clip", "lk.chat", "text/event-stream"):
            assert name in made


def test_the_readme_tells_of_what_there_is() -> None:
    """Each call of a Replay, each element, attribute, part and event; and of no others."""
    (members,) = re.findall(r"export interface Replay \{(.*?)^\}", TYPES, re.DOTALL | re.MULTILINE)
    calls = set(re.findall(r"^  (\w+)\(", members, re.MULTILINE)) | {"attach"}
    assert set(re.findall(r"^\| `(\w+)\(", README, re.MULTILINE)) == calls
    rows = [row.split("|") for row in re.findall(r"^\| `<replay-.*", README, re.MULTILINE)]
    elements = {named(row[1]).pop() for row in rows}
    assert elements == set(re.findall(r"'(replay-[a-z-]+)': \w+(?:Button|Element)\b", MODULE))
    attributes = set(re.findall(r"(?:get|set|has|toggle)Attribute\('([a-z-]+)'", MODULE))
    assert set().union(*(named(row[2]) for row in rows)) == attributes
    parts = set(re.findall(r"partOf\('\w+', '(\w+)'", MODULE))
    assert set().union(*(named(row[3]) for row in rows)) == parts
    events = set(re.findall(r"tell\('([a-z-]+)'", MODULE))
    assert set().union(*(named(row[4]) for row in rows)) == events
    properties = set(re.findall(r"var\((--[a-z-]+)", MODULE))
    assert set(re.findall(r"(--[a-z-]+):", README)) == properties


def named(cell: str) -> set[str]:
    """The names in code of a cell."""
    return set(re.findall(r"`<?([a-z-]+)>?`", cell))
