"""The text an agent is given."""

from evalkit.suites.pro.rows import Row


def problem_text(row: Row) -> str:
    """Return statement, requirements and interface, composed as upstream does.

    Byte for byte (helper_code/create_problem_statement.py of SWE-bench_Pro-os): nothing is
    stripped, the heading of an empty part stays, and no newline ends the text.
    """
    parts = (
        row.problem_statement,
        f"Requirements:\n{row.requirements}",
        f"New interfaces introduced:\n{row.interface}",
    )
    return "\n\n".join(parts)
