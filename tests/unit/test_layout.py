"""The rules that keep the house in order: where things live and which way the arrows go."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("handlers/**/*.py")])
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service"}
PARTICIPLE = re.compile(r"(^|_)([a-z]+ed|(un)?(sent|told|made|kept|found|written|given|taken))$")
PARTICIPLES = {"confined", "embedded", "received", "stored"}
"""The modules that bear one all the same: well known, and imported by many."""
MOST_LINES = 300
TYPE_NAME = re.compile(r"[A-Z][a-z]")
# What every room may stand on. Modules right below app/ are named by themselves.
FRAME = {
    "errors",
    "settings",
    "logs",
    "metrics",
    "lru_cache",
    "cancellation",
    "models",
    "migrations",
    "store",
    "stretches",
    "tracing",
    "work",
    "context",
}
# room, or module right below app/ → what it may import besides the frame
ARROWS: dict[str, set[str]] = {
    # the store of moments, from its writer to its readers
    "media": set(),
    "storage": set(),
    "buffer": {"storage"},
    "indexing": {"buffer", "media", "processes", "storage"},
    "cleaning": {"buffer", "storage"},
    "viewing": {"buffer", "media", "storage", "processes"},
    # what people do with it
    "access": set(),
    "events": {"access"},
    "clips": {"access", "buffer", "events", "media", "storage", "viewing"},
    "captures": {
        "access", "buffer", "cleaning", "clips", "events", "media", "processes", "storage",
        "viewing",
    },
    # what LiveKit does
    "recording": {"access", "buffer", "cleaning", "events"},
    "webhooks": {"api", "recording"},
    # around all of them
    "serving": set(),
    "processes": set(),
    "condition": {"buffer", "cleaning", "clips", "recording", "serving", "storage"},
    "api": {
        "access", "buffer", "captures", "clips", "condition", "events", "media", "recording",
        "storage", "viewing",
    },
    "links": {"api", "clips", "media"},
    "kit": {"api"},
    "console": {"api"},
    "client": set(),
    "terminal": {"access", "client"},
    # each puts one process together
    "main": {"api", "condition", "console", "kit", "links", "serving", "webhooks"},
    "worker": {
        "access", "captures", "cleaning", "clips", "condition", "events", "recording",
    },
    "single": {"condition", "indexing", "main", "processes", "serving", "worker"},
    "__main__": {
        "access", "condition", "indexing", "main", "processes", "serving", "single", "terminal",
        "worker",
    },
}  # fmt: skip
FRAME_ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "settings": {"errors", "models"},
    "logs": {"settings"},
    "metrics": {"models"},
    "lru_cache": set(),
    "cancellation": set(),
    "models": {"errors"},
    "migrations": {"errors", "storage"},
    "store": {"cancellation", "models", "migrations"},
    "stretches": {"models", "store"},
    "tracing": {"errors", "settings"},
    "work": {"errors", "metrics", "models", "settings", "tracing"},
    "context": {"settings", "store", "storage", "work"},
}
IMPURE = {"starlette", "arq", "redis", "motor", "pymongo", "odmantic", "httpx", "aiohttp", "socket"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def dotted(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {dotted(path): path for path in SOURCES}


@cache
def tree_of(path: Path) -> ast.Module:
    """A module, parsed once for all that look at it."""
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = source_of(path, node)
            found |= {f"{source}.{alias.name}" for alias in node.names}
    return frozenset(found)


def source_of(path: Path, node: ast.ImportFrom) -> str:
    """The dotted name that names are imported from; of `from . import`, too."""
    above = name_of(path).split("/")[: -node.level] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


@cache
def modules_imported(path: Path) -> frozenset[str]:
    """Modules of ours that a module imports, or takes a name from."""
    found: set[str] = set()
    for name in imports(path):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        found |= {name} - {"", "app", dotted(path)}
    return frozenset(found)


def room_of(module: str) -> str:
    """`app.buffer.pins` → `buffer`; `app.main` → `main`; `handlers.tracks` → `handlers`."""
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == "app" and rest else top


def test_modules_have_names_that_say_something() -> None:
    """No module is a drawer for odds and ends."""
    assert [name_of(p) for p in SOURCES if p.stem in FORBIDDEN_NAMES] == []


def test_modules_are_named_by_what_they_hold() -> None:
    """Their names end with a noun: what was done to something is said of it, `copied_cut`."""
    ended = {path.stem for path in SOURCES if PARTICIPLE.search(path.stem)}
    assert ended == PARTICIPLES


def test_no_two_modules_share_a_name() -> None:
    """Who reads a name need not look where it was imported from; a room counts as one."""
    names: dict[str, list[str]] = {}
    for module in MODULES:
        if module.startswith("app."):
            names.setdefault(module.rpartition(".")[2], []).append(module)
    assert {name: where for name, where in names.items() if len(where) > 1} == {}


def test_no_two_classes_share_a_name() -> None:
    """Nor does a name that stands for a type."""
    names: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for name in public_types(tree_of(path)):
            names.setdefault(name, []).append(module)
    assert {name: where for name, where in names.items() if len(where) > 1} == {}


def public_types(tree: ast.Module) -> Iterator[str]:
    """Classes of a module, and names that are written as those of classes are."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (t.id for t in targets if isinstance(t, ast.Name) and TYPE_NAME.match(t.id))


def test_modules_are_short() -> None:
    """A module of more lines is two."""
    lines = {name_of(p): len(p.read_text().splitlines()) for p in SOURCES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_modules_say_what_they_are_for() -> None:
    """Each has a docstring."""
    texts = {name_of(p): p.read_text() for p in SOURCES}
    assert [n for n, text in texts.items() if not ast.get_docstring(ast.parse(text))] == []


def test_no_name_hides_an_import() -> None:
    """A name means one thing in a module: no argument or variable takes that of an import."""
    hidden = {
        f"{name_of(path)}: {function.name}: {name}"
        for path in SOURCES
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in bound_in(function) & imported_in(tree_of(path))
    }
    assert hidden == set()


def imported_in(module: ast.Module) -> set[str]:
    """Names that a module's imports at its top bind."""
    found = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(each.asname or each.name).partition(".")[0] for node in found for each in node.names}


def bound_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that a function binds: its arguments, and what it assigns."""
    stored = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return stored | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}


def test_every_room_is_in_the_table() -> None:
    """A new room, or a new module right below app/, says whom it may import."""
    rooms = {room_of(module) for module in MODULES} - {"app", "handlers"}
    assert rooms == ARROWS.keys() | FRAME_ARROWS.keys()
    assert FRAME_ARROWS.keys() == FRAME


def test_folders_of_tests_are_named_as_rooms() -> None:
    """What a room does is tried where its name says, and some things that are no room beside it."""
    levels = [ROOT / "tests/unit", ROOT / "tests/integration"]
    folders = {each.parent.name for level in levels for each in level.glob("*/__init__.py")}
    assert folders - ARROWS.keys() - FRAME == {"deploy", "chaos", "standin"}


def test_imports_go_only_along_the_arrows() -> None:
    """A room imports the frame, and the rooms that the table gives it."""
    wrong = []
    for module, path in MODULES.items():
        room = room_of(module)
        if room in ("app", "handlers"):
            continue
        may = FRAME_ARROWS[room] if room in FRAME else ARROWS[room] | FRAME
        wrong += [
            f"{module} → {other}"
            for other in modules_imported(path)
            if room_of(other) not in {room, "handlers", *may}
        ]
    assert wrong == []


def test_the_client_needs_nothing_of_ours_but_itself() -> None:
    """Its folder, copied to wherever it is wanted and under whatever name, is whole."""
    needed = {
        name for m, path in MODULES.items() if room_of(m) == "client" for name in imports(path)
    }
    assert {name for name in needed if name.startswith("app")} == {
        name for name in needed if name.startswith("app.client.")
    }
    texts = [path.read_text() for m, path in MODULES.items() if room_of(m) == "client"]
    assert not any(re.search(r"^\s*(from|import) app\b", text, re.M) for text in texts)


def used_arrows() -> set[tuple[str, str]]:
    """Pairs of rooms, or modules right below app/, of which the first imports the second."""
    pairs = {
        (room_of(m), room_of(o)) for m, path in MODULES.items() for o in modules_imported(path)
    }
    return {(room, other) for room, other in pairs if room != other}


def test_every_arrow_is_used() -> None:
    """The table gives no room more than it takes."""
    granted = {(room, other) for room, may in (ARROWS | FRAME_ARROWS).items() for other in may}
    assert granted - used_arrows() == set()


def test_nothing_goes_in_a_circle() -> None:
    """Neither rooms nor modules: each can be understood before what stands on it."""
    rooms: dict[str, set[str]] = {room_of(module): set() for module in MODULES}
    for room, other in used_arrows():
        rooms[room].add(other)
    assert circle(rooms) is None
    assert circle({module: modules_imported(path) for module, path in MODULES.items()}) is None


def circle(arrows: Mapping[str, Set[str]]) -> list[str] | None:
    """Nodes that can't be ordered, None if all can."""
    left = dict(arrows)
    while free := [node for node, others in left.items() if not others & left.keys()]:
        for node in free:
            del left[node]
    return sorted(left) or None


def test_only_the_command_line_hands_the_handlers_on() -> None:
    """Nothing else knows the handlers."""
    known = {name_of(p) for p in SOURCES if any(n.startswith("handlers") for n in imports(p))}
    assert known <= {"handlers/__init__.py", "app/__main__.py", "app/single.py"}


def test_no_process_of_the_service_loads_libav() -> None:
    """What strangers have encoded is read in other processes; and libav takes 17 MB."""
    program = "import sys, app.single, app.processes.supervisor; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_no_pattern_takes_a_newline_for_the_end() -> None:
    """`$` matches before a last newline, too: where a whole text must match, use fullmatch."""
    ending = re.compile(r"""re\.compile\(r?["'][^"']*\$["']""")
    assert [name_of(path) for path in SOURCES if ending.search(path.read_text())] == []


def test_only_handlers_take_webhook_events() -> None:
    """A function that takes a WebhookEvent lives in handlers/; the router only passes it on."""
    takers = []
    for path in SOURCES:
        if path.parent.name == "handlers" or path.name == "router.py":
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                taken = [ast.unparse(a.annotation) for a in node.args.args if a.annotation]
                takers += [f"{name_of(path)}: {node.name}"] if "WebhookEvent" in taken else []
    assert takers == []


def test_a_handler_reads_as_one_sentence() -> None:
    """Handlers note and ask: no loop, no retry, no LiveKit call, no path."""
    wrong = []
    for path in sorted(ROOT.glob("handlers/*.py")):
        tree = tree_of(path)
        loops = ast.For | ast.While | ast.AsyncFor | ast.Try
        wrong += [f"{name_of(path)}:{n.lineno}" for n in ast.walk(tree) if isinstance(n, loops)]
        far = ("livekit.api", "pathlib", "app.buffer")
        wrong += [f"{name_of(path)}: {name}" for name in imports(path) if name.startswith(far)]
        for node in tree.body:
            if isinstance(node, ast.AsyncFunctionDef):
                docstring = ast.get_docstring(node) or ""
                wrong += [] if docstring.startswith("When ") else [f"{name_of(path)}: {node.name}"]
    assert wrong == []


def behind(module: str) -> set[str]:
    """Modules of ours that are imported when one is, by whatever road, itself among them."""
    reached, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        parts = name.split(".")
        packages = {".".join(parts[:end]) for end in range(1, len(parts))} & MODULES.keys()
        waiting += modules_imported(MODULES[name]) | packages
    return reached


def test_pure_modules_import_no_io() -> None:
    """What calls itself pure brings in no web, queue, database or network library.

    Not by what it imports either.
    """
    docstrings = {name: ast.get_docstring(tree_of(path)) or "" for name, path in MODULES.items()}
    pure = [name for name, text in docstrings.items() if re.search(r"\bPure\b", text)]
    assert len(pure) > 20
    taken = {
        f"{name} by {other}: {library}"
        for name in pure
        for other in behind(name)
        for library in {each.split(".")[0] for each in imports(MODULES[other])} & IMPURE
    }
    assert taken == set()


def users_of(prefix: str) -> set[str]:
    """Modules that import something whose dotted name begins with `prefix`."""
    return {name_of(p) for p in SOURCES if any(i.startswith(prefix) for i in imports(p))}


def test_one_place_calls_livekit() -> None:
    """LiveKit's client is imported by its adapter alone."""
    services = {"app/recording/livekit_services.py"}
    assert users_of("livekit.api.room_service") == services
    assert users_of("livekit.api.egress_service") == services
    assert users_of("app.recording.livekit_services") == {"app/recording/livekit.py"}
    assert users_of("livekit.api.LiveKitAPI") == set()


def test_one_place_knows_the_queue() -> None:
    """arq is known to the queue and the worker."""
    assert users_of("arq") == {"app/work/queue.py", "app/worker.py"}


def test_one_place_knows_opentelemetry() -> None:
    """And it is imported where a collector is named."""
    assert users_of("opentelemetry") == {"app/tracing/telemetry.py"}
    assert users_of("app.tracing.telemetry") == {"app/tracing/collector.py"}


# Who has libav read media, and in which process.
READS_MEDIA = {
    "app/media/demux.py": "the parser; the worker, of what our own encoder has written",
    "app/media/loudness.py": "the parser",
    "app/media/keyframes.py": "the program of stills",
    "app/media/pictures.py": "the programs of stills and sheets",
    "app/media/sheets.py": "the program of sheets",
    "app/viewing/still_program.py": "the program of stills",
    "app/captures/verification_program.py": "the verifier",
}


def test_what_strangers_have_encoded_is_read_by_programs_with_limits() -> None:
    """Nobody else has libav read anything: it would run beside our secrets."""
    users = {name_of(p) for p in SOURCES if "av" in {i.partition(".")[0] for i in imports(p)}}
    assert users == READS_MEDIA.keys()


def test_one_place_reads_the_environment() -> None:
    """Settings come from app/settings; one other module passes the environment on to children.

    The package itself tells pydantic that it has no plugins, before anything else is loaded.
    """
    names = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    users = {
        name_of(path)
        for path in SOURCES
        if names & (imports(path) | {ast.unparse(n) for n in ast.walk(tree_of(path))
                                     if isinstance(n, ast.Attribute)})
    }  # fmt: skip
    assert users == {
        "app/__init__.py",
        "app/settings/__init__.py",
        "app/processes/bound_process.py",
    }


def test_one_place_writes_instants() -> None:
    """Answers, problems, events and films have them alike. The client writes what it asks for."""
    writers = {name_of(p) for p in SOURCES if ".isoformat(" in p.read_text()}
    assert writers == {"app/models/instants.py", "app/client/ask.py"}


def test_two_places_read_queries() -> None:
    """What an operation takes is read by its model; credentials, by themselves."""
    readers = {name_of(p) for p in SOURCES if ".query_params" in p.read_text()}
    assert readers == {"app/api/wire.py", "app/api/auth.py"}


def test_one_place_makes_problem_documents() -> None:
    """Our errors become HTTP answers in one module."""
    writers = {name_of(p) for p in SOURCES if "application/problem+json" in p.read_text()}
    assert writers <= {"app/api/problems.py", "app/api/openapi.py", "app/serving/refusals.py"}


# Where a path is made of what is neither written there nor checked, and why it may be.
JOINED_ELSEWHERE = {
    "app/storage/confined.py": "here it is checked",
    "app/processes/embedded.py": "names of our own stores, in a folder that nobody else shares",
    "app/processes/life_signs.py": "digits and a role, in a folder that was made for it",
    "app/processes/control_groups.py": "the kernel's own names of our control groups",
    "app/buffer/paths.py": "relative, of parts made there; checked when joined to a root",
    "app/cleaning/buffer_tree.py": "text for people: a stray is reached through its ForeignFolder",
    "app/viewing/still_program.py": "the number of a descriptor that was handed over",
}
JOINERS = {"joinpath", "with_name", "with_stem", "os.path.join", "path.join"}
TEXT = re.compile(r"(^|_)(folder|root|dir)_(text|name|prefix)$")
PLACE = re.compile(r"(^|_)(folder|root|path|dir|parent|place|directory|part|final)s?$")


def test_one_place_joins_names_to_paths() -> None:
    """A name from a row, a playlist, a URL or a folder goes through app/storage/confined.py.

    What is a path is known by its name or by its annotation; literals and constants may be joined.
    """
    wrong = [
        f"{name_of(path)}:{line}: {text}"
        for path in SOURCES
        if name_of(path) not in JOINED_ELSEWHERE
        for line, text in joins(tree_of(path))
    ]
    assert wrong == []


def joins(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where something that is no literal is joined to a path."""
    annotated = {
        each.arg if isinstance(each, ast.arg) else ast.unparse(each.target)
        for each in ast.walk(tree)
        if isinstance(each, ast.arg | ast.AnnAssign)
        and each.annotation is not None
        and re.search(r"\bPath\b", ast.unparse(each.annotation))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            if is_path(node.left, annotated) and not is_fixed(node.right):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.BinOp | ast.JoinedStr):
            if is_joined_text(pieces(node), annotated):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Path"):
            given = [each for arg in node.args for each in [*pieces(arg), ast.Constant("/")]]
            if len(given) > 2 and not all(is_fixed(each) for each in given[1:]):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            joiner = called in JOINERS or called.rpartition(".")[2] in JOINERS
            if joiner and not all(is_fixed(each) or is_own_name(each) for each in node.args):
                yield node.lineno, ast.unparse(node)


def pieces(node: ast.expr) -> list[ast.expr]:
    """What a text is put together of, by `+` or in an f-string."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*pieces(node.left), *pieces(node.right)]
    if isinstance(node, ast.JoinedStr):
        return [each for value in node.values for each in pieces(value)]
    return [node.value] if isinstance(node, ast.FormattedValue) else [node]


def is_joined_text(parts: list[ast.expr], annotated: set[str]) -> bool:
    """Whether a text is a path, a slash, and then a name, or nothing yet that one is added to."""
    for number, part in enumerate(parts[1:], 1):
        slash = isinstance(part, ast.Constant) and str(part.value).startswith("/")
        if slash and is_path_text(parts[number - 1], annotated):
            rest = parts[number + 1 :]
            return ast.unparse(part).endswith("/'") or not all(is_fixed(each) for each in rest)
    begins = is_path_text(parts[0], annotated, named=TEXT)
    return begins and not all(is_fixed(each) for each in parts[1:])


def is_path_text(node: ast.expr, annotated: set[str], named: re.Pattern[str] | None = None) -> bool:
    """Whether it is a path as text: `str(folder)`, or by its name."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("str", "os.fspath"):
        return any(is_path(each, annotated) for each in node.args)
    return bool(named.search(ast.unparse(node))) if named else is_path(node, annotated)


def is_path(node: ast.expr, annotated: set[str]) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return is_path(node.left, annotated)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        return called == "Path" or bool(PLACE.search(called)) or called in {"member", "inside"} or (
            isinstance(node.func, ast.Attribute) and is_path(node.func.value, annotated)
        )  # fmt: skip
    text = ast.unparse(node)
    return text in annotated or bool(PLACE.search(text.rpartition(".")[2]))


def is_fixed(node: ast.expr) -> bool:
    """A literal, or the name of a constant."""
    last = ast.unparse(node).rpartition(".")[2]
    return isinstance(node, ast.Constant) or bool(re.fullmatch(r"_?[A-Z][A-Z0-9_]*", last))


def is_own_name(node: ast.expr) -> bool:
    """The name of a path with something of ours behind it: `path.name + ".part"`."""
    if isinstance(node, ast.BinOp):
        return is_own_name(node.left) and is_fixed(node.right)
    if isinstance(node, ast.JoinedStr):
        values = [each.value for each in node.values if isinstance(each, ast.FormattedValue)]
        return all(is_own_name(v) or ast.unparse(v).startswith("secrets.") for v in values)
    return isinstance(node, ast.Attribute) and node.attr == "name"


def test_a_join_is_found_however_it_is_written() -> None:
    """The rule above sees what it is to see."""
    seen = [
        "folder / row['name']",
        "(root / 'x') / name",
        "member(folder, 'a') / name",
        "folder.joinpath(name)",
        "os.path.join(folder, name)",
        "part.with_name(given)",
        "folder / f'{name}.ts'",
        "inside(root, 'a').parent / name",
        "def f(where: Path): where / name",
        "folder_text + name",
        "str(folder) + '/' + name",
        "str(root) + name",
        "f'{folder}/{name}'",
        "f'{folder}/'",
        "f'{where.parent}/x-{name}.ts'",
        "Path(folder, name)",
        "Path(base, name)",
        "PurePosixPath('x', name)",
        "Path(f'{base}/{name}')",
        "Path(base + '/' + name)",
    ]
    for text in seen:
        assert list(joins(ast.parse(text))), text
    unseen = ["folder / 'x'", "root / BUFFER_ROOT", "width / height", "a.with_name(a.name + X)"]
    unseen += [
        "f'{folder}/x'",
        "f'{folder}: {error}'",
        "Path(base)",
        "Path(base, 'x')",
        "parts + more",
        "f'{path}/playlist.m3u8'",
    ]
    for text in unseen:
        assert not list(joins(ast.parse(text))), text


# Who opens or lists files by themselves, and why nothing that egress wrote is among them.
OPENS_FILES = {
    "app/storage": "here files of others are opened, and ours",
    "app/media": "files that it is given: fragments, clips and parts, which are ours",
    "app/captures": "parts and clips",
    "app/clips": "clips and their pictures",
    "app/kit/kit_routes.py": "its own module and types",
    "app/api/archive_routes.py": "clips, where they are kept",
    "app/api/file_routes.py": "clips, where they are kept",
    "app/indexing/fragment_files.py": "fragments and init segments",
    "app/indexing/parser.py": "what its caller has opened",
    "app/viewing/buffer_thumbnails.py": "fragments and init segments",
    "app/viewing/fragment_sources.py": "init segments",
    "app/viewing/stills.py": "fragments and clips",
    "app/condition/measures.py": "adds sizes up, opens no file and follows no link",
    "app/terminal": "what a person at the terminal names",
    "app/processes": "logs, locks and passwords in DATA_DIR",
    "app/console/assets.py": "the files of the page",
    "app/context.py": "a queue",
}
OPENERS = re.compile(
    r"(^|\.)(open|read_bytes|read_text|scandir|listdir|iterdir|r?glob|f?walk|rmtree|copy\w*)$"
)


def test_one_place_opens_what_egress_wrote() -> None:
    """A session's folder is reached through a ForeignFolder, which nothing can be opened by."""
    openers = {
        name_of(path)
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and OPENERS.search(ast.unparse(node.func))
    }
    known = {each for each in openers for place in OPENS_FILES if each.startswith(place)}
    assert openers - known == set()
    knowing = {name_of(p) for p in SOURCES if "BUFFER_ROOT" in p.read_text()}
    assert knowing == {
        "app/buffer/paths.py",
        "app/buffer/session_folders.py",
        "app/cleaning/buffer_tree.py",
        "app/condition/machine.py",
        "app/condition/measures.py",
        "app/indexing/indexer.py",
    }
