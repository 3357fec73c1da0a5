"""The base of everything that comes from a file or goes to one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

# Names become file names and wildcards: the workflow constrains them to this pattern.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9-]*"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$", max_length=60)]


# The sets of fields that models were made with, by what is in them.
_FIELD_SETS: dict[frozenset[str], set[str]] = {}


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    # Validators are built when a model is first used: a job needs few of them.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True
    )

    def model_post_init(self, context: Any, /) -> None:
        """Share the set of the fields that were given with all models that had these.

        pydantic keeps one in each model: that is half of the memory of many records.
        """
        given = self.__pydantic_fields_set__
        shared = _FIELD_SETS.setdefault(frozenset(given), given)
        object.__setattr__(self, "__pydantic_fields_set__", shared)
