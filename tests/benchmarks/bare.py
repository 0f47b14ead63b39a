"""The same requests and commands without any harness: what a turn costs at the least.

A thread a worker, http.client, json, and one bash held open over the Docker SDK.
"""

import http.client
import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from evalkit.sandbox.daemon import connect
from tests.benchmarks.phases import Phases, compete
from tests.benchmarks.workload import MODEL

if TYPE_CHECKING:
    from docker import APIClient

_MARK = b"-- end of a command --"
_STREAMED = {
    "stream": True,
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
}
_TOOL = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "Run a command",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
    },
}


def main() -> None:
    url, image, workers, turns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    client = connect()

    def work(_number: int, phases: Phases) -> None:
        host = client.create_host_config(network_mode="none")
        made = client.create_container(
            image, ["sleep", "3600"], host_config=host, entrypoint=[], labels={"evalkit-bench": ""}
        )
        try:
            client.start(made["Id"])
            bash = _open_bash(client, made["Id"])
            connection = http.client.HTTPConnection(urlsplit(url).netloc)
            phases.ready()
            _loop(connection, bash, turns)
            phases.looped()
            phases.patched()
        finally:
            client.remove_container(made["Id"], force=True)

    compete("bare loop", workers, turns, work)


def _open_bash(client: "APIClient", container: str) -> Any:
    made = client.exec_create(container, ["bash"], stdin=True, tty=False)
    return client.exec_start(made["Id"], socket=True)


def _loop(connection: http.client.HTTPConnection, bash: Any, turns: int) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You act by calling tools."},
        {"role": "user", "content": "Look at the licence."},
    ]
    for _ in range(turns):
        message = _ask(connection, messages)
        messages.append(message)
        call = message["tool_calls"][0]
        command = json.loads(call["function"]["arguments"])["command"]
        printed = _run(bash, command)
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": printed})


def _ask(connection: http.client.HTTPConnection, messages: list[dict[str, Any]]) -> dict[str, Any]:
    request = {"model": MODEL, "messages": messages, "tools": [_TOOL], **_STREAMED}
    body = json.dumps(request)
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    text, arguments, call_id = "", "", ""
    with connection.getresponse() as response:
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            for choice in json.loads(line[6:])["choices"]:
                delta = choice["delta"]
                text += delta.get("content") or ""
                for call in delta.get("tool_calls", ()):
                    call_id = call.get("id") or call_id
                    arguments += call["function"]["arguments"]
    function = {"name": "bash", "arguments": arguments}
    call = {"id": call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": text, "tool_calls": [call]}


def _run(bash: Any, command: str) -> str:
    bash._sock.sendall(f"{command}\nprintf '%s' '{_MARK.decode()}'\n".encode())
    framed = b""
    while not framed.endswith(_MARK):
        framed += bash._sock.recv(65536)
    printed = b""
    while framed:  # the daemon's frames: one byte for the stream, three empty, four for the length
        length = int.from_bytes(framed[4:8], "big")
        printed += framed[8 : 8 + length]
        framed = framed[8 + length :]
    return printed.removesuffix(_MARK).decode()


if __name__ == "__main__":
    main()
