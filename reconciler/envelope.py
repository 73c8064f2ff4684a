"""What manifests of all kinds share: `apiVersion`, `kind`, `metadata`, `lifecycle`, and `spec` as a mapping."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.resource import DEFAULT_LIFECYCLE, Lifecycle, OnImmutableChange, OnRemoval

API_VERSION = "reconciler/v1"
NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
NAME_LENGTH = 63


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Metadata(_Part):
    """What the tool calls the experiment."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=NAME_LENGTH)] = Field(
        description="Our name of the experiment, unique among manifests of its kind; lower-case letters, digits and -."
    )
    connection: str = Field(
        default="",
        min_length=1,
        json_schema_extra=_without_default,
        description="The connection of the project file to use; may be left out where its platform has just one.",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Free labels; their values are text.")
    importId: str = Field(
        default="",
        min_length=1,
        max_length=200,
        json_schema_extra=_without_default,
        description="The platform's id of a live experiment that this manifest takes over instead of creating one.",
    )
    movedFrom: str = Field(
        default="",
        pattern=NAME_PATTERN,
        min_length=1,
        max_length=NAME_LENGTH,
        json_schema_extra=_without_default,
        description="The name that the manifest had before, so that a new name keeps the experiment.",
    )


class LifecycleBlock(_Part):
    """What may become of the experiment when it cannot be changed in place, or when its manifest is removed."""

    onImmutableChange: Literal["block", "replace"] = Field(
        default="block",
        description="A change that the platform does not allow is blocked, or the experiment is ended and made anew.",
    )
    onRemoval: Literal["end", "abandon"] = Field(
        default="end",
        description="When the manifest is removed the experiment is ended, or left running and forgotten.",
    )
    preventDestroy: bool = Field(default=False, description="Block every change that would end the experiment.")
    ignoreChanges: list[str] = Field(
        default_factory=list, description="Fields of spec to leave as the platform has them."
    )

    def value(self) -> Lifecycle:
        """Give the block as the rest of the program knows it."""
        return Lifecycle(
            OnImmutableChange(self.onImmutableChange),
            OnRemoval(self.onRemoval),
            self.preventDestroy,
            tuple(dict.fromkeys(self.ignoreChanges)),
        )


class Envelope(_Part):
    """One manifest: one experiment."""

    apiVersion: Literal["reconciler/v1"] = Field(description="The version of this format.")
    kind: str = Field(description="The kind of experiment.")
    metadata: Metadata
    lifecycle: LifecycleBlock | None = None
    spec: dict[str, Any] = Field(description="The experiment, by the platform's own field names.")

    @property
    def rules(self) -> Lifecycle:
        """The lifecycle block, or the default one."""
        return self.lifecycle.value() if self.lifecycle else DEFAULT_LIFECYCLE
