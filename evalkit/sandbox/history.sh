# Gives the repository in the working directory a new .git that holds BASE and what came before it,
# and nothing else. MODE none leaves one commit with BASE's tree. What lay there before goes: it
# stays in a lower layer of the image, which a container cannot read.
# A task without history has a BASE of noughts.

case $BASE in
    *[!0]*) [ -e "$repo/.git" ] || { echo "there is no repository in $repo" >&2 && exit 66; } ;;
esac
[ -e "$repo/.git" ] || exit 0
command -v git >/dev/null || { echo "there is no git to do it with" >&2 && exit 127; }
common=$(cd "$(here rev-parse --git-common-dir)" && pwd)
owner=$(stat -c %u:%g "$repo/.git")
branch=$(here symbolic-ref -q HEAD || :)

root=$(here rev-parse --verify "$BASE^{commit}")
if [ "$MODE" = none ]; then
    export GIT_AUTHOR_NAME=evalkit GIT_AUTHOR_EMAIL=evalkit GIT_AUTHOR_DATE='2000-01-01T00:00:00Z'
    export GIT_COMMITTER_NAME=evalkit GIT_COMMITTER_EMAIL=evalkit GIT_COMMITTER_DATE='2000-01-01T00:00:00Z'
    root=$(here commit-tree -m base "$root^{tree}")
fi

new=/evalkit/repository
format=$(here rev-parse --show-object-format 2>/dev/null || echo sha1)
GIT_DEFAULT_HASH=$format git init -q --bare --template= "$new"
# As packed before: no delta is sought anew. Objects that were never there (a partial clone, say)
# stay missing.
printf '%s\n' "$root" | here pack-objects -q --revs --missing=allow-any --delta-base-offset \
    "$new/objects/pack/pack" >/dev/null

own() { git --git-dir="$new" "$@"; }
if [ -n "$branch" ]; then
    own update-ref "$branch" "$root"
    own symbolic-ref HEAD "$branch"
else
    own update-ref --no-deref HEAD "$root"
fi
own config core.bare false
# What decides how files look; nothing that names a remote or runs a program.
for key in core.fileMode core.symlinks core.ignoreCase core.autocrlf core.eol \
    core.sparseCheckout core.sparseCheckoutCone user.name user.email; do
    if value=$(git config --file "$common/config" --get "$key"); then own config "$key" "$value"; fi
done
mkdir -p "$new/info"
for name in exclude attributes sparse-checkout; do
    from=$(here rev-parse --git-path "info/$name")
    if [ -f "$from" ]; then cp "$from" "$new/info/$name"; fi
done
if [ -f "$common/shallow" ]; then
    while read -r commit; do
        if own cat-file -e "$commit" 2>/dev/null; then echo "$commit"; fi
    done <"$common/shallow" >/evalkit/shallow
    if [ -s /evalkit/shallow ]; then cp /evalkit/shallow "$new/shallow"; fi
fi

# Repositories inside, of submodules too, become plain folders.
find "$repo" -name .git -prune -exec rm -rf {} +
rm -rf "$common"
mv "$new" "$repo/.git"
cd "$repo"
# An index that knows the files as they are: `git status` in a sandbox need not read them all again.
GIT_DIR="$repo/.git" GIT_WORK_TREE="$repo" git -c core.logAllRefUpdates=false reset -q
rm -f .git/ORIG_HEAD
chown -R "$owner" "$repo/.git"
related_stores | while read -r store; do rm -rf "$store"; done
rm -rf /evalkit
