import pytest

from evalkit.sandbox.rollout import DockerSandbox

EVERY_BYTE = bytes(range(256))


@pytest.mark.parametrize("content", [b"", b"no newline", b"\n\n", EVERY_BYTE * 3000])
def test_a_file_comes_back_byte_for_byte(box: DockerSandbox, content: bytes) -> None:
    box.write_file("/tmp/file", content)
    assert box.read_file("/tmp/file") == content


@pytest.mark.parametrize("name", ["it's", "two\nlines", "-n", "ünïcode", "$(id)", "a b"])
def test_odd_names_work(box: DockerSandbox, name: str) -> None:
    box.write_file(f"/tmp/{name}", b"here")
    assert box.read_file(f"/tmp/{name}") == b"here"


def test_parent_folders_are_made(box: DockerSandbox) -> None:
    box.write_file("/tmp/deep/er/file", b"x")
    assert box.read_file("/tmp/deep/er/file") == b"x"


def test_a_relative_path_counts_from_the_workdir(box: DockerSandbox) -> None:
    box.run("cd /tmp", timeout_s=20)
    box.write_file("relative", b"x")
    assert box.read_file("/repo/relative") == b"x"


def test_writing_keeps_the_mode(box: DockerSandbox) -> None:
    box.run("touch /tmp/tool; chmod 751 /tmp/tool", timeout_s=20)
    box.write_file("/tmp/tool", b"x")
    assert box.run("ls -l /tmp/tool", timeout_s=20).output.startswith("-rwxr-x--x")


def test_a_missing_file_is_file_not_found(box: DockerSandbox) -> None:
    with pytest.raises(FileNotFoundError):
        box.read_file("/tmp/missing")


def test_reading_a_folder_is_is_a_directory(box: DockerSandbox) -> None:
    with pytest.raises(IsADirectoryError):
        box.read_file("/tmp")


def test_writing_to_a_folder_is_is_a_directory(box: DockerSandbox) -> None:
    with pytest.raises(IsADirectoryError):
        box.write_file("/tmp", b"x")


def test_writing_below_a_file_is_an_os_error(box: DockerSandbox) -> None:
    box.write_file("/tmp/plain", b"x")
    with pytest.raises(OSError, match="plain"):
        box.write_file("/tmp/plain/below", b"x")


@pytest.mark.row("E8")
def test_reading_a_pipe_is_an_os_error_at_once(box: DockerSandbox) -> None:
    box.run("mkfifo /tmp/pipe", timeout_s=20)
    with pytest.raises(OSError, match="Invalid argument"):
        box.read_file("/tmp/pipe")


@pytest.mark.row("E8")
def test_reading_more_than_the_limit_is_an_os_error(box: DockerSandbox) -> None:
    box.run("truncate -s 10485761 /tmp/large", timeout_s=20)
    with pytest.raises(OSError, match="too large"):
        box.read_file("/tmp/large")


@pytest.mark.row("E8")
def test_a_file_of_exactly_the_limit_is_read(box: DockerSandbox) -> None:
    box.run("truncate -s 10485760 /tmp/large", timeout_s=20)
    assert len(box.read_file("/tmp/large")) == 10 * 2**20


def test_a_name_with_a_nul_is_the_callers_error(box: DockerSandbox) -> None:
    with pytest.raises(ValueError, match="NUL"):
        box.read_file("/tmp/\0")


def test_what_the_agent_did_to_its_own_shell_does_not_matter(box: DockerSandbox) -> None:
    box.run("export PATH=/nowhere; base64() { echo no; }", timeout_s=20)
    box.write_file("/tmp/file", b"x")
    assert box.read_file("/tmp/file") == b"x"
