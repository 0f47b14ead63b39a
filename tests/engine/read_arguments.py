"""Run by the interpreter that has vLLM: reads command lines as its server would.

Standard input has a JSON object, name to arguments; standard output gets one, name to what is wrong
with them, empty where nothing is.
"""

import contextlib
import io
import json
import sys

from vllm.entrypoints.launchers.cli_args import (  # type: ignore[import-not-found]
    make_arg_parser,
    validate_parsed_serve_args,
)
from vllm.reasoning import ReasoningParserManager  # type: ignore[import-not-found]
from vllm.tool_parsers import ToolParserManager  # type: ignore[import-not-found]
from vllm.utils.argparse_utils import FlexibleArgumentParser  # type: ignore[import-not-found]


def wrong_with(arguments: list[str]) -> str:
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            parsed = make_arg_parser(FlexibleArgumentParser()).parse_args(arguments)
            validate_parsed_serve_args(parsed)
    except SystemExit:
        return told.getvalue().splitlines()[-1]
    # The argument parser takes any name here.
    if parsed.tool_call_parser not in {None, *ToolParserManager.list_registered()}:
        return f"no tool parser is called {parsed.tool_call_parser}"
    if (parsed.reasoning_parser or None) not in {None, *ReasoningParserManager.list_registered()}:
        return f"no reasoning parser is called {parsed.reasoning_parser}"
    return ""


def main() -> None:
    lines = json.load(sys.stdin)
    found = {name: wrong_with(arguments) for name, arguments in lines.items()}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
