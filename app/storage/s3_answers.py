"""What S3 answers, in XML: read in one pass, and nothing in it stands for something else. Pure.

Declarations could: for a file, for what another server says, for a gigabyte.
"""

from __future__ import annotations

from xml.parsers import expat

MOST_DEPTH = 16
"""Of elements in elements: what S3 lists has four."""


class NotReadable(ValueError):
    """An answer is no XML, or none that S3 gives."""


def records(body: bytes, name: str) -> list[dict[str, str]]:
    """Of each element of this name, the text of the elements right in it, by theirs.

    Raises NotReadable, also if the answer was broken off.
    """
    return _Records(name).read(body)


class _Records:
    """One pass over an answer. `_path`: the names of the elements that are open."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._path: list[str] = []
        self._found: list[dict[str, str]] = []
        self._text: list[str] = []

    def read(self, body: bytes) -> list[dict[str, str]]:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._text.append
        parser.EndElementHandler = self._end
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise NotReadable(str(error)) from None
        return self._found

    def _start(self, tag: str, _attributes: object) -> None:
        self._path.append(tag.rpartition(":")[2])
        if len(self._path) > MOST_DEPTH:
            raise NotReadable(f"more than {MOST_DEPTH} elements are in one another")
        if self._path[-1] == self._name:
            self._found.append({})
        self._text.clear()

    def _end(self, _tag: str) -> None:
        ended = self._path.pop()
        if self._path and self._path[-1] == self._name and self._found:
            self._found[-1][ended] = "".join(self._text)
        self._text.clear()


def _refuse(*_: object) -> None:
    raise NotReadable("it declares a type of document")
