"""The psrpc messages, built at run time.

The wheel livekit-protocol has neither psrpc's package `internal` nor `rpc`. The field numbers are
those of psrpc v0.7.2 (internal.proto) and of livekit/protocol v1.50.5 (rpc/*.proto); fields that no
one needs here are left out, protobuf skips them. The package is named `egstandin`, so that the
real ones could be loaded beside it; the real name travels only in `Msg.type_url`.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from livekit.protocol import egress  # noqa: F401 - puts livekit_egress.proto into the pool

_SCALARS = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "float": descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
}

_MESSAGES = {
    "Msg": "string type_url=1, bytes value=2, string channel=3",
    "Request": "string request_id=1, string client_id=2, int64 sent_at=3, int64 expiry=4, "
    "bool multi=5, bytes raw_request=8",
    "Response": "string request_id=1, string server_id=2, int64 sent_at=3, string error=5, "
    "string code=6, bytes raw_response=7",
    "ClaimRequest": "string request_id=1, string server_id=2, float affinity=3",
    "ClaimResponse": "string request_id=1, string server_id=2",
    "StartEgressRequest": "string egress_id=1, string room_id=3, "
    "livekit.TrackCompositeEgressRequest track_composite=6",
}


def _build() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="egstandin.proto",
        package="egstandin",
        syntax="proto3",
        dependency=["livekit_egress.proto"],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.split(", "):
            kind, _, rest = field.partition(" ")
            field_name, _, number = rest.partition("=")
            added = message.field.add(name=field_name, number=int(number))
            added.label = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
            if kind in _SCALARS:
                added.type = _SCALARS[kind]
            else:
                added.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                added.type_name = f".{kind}"
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"egstandin.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _build()
Msg = _CLASSES["Msg"]
Request = _CLASSES["Request"]
Response = _CLASSES["Response"]
ClaimRequest = _CLASSES["ClaimRequest"]
ClaimResponse = _CLASSES["ClaimResponse"]
StartEgressRequest = _CLASSES["StartEgressRequest"]


def wrap(message: Any) -> bytes:
    """`message` as the payload of a PUBLISH: a `Msg` that names its type."""
    type_url = f"type.googleapis.com/internal.{message.DESCRIPTOR.name}"
    payload: bytes = Msg(type_url=type_url, value=message.SerializeToString()).SerializeToString()
    return payload


def unwrap(payload: bytes) -> Any:
    """The message in the payload of a PUBLISH.

    :raises ValueError: the payload is no `Msg`, or its type is not one of psrpc's four.
    """
    try:
        envelope = Msg.FromString(payload)
        name = envelope.type_url.rpartition("internal.")[2]
        if name in ("Request", "Response", "ClaimRequest", "ClaimResponse"):
            return _CLASSES[name].FromString(envelope.value)
    except Exception as error:  # protobuf's DecodeError class differs between its implementations
        raise ValueError(f"not a psrpc message: {error}") from error
    raise ValueError(f"unknown psrpc message type {envelope.type_url!r}")
