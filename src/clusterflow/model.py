"""The base of everything that comes from a file or goes to one."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# Names become file names and wildcards: the workflow constrains them to this pattern.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9-]*"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$", max_length=60)]


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    # Validators are built when a model is first used: a job needs few of them.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True
    )
