"""The audit of a trajectory: what an agent did that a reader of its score should know of."""
