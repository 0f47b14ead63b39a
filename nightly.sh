#!/usr/bin/env bash
# One night: run the suite, compare the last nights with a baseline run, publish a report.
# docs/nightly.md says how a job is set up with it and what its exit codes mean.
set -euo pipefail

usage() {
    cat <<'END'
nightly.sh --baseline RUN_DIR [option]... [-- flag of `evalkit run`]...

  --baseline DIR    run folder to compare with, of at least 5 attempts a task
  --suite NAME      swebench-pro-nightly
  --runner NAME     the suite's own
  --agent NAME      the runner's own
  --attempts K      attempts a task each night: 3
  --runs DIR        where nights and their history are kept: runs/nightly
  --nights N        nights that are pooled, tonight's included: 7
  --max-drop P      points that may be lost: 2
  --alpha A         error allowed in calling a drop real: 0.05
  --report DIR      where the report goes: RUNS/report
  --red-after N     exit 3 and 4 only from the Nth night in a row without a decision, before
                    that warn and exit 0: 1

Exit codes: 0 fine, 1 worse, 2 wrong usage, 3 infrastructure, 4 inconclusive.
Every option can be set by NIGHTLY_<OPTION>, NIGHTLY_MAX_DROP for one.
END
}

fail() {
    echo "nightly: $1 (nightly.sh --help says how)" >&2
    exit 2
}

# On GitHub a warning also stands on the page of the job.
warn() {
    echo "nightly: warning: $1" >&2
    [ -z "${GITHUB_ACTIONS:-}" ] || echo "::warning title=nightly::$1"
}

# What fails here itself, a full disk say, is infrastructure: exit 1 belongs to a worse model.
trap 'warn "line $LINENO failed"; exit 3' ERR

baseline=${NIGHTLY_BASELINE:-} suite=${NIGHTLY_SUITE:-swebench-pro-nightly}
runner=${NIGHTLY_RUNNER:-} agent=${NIGHTLY_AGENT:-} attempts=${NIGHTLY_ATTEMPTS:-3}
runs=${NIGHTLY_RUNS:-runs/nightly} nights=${NIGHTLY_NIGHTS:-7} report=${NIGHTLY_REPORT:-}
max_drop=${NIGHTLY_MAX_DROP:-2} alpha=${NIGHTLY_ALPHA:-0.05} red_after=${NIGHTLY_RED_AFTER:-1}
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit ;;
    --) shift && break ;;
    --baseline | --suite | --runner | --agent | --attempts | --runs | --nights | --max-drop | --alpha | --report | --red-after)
        [ $# -gt 1 ] || fail "$1 wants a value"
        name=${1#--}
        printf -v "${name//-/_}" %s "$2"
        shift 2
        ;;
    *) fail "unknown option $1" ;;
    esac
done
[ -f "$baseline/run.json" ] || fail "--baseline wants a run folder, not '$baseline'"
[[ $nights =~ ^[1-9][0-9]*$ && $red_after =~ ^[1-9][0-9]*$ ]] || fail "--nights and --red-after count from 1"
command -v evalkit >/dev/null || PATH="$(cd "$(dirname "$0")" && pwd)/.venv/bin:$PATH"
command -v evalkit >/dev/null || fail "there is no evalkit: ./setup.sh makes it"

repeated=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["attempts"])' "$baseline/run.json") ||
    fail "$baseline/run.json does not say how many attempts"
[ "$repeated" -ge 5 ] || warn "the baseline has $repeated attempts a task: chance decides less with 5 or more"

night=$runs/night-$(date -u +%Y%m%dT%H%M%SZ)
history=$runs/history # a line a night: its folder's name and its code
report=${report:-$runs/report}
mkdir -p "$runs" "$report"
touch "$history"
rm -rf "$report/compare.md" "$report/junit.xml" "$report/night"

# Earlier nights that infrastructure did not spoil and whose folders are still there, oldest first.
earlier() {
    awk '$2 ~ /^[014]$/ { print $1 }' "$history" | while read -r name; do
        [ ! -d "$runs/$name" ] || echo "$runs/$name"
    done | tail -n $((nights - 1))
}

code=0
evalkit run --suite "$suite" -k "$attempts" -o "$night" \
    ${runner:+--runner "$runner"} ${agent:+--agent "$agent"} "$@" || code=$?
[ "$code" != 1 ] || code=3 # a run has no such code: it crashed
# A run that came to its end in spite of infra errors is compared: there may be few of them.
if [ "$code" = 3 ] && evalkit status "$night" >/dev/null 2>&1; then
    code=0
fi

if [ "$code" = 0 ]; then
    mapfile -t pool < <(earlier)
    evalkit compare "$baseline" "${pool[@]}" "$night" --max-drop "$max_drop" --alpha "$alpha" \
        --junit "$report/junit.xml" --markdown "$report/compare.md" || code=$?
    [ -f "$report/compare.md" ] || [ "$code" != 1 ] || code=3 # the comparison itself crashed
    if ! evalkit report "$night" -o "$report/night"; then
        warn "the report could not be written"
        [ "$code" != 0 ] || code=3
    fi
elif [ "$code" = 3 ]; then
    echo "No comparison: the run could not be made, or not to its end." >"$report/compare.md"
fi
[[ $code =~ ^[0134]$ ]] || exit "$code" # wrong usage or a signal says nothing about the model

echo "${night##*/} $code" >>"$history"
undecided=$(awk '{ n = $2 ~ /^[34]$/ ? n + 1 : 0 } END { print n }' "$history")
if [ "$undecided" -gt 0 ]; then
    case $code in
    3) warn "infrastructure kept the night from a decision; nights in a row without one: $undecided" ;;
    4) warn "a drop was seen that may be chance; nights in a row without a decision: $undecided" ;;
    esac
    [ "$undecided" -ge "$red_after" ] || code=0
fi
exit "$code"
