"""What S3 answers in XML: what is read of it, and that nothing in it takes long."""

from __future__ import annotations

from contextlib import suppress

import pytest

from app.storage.s3_answers import NotReadable, records
from app.storage.s3_requests import ANSWER_BYTES
from tests.pace import ProcessorTime

UPLOADS = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Bucket>clips</Bucket><KeyMarker></KeyMarker>
  <Upload><Key>a&amp;b.mp4</Key><UploadId>VXBsb2Fk</UploadId>
    <Owner><ID>75aa57f0</ID><DisplayName>us</DisplayName></Owner>
    <Initiated>2026-11-10T20:48:33.000Z</Initiated></Upload>
  <Upload><Key>c.mp4</Key><UploadId/></Upload>
</ListMultipartUploadsResult>"""


def test_the_fields_of_each_record_are_read() -> None:
    first, second = records(UPLOADS, "Upload")
    assert (first["Key"], first["UploadId"]) == ("a&b.mp4", "VXBsb2Fk")
    assert "ID" not in first
    assert second == {"Key": "c.mp4", "UploadId": ""}
    assert records(UPLOADS, "VersioningConfiguration") == []


def test_a_prefix_of_names_changes_nothing() -> None:
    told = b'<s:R xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:A><s:B>1</s:B></s:A></s:R>'
    assert records(told, "A") == [{"B": "1"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"\x1f\x8b\x08\x00packed",
        UPLOADS[:-20],
        b'<?xml version="1.0" encoding="nobody-knows"?><a>\xff</a>',
        b"<a>" * 17 + b"</a>" * 17,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
        b"<a>&b;</a>",
    ],
)
def test_what_s3_does_not_answer_is_refused(body: bytes) -> None:
    with pytest.raises(NotReadable):
        records(body, "Upload")


@pytest.mark.parametrize(
    ("again", "around"),
    [
        (b"<Upload>", (b"", b"")),
        (b"<Upload></Upload>", (b"<a>", b"</a>")),
        (b"<Upload><Key>", (b"<a>", b"</a>")),
        (b"<a/>", (b"<Upload>", b"</Upload>")),
        (b"&lt;", (b"<Upload><Key>", b"</Key></Upload>")),
        (b" a", (b"<a", b"/>")),
        (b"<!--", (b"<a>", b"</a>")),
    ],
)
def test_no_answer_takes_long(again: bytes, around: tuple[bytes, bytes]) -> None:
    """Of any kind, as large as any that is read: a process waits that long."""
    body = again.join((around[0], again * ((ANSWER_BYTES - 100) // len(again)), around[1]))
    with ProcessorTime() as cost, suppress(NotReadable):
        records(body, "Upload")
    assert cost.seconds < 0.5
