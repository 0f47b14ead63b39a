"""The `mini-swe-agent` of PyPI on our engine and in our sandbox. Its loop and its words stay."""
