"""Containers: the sandbox an agent works in, and jobs that run one script to its end."""
