"""evalkit: how good is a coding model? Serve it, let it work, grade it with the real tests."""

__version__ = "0.1.0"
