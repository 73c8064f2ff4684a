"""What manifests of all kinds share: `apiVersion`, `kind`, `metadata`, `lifecycle`, and `spec` as a mapping."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.model.hypothesis import DEFAULT_ALPHA, DEFAULT_POWER, Hypothesis
from reconciler.model.resource import DEFAULT_LIFECYCLE, Lifecycle, OnImmutableChange, OnRemoval

API_VERSION = "reconciler/v1"
NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
NAME_LENGTH = 63


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _figures_go_together(schema: dict[str, Any]) -> None:
    schema["not"] = {"required": ["relativeEffect", "absoluteEffect"]}
    schema["dependencies"] = {
        "baseline": {"anyOf": [{"required": ["relativeEffect"]}, {"required": ["absoluteEffect"]}]},
        **{name: ["baseline"] for name in ("relativeEffect", "absoluteEffect", "dailyTraffic", "alpha", "power")},
    }


class HypothesisBlock(_Part):
    """What the experiment looks for: figures for advice on its size, which no platform is told."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra=_figures_go_together
    )

    baseline: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="The rate without the change, as a share: 0.04 is 4 %."
    )
    relativeEffect: Annotated[float, Field(gt=-1, le=100)] | None = Field(
        default=None, description="The least difference worth finding, as a part of the baseline: 0.1 is 4 % to 4.4 %."
    )
    absoluteEffect: Annotated[float, Field(gt=-1, lt=1)] | None = Field(
        default=None, description="The same as a difference of rates, instead of relativeEffect: 0.004 is 4 % to 4.4 %."
    )
    dailyTraffic: Annotated[float, Field(gt=0, le=1e10)] | None = Field(
        default=None, description="People that come into the experiment a day, all arms together."
    )
    alpha: Annotated[float, Field(gt=0, lt=0.5)] | None = Field(
        default=None,
        description="How likely a difference may be found where there is none, two-sided; when not stated, what the "
        f"platform's confidence leaves, else {DEFAULT_ALPHA}.",
    )
    power: Annotated[float, Field(ge=0.5, lt=1)] | None = Field(
        default=None,
        description=f"How likely a difference that is there shall be found; {DEFAULT_POWER} usually.",
    )
    audience: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="A name for the people it reaches; two experiments with one name reach the same."
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        """Refuse figures that mean nothing without each other, and rates outside of 0 to 1."""
        stated = [name for name in ("relativeEffect", "absoluteEffect") if getattr(self, name) is not None]
        if len(stated) == 2:
            raise PydanticCustomError("hypothesis", "relativeEffect and absoluteEffect say the same; state one of them")
        if self.baseline is None:
            more = ("dailyTraffic", "alpha", "power")
            stated += [name for name in more if getattr(self, name) is not None]
            if stated:
                words = f"{', '.join(stated)} {'means' if len(stated) == 1 else 'mean'}"
                raise PydanticCustomError("hypothesis", "{words} nothing without baseline", {"words": words})
            return self
        if not stated:
            raise PydanticCustomError("hypothesis", "baseline needs relativeEffect or absoluteEffect beside it")
        effect = self.effect or 0.0
        if not effect:
            raise PydanticCustomError("hypothesis", "{name} is 0; there is nothing to find", {"name": stated[0]})
        if not 0 < self.baseline + effect < 1:
            rate = f"{self.baseline + effect:.6g}"
            raise PydanticCustomError(
                "hypothesis",
                "baseline and {name} come to a rate of {rate}; it has to be between 0 and 1",
                {"name": stated[0], "rate": rate},
            )
        return self

    @property
    def effect(self) -> float | None:
        """The least difference worth finding, as a difference of rates."""
        if self.baseline is not None and self.relativeEffect is not None:
            return self.baseline * self.relativeEffect
        return self.absoluteEffect

    def value(self) -> Hypothesis:
        """Give the block as the rest of the program knows it."""
        return Hypothesis(
            baseline=self.baseline,
            effect=self.effect,
            daily_traffic=self.dailyTraffic,
            alpha=self.alpha,
            power=DEFAULT_POWER if self.power is None else self.power,
            audience=(self.audience or "").strip(),
        )


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
    hypothesis: HypothesisBlock | None = None


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
