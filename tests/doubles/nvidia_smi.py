"""A program called nvidia-smi that knows one question."""

from pathlib import Path

_QUESTION = "--query-gpu=uuid,name,memory.total --format=csv,noheader,nounits"

TWO_KINDS = """\
GPU-5f1c9a2e-0000-0000-0000-000000000000, NVIDIA H100 80GB HBM3, 81559
GPU-77aa01bc-0000-0000-0000-000000000000, NVIDIA L4, 23034
"""
"""What the real one answers on a machine with these two."""


def write_nvidia_smi(folder: Path, answer: str = TWO_KINDS, code: int = 0) -> None:
    """Put it into a folder for PATH; it writes `answer` and ends with `code`."""
    program = folder / "nvidia-smi"
    program.write_text(
        f'#!/bin/sh\n[ "$*" = "{_QUESTION}" ] || exit 9\necho "{answer.strip()}"\nexit {code}\n'
    )
    program.chmod(0o755)
