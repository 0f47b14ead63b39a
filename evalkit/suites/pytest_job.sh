# Grades one patch. Before it: WORKDIR, BASE, TESTS, RESULTS, and the test files as "$@".
# The first line of stdout says what became of the patch. It is written before any byte of the
# patch is executed, so nothing the patch holds can come before it.
cd "$WORKDIR" && git reset -q --hard "$BASE" || exit 90

if [ -s /evalkit/patch.diff ]; then
    if git apply --whitespace=nowarn /evalkit/patch.diff; then
        echo clean
    else
        echo rejected
        exit 91
    fi
else
    echo empty
fi

# What could load code into the test runner comes from base, whatever the patch made of it.
protected='conftest\.py|pytest\.ini|\.pytest\.ini|pytest\.toml|\.pytest\.toml|tox\.ini|setup\.cfg|pyproject\.toml|sitecustomize\.py|usercustomize\.py|pytest\.py|[^/]*\.pth'
find . -path ./.git -prune -o -regextype posix-extended -regex ".*/($protected)" -print0 |
    xargs -0 -r rm -rf --
git ls-tree -r -z --name-only "$BASE" | grep -zE "(^|/)($protected)\$" |
    xargs -0 -r git checkout -q "$BASE" --

cp -R --remove-destination "$TESTS/." .

exec python3 -P -m pytest -p no:cacheprovider -q --rootdir="$WORKDIR" -c /dev/null \
    --continue-on-collection-errors \
    -o addopts= -o pythonpath="$WORKDIR" -o junit_family=xunit1 \
    --junitxml="$RESULTS" "$@"
