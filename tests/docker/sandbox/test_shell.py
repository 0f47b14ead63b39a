import time

import pytest

from evalkit.sandbox.rollout import DockerSandbox
from evalkit.sandbox.shell import OUTPUT_KEPT
from evalkit.types import CommandResult

COUNT_SLEEPERS = (
    "n=0; for f in /proc/[0-9]*/cmdline; do "
    'case "$( (tr "\\0" " " <$f) 2>/dev/null)" in "sleep {seconds} "*) n=$((n+1));; esac; '
    "done; echo $n"
)


def run(box: DockerSandbox, command: str, timeout_s: float = 20) -> CommandResult:
    return box.run(command, timeout_s=timeout_s)


def sleepers(box: DockerSandbox, seconds: int) -> str:
    return run(box, COUNT_SLEEPERS.format(seconds=seconds)).output


def test_stdout_and_stderr_come_as_one_in_order(box: DockerSandbox) -> None:
    assert run(box, "echo a; echo b >&2; echo c").output == "a\nb\nc\n"


def test_no_newline_is_added(box: DockerSandbox) -> None:
    assert run(box, "printf x").output == "x"


def test_exit_codes_are_the_commands_own(box: DockerSandbox) -> None:
    assert [run(box, f"(exit {code})").exit_code for code in (0, 1, 42, 255)] == [0, 1, 42, 255]


@pytest.mark.parametrize("command", ["echo 'x", "if", "echo $(", "fi", "f() {", ")"])
def test_a_syntax_error_is_an_exit_code_and_not_the_shells_end(
    box: DockerSandbox, command: str
) -> None:
    result = run(box, command)
    assert (result.shell_died, result.exit_code != 0) == (False, True)


def test_a_comment_at_the_end_hides_nothing(box: DockerSandbox) -> None:
    assert run(box, "echo a # b").output == "a\n"


def test_the_directory_persists(box: DockerSandbox) -> None:
    run(box, "cd /tmp")
    assert run(box, "pwd").output == "/tmp\n"


def test_variables_and_functions_persist(box: DockerSandbox) -> None:
    run(box, "v=1; f() { echo $v; }")
    assert run(box, "f").output == "1\n"


def test_exit_ends_the_shell_with_its_code(box: DockerSandbox) -> None:
    result = run(box, "echo out; exit 3")
    assert (result.output, result.exit_code, result.shell_died) == ("out\n", 3, True)


def test_the_shell_after_exit_starts_in_the_last_directory(box: DockerSandbox) -> None:
    run(box, "cd /tmp")
    run(box, "exit 3")
    assert run(box, "pwd").output == "/tmp\n"


def test_the_shell_after_exit_has_the_exported_variables(box: DockerSandbox) -> None:
    run(box, "export QUOTED=\"it's\n'two' lines\"")
    run(box, "exit 3")
    assert run(box, 'echo "$QUOTED"').output == "it's\n'two' lines\n"


def test_the_shell_after_its_directory_went_starts_at_home(box: DockerSandbox) -> None:
    run(box, "mkdir /tmp/gone && cd /tmp/gone")
    run(box, "rmdir /tmp/gone; exit 1")
    assert run(box, "pwd").output == "/repo\n"


def test_set_e_ends_the_shell_at_the_first_failure(box: DockerSandbox) -> None:
    result = run(box, "set -e; false; echo not reached")
    assert (result.output, result.exit_code, result.shell_died) == ("", 1, True)


def test_exec_ends_the_shell(box: DockerSandbox) -> None:
    result = run(box, "exec echo replaced")
    assert (result.output, result.exit_code, result.shell_died) == ("replaced\n", 0, True)


def test_a_commands_own_exit_trap_runs(box: DockerSandbox) -> None:
    result = run(box, "trap 'echo bye' EXIT; exit 4")
    assert (result.output, result.exit_code) == ("bye\n", 4)


def test_a_background_job_does_not_hold_the_command(box: DockerSandbox) -> None:
    started = time.monotonic()
    result = run(box, "sleep 100 & echo on")
    assert (result.output, time.monotonic() - started < 5) == ("on\n", True)


def test_a_background_jobs_output_comes_with_a_later_command(box: DockerSandbox) -> None:
    run(box, "(sleep 0.3; echo late) &")
    assert run(box, "sleep 1; echo now").output == "late\nnow\n"


def test_what_a_background_job_printed_in_between_is_not_lost(box: DockerSandbox) -> None:
    run(box, "(sleep 0.2; echo late) &")
    time.sleep(0.6)
    assert run(box, "echo now").output == "late\nnow\n"


def test_a_background_job_that_prints_without_end_does_not_hold_the_next_command(
    box: DockerSandbox,
) -> None:
    run(box, "yes & flood=$!")
    assert run(box, "kill $flood; (exit 8)").exit_code == 8


def test_exports_beyond_all_measure_are_not_kept(box: DockerSandbox) -> None:
    run(box, "export SMALL=1")
    run(box, "export HUGE=$(head -c 3000000 /dev/zero | tr '\\0' x)")
    run(box, "exit")
    assert run(box, "echo $SMALL${#HUGE}").output == "10\n"


def test_a_child_in_its_own_session_that_holds_stdout_hangs_nothing(box: DockerSandbox) -> None:
    started = time.monotonic()
    run(box, "setsid sleep 100 & (sleep 100 &) ")
    assert time.monotonic() - started < 5


def test_a_command_that_reads_stdin_sees_its_end(box: DockerSandbox) -> None:
    assert run(box, "cat; echo read").output == "read\n"


def test_what_is_not_utf8_is_replaced(box: DockerSandbox) -> None:
    assert run(box, r"printf 'a\377\303\251'").output == "a\ufffdé"


def test_a_command_of_400_kilobytes_works(box: DockerSandbox) -> None:
    lines = "x" * 99 + "\n"
    assert run(box, f"wc -c <<'END'\n{lines * 4000}END\n").output.strip() == "400000"


def test_quotes_and_backslashes_arrive_whole(box: DockerSandbox) -> None:
    assert run(box, r"""printf '%s' 'a\n'"'""$PWD" """).output == "a\\n'/repo"


def test_a_nul_is_the_callers_error(box: DockerSandbox) -> None:
    with pytest.raises(ValueError, match="NUL"):
        run(box, "echo \0")


@pytest.mark.row("E5")
def test_head_and_tail_of_long_output_are_kept(box: DockerSandbox) -> None:
    output = run(box, "seq 1 300000").output
    assert (output[:4], output[-7:], len(output)) == ("1\n2\n", "300000\n", OUTPUT_KEPT)


@pytest.mark.row("E5")
def test_omitted_bytes_are_counted(box: DockerSandbox) -> None:
    result = run(box, "seq 1 300000")
    whole = sum(len(f"{n}\n") for n in range(1, 300001))
    assert result.omitted_bytes + len(result.output) == whole


@pytest.mark.row("E5")
def test_endless_output_ends_at_the_timeout(box: DockerSandbox) -> None:
    result = run(box, "yes", timeout_s=0.5)
    assert (result.timed_out, len(result.output)) == (True, OUTPUT_KEPT)


def test_a_timeout_has_no_exit_code(box: DockerSandbox) -> None:
    assert run(box, "sleep 60", timeout_s=0.3).exit_code is None


def test_a_timeout_returns_what_was_printed(box: DockerSandbox) -> None:
    assert run(box, "echo before; sleep 60", timeout_s=0.3).output == "before\n"


@pytest.mark.row("E6")
def test_a_timeout_kills_the_commands_processes(box: DockerSandbox) -> None:
    run(box, "sh -c 'trap : TERM INT; sleep 71; :' & (sleep 71; :)", timeout_s=0.3)
    assert sleepers(box, 71) == "0\n"


@pytest.mark.row("E6")
def test_what_follows_a_timed_out_command_does_not_run(box: DockerSandbox) -> None:
    run(box, "sleep 60; touch /tmp/late", timeout_s=0.3)
    assert run(box, "ls /tmp/late").exit_code != 0


@pytest.mark.row("E6")
def test_a_timeout_leaves_a_daemon_of_an_earlier_command_alone(box: DockerSandbox) -> None:
    run(box, "(setsid sleep 72 &)")
    run(box, "sleep 60", timeout_s=0.3)
    assert sleepers(box, 72) == "1\n"


def test_the_shell_after_a_timeout_keeps_directory_and_exports(box: DockerSandbox) -> None:
    run(box, "cd /tmp; export KEPT=1")
    run(box, "sleep 60", timeout_s=0.3)
    assert run(box, "pwd; echo $KEPT").output == "/tmp\n1\n"


def test_a_loop_of_the_shell_itself_is_ended(box: DockerSandbox) -> None:
    assert run(box, "while :; do :; done", timeout_s=0.3).timed_out


def test_exec_redirection_does_not_silence_later_commands(box: DockerSandbox) -> None:
    run(box, "exec >/dev/null 2>&1")
    assert run(box, "echo heard").output == "heard\n"


def test_descriptor_nine_is_free_for_the_command(box: DockerSandbox) -> None:
    run(box, "exec 9>/tmp/lock")
    assert run(box, "echo heard").output == "heard\n"


def test_programs_inherit_only_the_three_standard_descriptors(box: DockerSandbox) -> None:
    assert run(box, "ls /proc/self/fd | sort -n | head -4 | tr '\\n' ' '").output == "0 1 2 3 "


def test_tracing_does_not_confuse_the_reading(box: DockerSandbox) -> None:
    run(box, "set -xv")
    assert run(box, "set +xv; echo plain").output.endswith("plain\n")


def test_a_function_named_printf_does_no_harm(box: DockerSandbox) -> None:
    run(box, "printf() { :; }")
    assert run(box, "echo heard; (exit 6)").exit_code == 6


def test_unsetting_pwd_under_set_u_does_no_harm(box: DockerSandbox) -> None:
    run(box, "set -u; unset PWD")
    assert run(box, "echo heard").output == "heard\n"


def test_killing_everything_costs_the_agent_its_processes_and_not_the_sandbox(
    box: DockerSandbox,
) -> None:
    run(box, "sleep 73 & kill -9 -1")
    # Before the count bash may tell that its job was killed: its notice comes when it comes.
    assert sleepers(box, 73).splitlines()[-1] == "0"


def test_orphans_are_reaped(box: DockerSandbox) -> None:
    run(box, "(sleep 0.1 &); sleep 0.5")
    assert run(box, "cat /proc/[0-9]*/status 2>/dev/null | grep -c 'State:.Z'").output == "0\n"
