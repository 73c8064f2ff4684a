"""The shape of the project file; what pydantic cannot say stands in `load.py`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

DEFAULT_MANIFESTS = ("experiments/**/*.yaml",)
DEFAULT_STATE_PATH = ".reconciler/state.json"


def _whole(value: Any) -> Any:
    """Refuse `true` and `1.0`, which Python holds equal to 1."""
    if type(value) is not int:
        raise PydanticKnownError("literal_error", {"expected": "1"})
    return value


Refresh = Literal["full", "incremental"]
Version = Annotated[Literal[1], BeforeValidator(_whole)]
Text = Annotated[str, Field(min_length=1)]
Percent = Annotated[int | float, Field(ge=0, le=100)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ConnectionEntry(_Part):
    """One named way into one platform. `${NAME}` and `${NAME:-default}` read environment variables."""

    platform: Text = Field(description="The platform.")
    base_url: Text | None = Field(
        default=None, description="Where the API is; https, or http on this machine. A path prefix is kept."
    )
    api_version: Text | None = Field(default=None, description="The API version, quoted.")
    accounts: list[Text] = Field(
        default_factory=list, description="Accounts where `import --all` and `drift --unmanaged` look."
    )
    auth: dict[str, Text] | None = Field(
        default=None, description="Credentials. Secrets are references such as ${NAME}, never written out."
    )
    refresh: Refresh | None = Field(
        default=None,
        description="How a plan reads what is recorded: full (usual), or incremental, only what has changed since.",
    )


Backend = Literal["file", "git", "s3", "gcs", "azure"]


class StatePlace(_Part):
    """What says where a state is kept, apart from the file's path; which keys go together is in `rules.py`."""

    remote: Text | None = Field(default=None, description="git: the name of the remote; origin when not stated.")
    ref: Text | None = Field(
        default=None, description="git: the ref; refs/reconciler/NAME of the environment, or refs/reconciler/state."
    )
    bucket: Text | None = Field(default=None, description="s3, gcs: the bucket; azure: the container.")
    prefix: Text | None = Field(default=None, description="s3, gcs, azure: the folder in the bucket.")
    region: Text | None = Field(default=None, description="s3: the region; otherwise that of the surroundings.")
    endpoint: Text | None = Field(default=None, description="s3, azure: the address of a compatible server.")
    account: Text | None = Field(default=None, description="azure: the storage account.")
    lock_expires: Text | None = Field(
        default=None,
        description="How long a lock holds without being renewed: 90s, 30m, 2h (the default), 1d, or never.",
    )


class StateEntry(StatePlace):
    """Where the record of what is managed is kept."""

    backend: Backend = Field(default="file", description="The kind of store.")
    path: Text = Field(default=DEFAULT_STATE_PATH, description="file: the file, relative to the project's folder.")


class GuardsEntry(_Part):
    """How much one run may destroy or change before it has to be allowed expressly; null means no limit."""

    maxDestroy: Annotated[int, Field(ge=0)] | None = Field(
        default=5, description="Experiments that one run may end without --allow-destroy=N."
    )
    maxDestroyPercent: Percent | None = Field(
        default=30, description="The same in percent of the managed experiments, from 10 managed ones up."
    )
    maxChangePercent: Percent | None = Field(
        default=None, description="Experiments that one run may change, in percent, from 10 managed ones up."
    )


class ConnectionOverride(_Part):
    """What an environment says of a connection, over what the file says outside; a new one needs its platform."""

    platform: Text | None = Field(default=None, description="The platform, for a connection of this environment alone.")
    base_url: Text | None = Field(default=None, description="Where the API is.")
    api_version: Text | None = Field(default=None, description="The API version, quoted.")
    accounts: list[Text] | None = Field(default=None, description="Accounts, in the place of those outside.")
    auth: dict[str, Text] | None = Field(
        default=None,
        description="Credentials, key by key over those outside; a full set of another sort takes their place.",
    )
    refresh: Refresh | None = Field(default=None, description="How a plan reads what is recorded.")


class StateOverride(StatePlace):
    """Where an environment keeps its state: never where another does."""

    backend: Backend | None = Field(default=None, description="The kind of store.")
    path: Text | None = Field(
        default=None, description="file: the file; .reconciler/NAME/state.json when not stated. Never shared."
    )


class EnvironmentEntry(_Part):
    """One environment: what it states stands over the rest of the file."""

    default: bool = Field(default=False, description="Whether commands without --env use this one.")
    variables: dict[str, Any] = Field(default_factory=dict, description="Variables, over those outside, each whole.")
    connections: dict[Text, ConnectionOverride] = Field(default_factory=dict, description="Connections, by name.")
    state: StateOverride = Field(default_factory=StateOverride)
    guards: GuardsEntry = Field(default_factory=GuardsEntry)
    manifests: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None, description="Patterns of manifest files, in the place of those outside."
    )


class DefaultMetadata(_Part):
    """Metadata that manifests of a kind share."""

    connection: Text | None = Field(default=None, description="The connection to use.")
    labels: dict[str, Any] = Field(default_factory=dict, description="Labels, over which a manifest's own stand.")
    hypothesis: dict[str, Any] = Field(default_factory=dict, description="As in a manifest, any part of it.")


class DefaultsEntry(_Part):
    """What manifests of one kind say when they do not say otherwise; lists are replaced whole."""

    metadata: DefaultMetadata = Field(default_factory=DefaultMetadata)
    lifecycle: dict[str, Any] = Field(default_factory=dict, description="As in a manifest.")
    spec: dict[str, Any] = Field(default_factory=dict, description="As in a manifest, any part of it.")


class PolicyCase(_Part):
    """One row of a policy's table of test cases."""

    name: Text | None = Field(default=None, description="What the case shows.")
    given: dict[str, Any] = Field(
        default_factory=dict, description="Variables that are not as usual: experiment, change, live, project, now …"
    )
    expect: Literal["pass", "fail", "skip"] = Field(
        description="pass: the policy holds; fail: it does not; skip: it does not apply (match is false)."
    )
    message: Text | None = Field(default=None, description="Text that the message of a failure has to contain.")


class PolicyEntry(_Part):
    """One guardrail: a ready one (use), one of the project's own (name, assert), or a file of them (include)."""

    use: Text | None = Field(default=None, description="A ready policy; `reconciler policy list` lists them.")
    params: dict[str, Any] | None = Field(default=None, description="What the ready policy is told.")
    include: Text | None = Field(default=None, description="A file of policies inside the project.")
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)] | None = Field(
        default=None, description="What it is called; lower-case letters, digits and -."
    )
    match: Text | None = Field(default=None, description="CEL: which experiments it is about; all when not stated.")
    asserts: Text | None = Field(default=None, alias="assert", description="CEL: what has to be true of them.")
    message: Text | None = Field(default=None, description="What to say when it is not; {{ CEL }} puts values in.")
    severity: Literal["error", "warn"] | None = Field(
        default=None, description="error (usual): the change is blocked; warn: it is a warning."
    )
    overridable: bool | None = Field(
        default=None, description="Whether a label or --override-policy may set it aside; true when not stated."
    )
    cases: list[PolicyCase] | None = Field(default=None, description="Test cases, for `reconciler policy test`.")


class PolicyFile(_Part):
    """A file of policies that a project file includes."""

    policies: list[PolicyEntry] = Field(description="The policies.")


class ProjectEntry(_Part):
    """The project file of reconciler, `reconciler.yaml`."""

    version: Version = Field(description="The version of this format.")
    manifests: Annotated[list[Text], Field(min_length=1)] = Field(
        default=list(DEFAULT_MANIFESTS), description="Patterns of manifest files, relative to the project's folder."
    )
    connections: dict[Text, ConnectionEntry] = Field(
        default_factory=dict, description="Named ways into platforms; manifests refer to the names."
    )
    state: StateEntry = Field(default_factory=StateEntry)
    guards: GuardsEntry = Field(default_factory=GuardsEntry)
    variables: dict[str, Any] = Field(
        default_factory=dict, description="Values that expressions {{ … }} in manifests may use, by name."
    )
    defaults: dict[str, DefaultsEntry] = Field(
        default_factory=dict, description="What manifests of a kind say when they do not say otherwise, by kind."
    )
    policies: list[PolicyEntry] = Field(
        default_factory=list, description="Guardrails that validate and plan hold experiments and changes against."
    )
    environments: dict[Text, EnvironmentEntry | None] = Field(
        default_factory=dict, description="What differs in staging, production and so on; --env chooses one."
    )
