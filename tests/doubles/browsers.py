"""Browsers of this system, headless: Chromium by Playwright, Firefox by WebDriver BiDi.

Playwright drives no Firefox but its own build; a stock one answers BiDi itself, on a WebSocket, so
neither a driver program nor a second browser is needed.
"""

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from websockets.sync.client import ClientConnection, connect

_WAIT_S = 120.0


def installed(*names: str) -> str:
    """The program of the first name that is there. Raises FileNotFoundError: no test is skipped."""
    found = next(filter(None, map(which, names)), None)
    if found is None:
        raise FileNotFoundError(f"{' or '.join(names)} is not installed; ./setup.sh dev does so")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's and Ubuntu's Chromium; root has no sandbox of its own to run it in."""
    path = installed("chromium", "chromium-browser")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Firefox:
    """One tab of a Firefox."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[tuple[str, dict[str, Any]]] = []
        """Method and parameters of what happened, of what was subscribed to."""
        self.call("session.new", capabilities={})
        asked = ["network.beforeRequestSent", "browsingContext.userPromptOpened", "log.entryAdded"]
        self.call("session.subscribe", events=asked)
        self._tab = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask, and return what was answered; events that come before are kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=_WAIT_S))
            if message.get("type") == "event":
                self.events.append((message["method"], message["params"]))
            elif message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str) -> None:
        """Go there, and wait until all of it is loaded."""
        self.call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return what a JavaScript expression gives, by way of JSON."""
        answer = self.call(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self._tab},
            awaitPromise=False,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    def click(self, selector: str) -> None:
        """Click, as a user's mouse does, on the first element that fits."""
        found = self.call(
            "browsingContext.locateNodes",
            context=self._tab,
            locator={"type": "css", "value": selector},
            maxNodeCount=1,
        )["nodes"][0]
        self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoView()")
        at = {"type": "element", "element": {"sharedId": found["sharedId"]}}
        mouse = [{"type": "pointerMove", "x": 0, "y": 0, "origin": at},
                 {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]  # fmt: skip
        self._act({"type": "pointer", "id": "mouse", "actions": mouse})

    def write(self, text: str) -> None:
        """Type on the keyboard."""
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": keys})

    def _act(self, source: dict[str, Any]) -> None:
        self.call("input.performActions", context=self._tab, actions=[source])


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Debian's Firefox ESR, with a profile of its own that is gone afterwards."""
    path = installed("firefox-esr", "firefox")
    with TemporaryDirectory(prefix="firefox-") as profile:
        # Nothing but what a test opens: no updates, no start page, no telemetry.
        Path(profile, "user.js").write_text(
            'user_pref("browser.startup.page", 0);\n'
            'user_pref("app.normandy.enabled", false);\n'
            'user_pref("services.settings.server", "data:,");\n'
            'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
            'user_pref("network.captive-portal-service.enabled", false);\n'
            'user_pref("network.connectivity-service.enabled", false);\n',
            encoding="utf-8",
        )
        command = [path, "--headless", "--no-remote", "--profile", profile,
                   "--remote-debugging-port", "0"]  # fmt: skip
        with subprocess.Popen(
            command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        ) as process:
            try:
                with connect(
                    _address(Path(profile), process) + "/session", max_size=None
                ) as socket:
                    yield Firefox(socket)
            finally:
                os.killpg(process.pid, signal.SIGTERM)


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until Firefox has written down where it listens."""
    written = profile / "WebDriverBiDiServer.json"
    deadline = time.monotonic() + _WAIT_S
    while process.poll() is None and time.monotonic() < deadline:
        if written.exists() and (text := written.read_text(encoding="utf-8")):
            where = json.loads(text)
            return f"ws://{where['ws_host']}:{where['ws_port']}"
        time.sleep(0.1)
    raise RuntimeError(f"Firefox does not listen; it ended with {process.poll()}")
