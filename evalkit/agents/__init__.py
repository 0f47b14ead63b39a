"""Agents: what works on a task. The loop runs on the host, so a sandbox needs only a shell."""
