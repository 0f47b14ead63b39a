"""Small GET requests to an engine."""

import json
import urllib.error
import urllib.request
from urllib.parse import urlsplit


def is_local(url: str) -> bool:
    """Whether `url` is on this machine, where a proxy set for the outside must not be asked."""
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def get_named(url: str, *, timeout_s: float, api_key: str = "") -> tuple[bytes, str]:
    """Return the body of a 2xx answer and what its Server header says; OSError otherwise."""
    request = urllib.request.Request(url)  # noqa: S310 - an engine's address, from the runner
    if api_key:
        request.add_header("Authorization", f"Bearer {api_key}")
    proxies = urllib.request.ProxyHandler({} if is_local(url) else None)
    try:
        with urllib.request.build_opener(proxies).open(request, timeout=timeout_s) as answer:
            return answer.read(), answer.headers.get("Server", "")
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise


def get(url: str, *, timeout_s: float, api_key: str = "") -> bytes:
    """Return the body of a 2xx answer; OSError (HTTPError is one) otherwise."""
    return get_named(url, timeout_s=timeout_s, api_key=api_key)[0]


def get_json(url: str, *, timeout_s: float, api_key: str = "") -> object:
    """Return the JSON of a 2xx answer; OSError, or ValueError where it is not JSON."""
    return json.loads(get(url, timeout_s=timeout_s, api_key=api_key))
