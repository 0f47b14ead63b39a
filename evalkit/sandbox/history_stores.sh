# Stands before history.sh and history_proof.sh: `here` is git in the repository, of which HEAD's
# history may be read, and `related_stores` prints the object stores of the image that hold more of it.

set -eu
for name in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done
export LC_ALL=C HOME=/evalkit/none XDG_CONFIG_HOME=/evalkit/none
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_NO_REPLACE_OBJECTS=1 GIT_GRAFT_FILE=/dev/null

repo=$PWD
here() {
    git --git-dir="$repo/.git" -c core.commitGraph=false -c advice.graftFileDeprecated=false "$@"
}
names='%(objectname)'

reachable() { here rev-list --objects --missing=allow-any HEAD | cut -d ' ' -f 1 | sort -u; }

# A store is related where it has a commit or a folder in common with the repository.
related_stores() {
    mkdir -p /evalkit/stores
    cd /evalkit/stores
    reachable >history
    empty=$(here hash-object -t tree /dev/null)
    here cat-file --batch-check="%(objecttype) $names" <history |
        sed -n -e 's/^commit //p' -e 's/^tree //p' | grep -v "$empty" | sort >own
    git init -q --bare --template= none
    find / \( -path /proc -o -path /sys -o -path /dev -o -path /evalkit -o -path "$repo/.git" \) \
        -prune -o -type d -name objects -print |
        while read -r store; do
            GIT_OBJECT_DIRECTORY=$store git --git-dir=none cat-file --batch-all-objects \
                --batch-check="$names" 2>/dev/null | sort >theirs
            shared=$(comm -12 own theirs | head -n 1)
            more=$(comm -13 history theirs | head -n 1)
            if [ -n "$shared" ] && [ -n "$more" ]; then echo "$store"; fi
        done
    cd "$repo"
}
