import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from evalkit.serving.endpoint import probe
from evalkit.serving.metrics import scrape
from evalkit.serving.scripted import Scripted, scripted_server


def post(url: str) -> Any:
    request = urllib.request.Request(
        f"{url}/chat/completions",
        json.dumps({"messages": []}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_it_also_answers_without_a_stream() -> None:
    with scripted_server([Scripted(text="hi")]) as url:
        assert post(url)["choices"][0]["message"]["content"] == "hi"


def test_it_counts_the_tokens_it_made() -> None:
    with scripted_server([Scripted(text="hi")]) as url:
        spent = probe(url, "scripted", api_key="EMPTY", timeout_s=10)
        assert scrape(url).generation_tokens == spent.usage.completion_tokens


def test_it_makes_no_tokens_where_it_answers_an_error() -> None:
    with scripted_server([Scripted(status=500, text="CUDA error")]) as url:
        with pytest.raises(urllib.error.HTTPError):
            post(url)
        assert scrape(url).generation_tokens == 0
