# Fails, saying what it is, where anything of the repository beyond its own HEAD's history can be
# read: an object, a ref, a pointer to other objects, another store that has to do with it.

refuse() {
    echo "$1" >&2
    exit 1
}
if [ ! -e "$repo/.git" ]; then exit 0; fi
command -v git >/dev/null || refuse "there is no git to prove it with"
[ -d "$repo/.git" ] || refuse ".git is no folder"

cd "$repo/.git"
for name in *; do
    case $name in
        HEAD | config | index | info | objects | refs | packed-refs | shallow | branches) ;;
        *) refuse ".git holds $name" ;;
    esac
done
for name in info/*; do
    case $name in
        'info/*' | info/exclude | info/attributes | info/sparse-checkout) ;;
        *) refuse ".git holds $name" ;;
    esac
done
for name in objects/info/alternates objects/info/http-alternates; do
    if [ -e "$name" ]; then refuse ".git holds $name"; fi
done
head=$(here symbolic-ref -q HEAD || echo HEAD)
refs=$(here for-each-ref --format='%(refname)')
[ -z "$refs" ] || [ "$refs" = "$head" ] || refuse "refs beside $head: $refs"
if git config --file config --name-only --get-regexp '^(remote|branch|url|include|submodule)' >&2; then
    refuse ".git/config names another repository"
fi

# Step by step: in a pipe a failure would go unseen, and nothing read would look like nothing there.
here cat-file --batch-all-objects --batch-check="$names" >/evalkit/listed
sort -u /evalkit/listed >/evalkit/readable
reachable >/evalkit/history
extra=$(comm -13 /evalkit/history /evalkit/readable | head -n 3)
[ -z "$extra" ] || refuse "objects outside the history of HEAD can be read: $extra"
stores=$(related_stores)
[ -z "$stores" ] || refuse "another store has more of its history: $stores"
