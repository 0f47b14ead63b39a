import subprocess
import sys
from pathlib import Path

HEAVY = {"vllm", "datasets", "matplotlib", "urllib3", "docker", "scipy", "pandas", "transformers"}

WATCHED_IMPORT = """
import sys
deeds = []
def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writes or event.startswith(("socket.", "subprocess.", "os.system", "os.mkdir", "os.putenv")):
        deeds.append((event, args))
sys.addaudithook(watch)
import threading
before = threading.active_count()
import evalkit
if threading.active_count() != before:
    deeds.append("a thread was started")
print(deeds)
"""


def _python(code: str, folder: Path) -> str:
    command = [sys.executable, "-B", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_importing_evalkit_pulls_nothing_heavy(tmp_path: Path) -> None:
    code = f"import sys, evalkit; print({HEAVY!r} & set(sys.modules))"
    assert _python(code, tmp_path) == "set()\n"


def test_importing_evalkit_does_nothing(tmp_path: Path) -> None:
    assert _python(WATCHED_IMPORT, tmp_path) == "[]\n"
