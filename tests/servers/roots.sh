# shellcheck shell=bash
# Where the private roots of the real servers lie. Sourced by `install`, `up` and `exec`.

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# The same rule as cargo's: CARGO_TARGET_DIR, else target/ of the checkout.
case "${CARGO_TARGET_DIR:-target}" in
/*) roots="${CARGO_TARGET_DIR}/servers" ;;
*) roots="$repo/${CARGO_TARGET_DIR:-target}/servers" ;;
esac

# fail WHAT WHY HELP: a reason that a person can act on, never a bare exit code.
fail() {
    printf 'error: %s\n  why: %s\n  help: %s\n' "$1" "$2" "$3" >&2
    exit 1
}

# installed ROOT: whether `install` finished this root with the packages it wants today.
installed() {
    [[ -f "$roots/$1/.packages" && "$(<"$roots/$1/.packages")" == "$(wanted "$1")" ]]
}

# wanted ROOT: what `install` puts in, and how; a root whose note says anything else is made again.
wanted() {
    case "$1" in
    new) echo "layout 1: postfix dovecot-imapd dovecot-pop3d dovecot-lmtpd haproxy openssl" ;;
    legacy) echo "layout 1: exim4-daemon-light" ;;
    senders) echo "layout 1: opensmtpd chasquid openssl" ;;
    sendria) echo "layout 1: sendria==2.2.2" ;;
    esac
}
