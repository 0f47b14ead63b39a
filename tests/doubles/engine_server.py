"""Stands for vLLM in an image of its own: no package but the standard library, no model.

Takes vLLM's arguments, and answers every question with one word.
"""

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--host")
parser.add_argument("--port", type=int)
parser.add_argument("--served-model-name")
parser.add_argument("--max-model-len", type=int)
wanted, _ = parser.parse_known_args()

MODEL = {
    "id": wanted.served_model_name,
    "owned_by": "vllm",
    "max_model_len": wanted.max_model_len,
}
PAGES: dict[str, object] = {
    "/health": {},
    "/version": {"version": "stand-in"},
    "/v1/models": {"object": "list", "data": [MODEL]},
}
ANSWER = {
    "model": wanted.served_model_name,
    "choices": [{"index": 0, "delta": {"content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        there = self.path in PAGES
        self.send_response(200 if there else 404)
        self.end_headers()
        self.wfile.write(json.dumps(PAGES.get(self.path, {})).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"data: {json.dumps(ANSWER)}\n\ndata: [DONE]\n\n".encode())


if __name__ == "__main__":
    sys.stderr.write("INFO [entry.py:140] Starting vLLM server\n")
    ThreadingHTTPServer((wanted.host, wanted.port), Handler).serve_forever()
