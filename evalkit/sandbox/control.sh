# The control shell's functions. The agent's own shell never sees them. Only builtins walk /proc:
# the image may lack procps, and a full pid limit leaves no room to fork.

evalkit_kill() { # PID: end it and everything below it
    kill -STOP "$1" # frozen, it starts nothing more
    tree=" $1 "
    grown=yes
    while [ "$grown" ]; do
        grown=
        for status in /proc/[0-9]*/status; do
            pid=${status#/proc/}
            pid=${pid%/status}
            case $tree in *" $pid "*) continue ;; esac
            parent=
            while read -r key value; do
                case $key in PPid:) parent=$value && break ;; esac
            done <"$status"
            case $tree in
                *" $parent "*)
                    kill -STOP "$pid"
                    tree="$tree$pid "
                    grown=yes
                    ;;
            esac
        done
    done
    kill -KILL $tree
}

# Exit codes below are errno's: ENOENT 2, EISDIR 21, EINVAL 22, EFBIG 27.

evalkit_read() { # PATH LIMIT
    [ -d "$1" ] && return 21
    [ -e "$1" ] || return 2
    [ -f "$1" ] || return 22
    size=$(wc -c <"$1") || return 5
    [ "$size" -le "$2" ] || return 27
    base64 <"$1" || return 5
}

evalkit_parent() { # PATH: make the folders above it
    [ -d "$1" ] && return 21
    case $1 in */*) mkdir -p -- "${1%/*}/" ;; esac
}

evalkit_append() { # PATH BASE64
    printf %s "$2" | base64 -d >>"$1"
}
