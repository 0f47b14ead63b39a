"""Token makers: weights, vLLM and its guard, the chat call, metrics, and a scripted double."""
