"""Bare threads that send requests on a connection each, one after the other, and read the stream."""

import http.client
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from tests.benchmarks.recording import Asked


def replay(url: str, model: str, rollouts: Sequence[Sequence[Asked]]) -> float:
    """Send each rollout's requests from a thread of its own; return output tokens a second."""
    begun = time.monotonic()
    with ThreadPoolExecutor(len(rollouts)) as threads:
        made = list(threads.map(lambda rollout: _send(url, model, rollout), rollouts))
    return sum(made) / (time.monotonic() - begun)


def _send(url: str, model: str, rollout: Sequence[Asked]) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    made = 0
    for asked in rollout:
        body = {
            "model": model,
            "messages": asked.messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            # As many as the model made for evalkit, and not where it happens to end this time.
            "max_tokens": asked.tokens,
            "min_tokens": asked.tokens,
            "ignore_eos": True,
        }
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        made += _tokens(connection.getresponse())
    connection.close()
    return made


def _tokens(response: http.client.HTTPResponse) -> int:
    assert response.status == 200, response.read()
    made = 0
    for line in response:
        if line.startswith(b"data: {"):
            usage = json.loads(line[6:]).get("usage")
            made = usage["completion_tokens"] if usage else made
    return made
