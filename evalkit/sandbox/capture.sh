# Prints the difference between the tree this image came with (the working directory) and the tree
# unpacked at /evalkit/tree. Nothing of either tree decides how: no configuration, attribute, hook,
# index or nested repository of theirs is used. Only .gitignore counts, as it stands in each tree.
# /evalkit/binary.diff gets the same difference with every file as a git binary section, where
# the printed one holds bytes beyond ASCII.
set -eu
for name in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done
export LC_ALL=C HOME=/evalkit/none XDG_CONFIG_HOME=/evalkit/none
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null

given=$PWD
now=/evalkit/tree
own=/evalkit/repository
base= objects= exclude=
if [ -e "$given/.git" ]; then
    base=$(GIT_DIR="$given/.git" git rev-parse --quiet --verify 'HEAD^{tree}') || base=
    objects=$(GIT_DIR="$given/.git" git rev-parse --git-path objects)
    exclude=$(GIT_DIR="$given/.git" git rev-parse --git-path info/exclude)
fi

export GIT_DIR="$own" GIT_INDEX_FILE=/evalkit/index GIT_ALTERNATE_OBJECT_DIRECTORIES="$objects"
git init -q --template=
mkdir -p "$own/info"
if [ -f "$exclude" ]; then cp "$exclude" "$own/info/exclude"; fi
cat >>"$own/config" <<'END'
[core]
    bare = false
    fileMode = true
    symlinks = true
    ignoreCase = false
    autocrlf = false
    protectHFS = false
    protectNTFS = false
    quotePath = true
    looseCompression = 0
    hooksPath = /dev/null
[gc]
    auto = 0
END
raw='* -text -crlf !eol -filter -ident -working-tree-encoding'
echo "$raw !diff" >"$own/info/attributes"

# Nested repositories are plain folders; git can hold no pipe, socket or device.
cd "$given"
find . -path ./.git -prune -o -name '.[gG][iI][tT]' -prune -exec rm -rf {} \;
cd "$now"
find . -name '.[gG][iI][tT]' -prune -exec rm -rf {} \;
find . ! -type f ! -type d ! -type l -exec rm -f {} \;

snapshot() { # FOLDER TREE: what `git add -A` makes of a folder, given what was tracked before
    rm -f "$GIT_INDEX_FILE"
    if [ -n "$2" ]; then git read-tree "$2"; fi
    (cd "$1" && GIT_WORK_TREE="$1" git add -A . && GIT_WORK_TREE="$1" git write-tree)
}
before=$(snapshot "$given" "$base")
after=$(snapshot "$now" "$before")

difference() {
    GIT_WORK_TREE="$now" git diff-tree -p --binary --full-index --no-renames --no-ext-diff \
        --no-textconv --no-color --ignore-submodules=all "$before" "$after"
}
cd "$now"
difference >/evalkit/text.diff
if [ "$(tr -d '\000-\177' </evalkit/text.diff | head -c 1 | wc -c)" -ne 0 ]; then
    echo "$raw -diff" >"$own/info/attributes"
    difference >/evalkit/binary.diff
fi
cat /evalkit/text.diff
