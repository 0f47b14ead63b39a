"""The report that a browser opens from a file. Imports jinja2: import it only where it is made."""
