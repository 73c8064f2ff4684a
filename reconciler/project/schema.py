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


class StateEntry(_Part):
    """Where the record of what is managed is kept."""

    backend: Literal["file"] = Field(default="file", description="The kind of store.")
    path: Text = Field(default=DEFAULT_STATE_PATH, description="The file, relative to the project's folder.")


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
