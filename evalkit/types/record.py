"""What all records are: frozen, keyword-only, validated when built."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A fact that does not change after it was written down."""

    model_config = ConfigDict(frozen=True, extra="forbid")
