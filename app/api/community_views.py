"""Communities, their rules and members: as callers are shown them, and as they give them."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, field_validator

from app.api.json_types import CommunityName, Count, Identity, Title
from app.api.wire import Input, View
from app.models import AccessMode, Action, CapturePolicy, Role, SharerRights
from app.models.free_text import TITLE_LENGTH, checked_title
from app.models.word_schema import words
from app.settings.values import RetentionMinutes, Shares, SharesOfOne

RoleWord = Annotated[str, words(Role), Field(description="What they are in the community.")]
GrantWords = Annotated[
    list[Annotated[str, words(Action)]],
    Field(description="What they may do there besides what their role may."),
]
AccessWord = Annotated[
    str,
    words(AccessMode),
    Field(description="Who may be buffered and capture: `open`, everybody; `rbac`, by role."),
]
PolicyWord = Annotated[
    str,
    words(CapturePolicy),
    Field(description="Whose shares one may watch and capture besides one's own."),
]
SharerRightsWord = Annotated[
    str,
    words(SharerRights),
    Field(
        description="What one may do with opened clips of one's screen that others have made, and "
        "a room's admin with those of the room."
    ),
]
CommunityTitle = Annotated[
    Title, Field(description="What people are shown of it: its name, unless an admin gave another.")
]
Enabled = Annotated[bool, Field(description="Whether its shares are recorded at all.")]
MostShares = Annotated[
    Count, Field(description="How many of its shares are recorded at once, at most.")
]
MostOfOne = Annotated[
    Count, Field(description="How many of one user's shares are, at most.", examples=[1])
]
RetentionShown = Annotated[
    float, Field(description="How many minutes media stays.", examples=[12.0])
]


class CeilingsView(View):
    """What no community's own limits may exceed."""

    max_concurrent: MostShares
    max_concurrent_per_user: MostOfOne
    retention_minutes: RetentionShown


class DefaultsView(View):
    """The rules of the instance, which hold where a community has none of its own."""

    max_concurrent: MostShares
    max_concurrent_per_user: MostOfOne
    access: AccessWord
    capture_policy: PolicyWord
    sharer_rights: SharerRightsWord
    retention_minutes: RetentionShown


class ConfigView(View):
    """The rules in force in a community."""

    community: CommunityName = Field(description="Whose rules these are.")
    title: CommunityTitle
    enabled: Enabled
    max_concurrent: MostShares
    max_concurrent_per_user: MostOfOne
    access: AccessWord
    capture_policy: PolicyWord
    sharer_rights: SharerRightsWord
    retention_minutes: RetentionShown
    own: list[str] = Field(
        description="The names of those that the community has set itself; the others are the "
        "instance's.",
        examples=[["capture_policy"]],
    )
    defaults: DefaultsView = Field(description="What holds where it has set nothing itself.")
    ceilings: CeilingsView = Field(description="What its own limits may not exceed.")


class ConfigRequest(Input):
    """A community's own rules. What is left out stays as it is; null: the instance's setting."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"capture_policy": CapturePolicy.ROOM, "retention_minutes": 15}]
        }
    )

    title: Annotated[str, Field(max_length=TITLE_LENGTH)] | None = Field(
        None,
        description="What people are shown of it, on one line, in place of its name, which stays: "
        f"rooms and tokens call it by that. At most {TITLE_LENGTH} characters. Empty: its name.",
        examples=["The guild"],
    )
    enabled: Annotated[bool, Field(strict=True)] = Field(
        True, description="Whether its shares are recorded at all."
    )
    max_concurrent: Annotated[Shares, Field(strict=True)] | None = Field(
        None, description="How many of its shares are recorded at once, at most.", examples=[20]
    )
    max_concurrent_per_user: Annotated[SharesOfOne, Field(strict=True)] | None = Field(
        None, description="How many of one user's shares are, at most.", examples=[1]
    )
    access: AccessMode | None = Field(
        None, description="Who may be buffered and capture: `open`, everybody; `rbac`, by role."
    )
    capture_policy: CapturePolicy | None = Field(
        None, description="Whose shares one may watch and capture besides one's own."
    )
    sharer_rights: SharerRights | None = Field(
        None,
        description="What one may do with opened clips of one's screen that others have made, and "
        "a room's admin with those of the room.",
    )
    retention_minutes: Annotated[RetentionMinutes, Field(strict=True)] | None = Field(
        None, description="How many minutes media stays.", examples=[15]
    )

    @field_validator("title")
    @classmethod
    def _clean(cls, value: str | None) -> str | None:
        return (checked_title(value) or None) if value is not None else None


class MemberView(View):
    """Somebody's role and single grants in a community."""

    community: CommunityName = Field(description="Where.")
    identity: Identity = Field(description="Who.")
    role: RoleWord
    grants: GrantWords


class MemberRequest(Input):
    """The role and the grants that somebody shall have, in place of those that they have."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"role": Role.MODERATOR}, {"grants": [Action.CAPTURE_REPLAY]}]
        }
    )

    role: Role = Field(Role.MEMBER, description="What they shall be in the community.")
    grants: Annotated[list[Action], Field(max_length=len(Action))] = Field(
        default_factory=list,
        description="What they may do there besides what their role may.",
    )
