"""SWE-bench Pro: rows, scripts, images and grading with the official verdict."""
