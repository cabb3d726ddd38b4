#!/usr/bin/env bash
# Prepares the checkout: system libraries, .venv, locked packages, the `permits` command.
# Usage: scripts/setup.sh [runtime|dev]. When nothing has changed it only looks, well under a second.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "setup: $*" >&2
    exit 1
}

profile=${1:-runtime}
case $profile in
    runtime) locks=(requirements.txt) ;;
    dev) locks=(requirements-dev.txt requirements.txt) ;; # the first holds all of the second
    *) fail "unknown profile '$profile' (runtime or dev)" ;;
esac

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "Python 3.11 or newer is needed, and '$python' is not; name one: PYTHON=/path/to/python3 make …"

# What WeasyPrint and venv cannot do without, as Debian packages, one a line. Trying beats asking
# dpkg: the libraries may come from elsewhere, and a listed package may be for another Python.
missing_packages() {
    "$python" - <<'PY'
import ctypes
import importlib.util
import pathlib

LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
for library, package in LIBRARIES.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
if not pathlib.Path(".venv/bin/pip").exists() and importlib.util.find_spec("ensurepip") is None:
    print("python3-venv")
PY
}

# The tests' outside programs that are not there, as Debian packages.
missing_programs() {
    local program package
    while read -r program package; do
        command -v "$program" >/dev/null || echo "$package"
    done <tests/programs.txt | sort -u
}

# apt_install ask|never PACKAGE…: fails when this user may not install; `ask` lets sudo prompt.
apt_install() {
    local ask=$1 sudo=()
    shift
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || return 1
        sudo -n true 2>/dev/null || { [ "$ask" = ask ] && [ -t 0 ]; } || return 1
        sudo=(sudo)
    fi
    echo "setup: installing $*" >&2
    local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
    local install=("${apt[@]}" install --no-install-recommends "$@")
    # Package lists may be absent (a new container) or stale: they are fetched only then.
    "${install[@]}" >/dev/null 2>&1 || { "${apt[@]}" update >/dev/null && "${install[@]}" >/dev/null; }
}

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ]; then
    by_hand="install the missing system packages, then try again: apt-get install ${packages[*]}"
    apt_install ask "${packages[@]}" || fail "$by_hand"
    [ -z "$(missing_packages)" ] || fail "$by_hand (they seem to be there, yet '$python' cannot use them)"
fi

if [ "$profile" = dev ]; then
    mapfile -t packages < <(missing_programs)
    if [ ${#packages[@]} -gt 0 ]; then
        apt_install never "${packages[@]}" ||
            echo "setup: some tests need programs that are not here: apt-get install ${packages[*]}" >&2
    fi
fi

{ [ -x .venv/bin/pip ] && .venv/bin/python -c '' 2>/dev/null; } || "$python" -m venv --clear .venv

stamp=.venv/installed-locks
if ! grep -qxF "$(sha256sum "${locks[0]}")" "$stamp" 2>/dev/null; then
    echo "setup: installing ${locks[0]} (about a minute the first time)" >&2
    rm -f "$stamp"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes -r "${locks[0]}"
    # Linked rather than built: a build would fetch its own, unlocked, tools.
    echo ../../../.. >"$(echo .venv/lib/python3*/site-packages)/permits.pth"
    printf '%s\n' '#!/bin/sh' 'exec "$(dirname "$0")/python" -m permits "$@"' >.venv/bin/permits
    chmod +x .venv/bin/permits
    sha256sum "${locks[@]}" >"$stamp"
fi
