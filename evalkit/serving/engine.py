"""Opens one engine as often as it has to be, at the same address each time."""

_LEAST_PROBE_S = 60.0
_PATIENCE_S = 5.0
