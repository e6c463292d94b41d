#!/bin/sh
# Installs the Vitals edge agent on Raspberry Pi OS or Debian 12 and newer. Run it again to upgrade: what is configured
# and what waits in the outbox stays.
set -eu

usage() {
    cat <<'TEXT'
Usage: sudo ./install.sh [--package PACKAGE] [--extras LIST] [--one-wire]

  --package PACKAGE  what pip installs: a wheel, a folder, a name; default: the checkout that this script stands in
  --extras LIST      hardware libraries, separated by commas; default: serial,modbus,i2c,gpio; "" for none
  --one-wire         also switch on the 1-wire bus (GPIO 4) of a Raspberry Pi; needs a restart
TEXT
}

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PROGRAM=${VITALS_PROGRAM:-/opt/vitals}
CONFIGURATION=${VITALS_CONFIGURATION:-/etc/vitals}
STATE=${VITALS_STATE:-/var/lib/vitals}
UNITS=${VITALS_UNITS:-/etc/systemd/system}
COMMANDS=${VITALS_COMMANDS:-/usr/local/bin}
DOCUMENTATION=${VITALS_DOCUMENTATION:-/usr/share/doc/vitals}
BOOT_CONFIGURATION=${VITALS_BOOT_CONFIGURATION:-/boot/firmware/config.txt}
ACCOUNT=${VITALS_ACCOUNT:-vitals}
PACKAGE=$(dirname -- "$(dirname -- "$HERE")")
EXTRAS=serial,modbus,i2c,gpio
ONE_WIRE=no

say() { printf '== %s\n' "$1"; }
fail() { printf 'install.sh: %s\n' "$1" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --package) [ $# -ge 2 ] || fail "--package needs a value"; PACKAGE=$2; shift 2 ;;
        --extras) [ $# -ge 2 ] || fail "--extras needs a value"; EXTRAS=$2; shift 2 ;;
        --one-wire) ONE_WIRE=yes; shift ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; fail "unknown option: $1" ;;
    esac
done

[ "$(id -u)" = 0 ] || fail "run it as root: sudo $0"

install_python() {
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        say "installing Python's venv module"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
    fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed; Raspberry Pi OS and Debian have it since version 12 (bookworm)"
}

create_account() {
    if ! getent passwd "$ACCOUNT" >/dev/null; then
        say "creating the user $ACCOUNT"
        useradd --system --user-group --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin "$ACCOUNT"
    fi
    for group in dialout gpio i2c; do
        if getent group "$group" >/dev/null; then usermod --append --groups "$group" "$ACCOUNT"; fi
    done
}

install_program() {
    say "installing $PACKAGE into $PROGRAM"
    [ -x "$PROGRAM/bin/python" ] || python3 -m venv "$PROGRAM"
    "$PROGRAM/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --upgrade \
        "${PACKAGE}[edge${EXTRAS:+,$EXTRAS}]"
    mkdir -p "$COMMANDS" "$DOCUMENTATION"
    ln -sfn "$PROGRAM/bin/vitals" "$COMMANDS/vitals"
    if [ -f "$HERE/../../docs/edge.md" ]; then install -m 0644 "$HERE/../../docs/edge.md" "$DOCUMENTATION/edge.md"; fi
}

create_folders() {
    install -d -m 0750 -o root -g "$ACCOUNT" "$CONFIGURATION"
    install -d -m 0750 -o "$ACCOUNT" -g "$ACCOUNT" "$STATE"
}

# The key stands first: a configuration that names it never exists without it.
install_configuration() {
    if [ ! -e "$CONFIGURATION/command.key" ]; then
        say "making this node's command key: $CONFIGURATION/command.key"
        new_key=$(mktemp "$CONFIGURATION/.command.key.XXXXXX")
        od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$new_key"
        chown "root:$ACCOUNT" "$new_key"
        chmod 0640 "$new_key"
        mv "$new_key" "$CONFIGURATION/command.key"
    fi
    if [ ! -e "$CONFIGURATION/edge.yaml" ]; then
        say "writing an example configuration: $CONFIGURATION/edge.yaml"
        install -m 0640 -o root -g "$ACCOUNT" "$HERE/edge.yaml" "$CONFIGURATION/edge.yaml"
    fi
}

switch_on_one_wire() {
    [ -e "$BOOT_CONFIGURATION" ] || fail "--one-wire: there is no $BOOT_CONFIGURATION; is this a Raspberry Pi?"
    if ! grep -q '^dtoverlay=w1-gpio' "$BOOT_CONFIGURATION"; then
        say "switching on the 1-wire bus in $BOOT_CONFIGURATION; it works after a restart"
        printf '\n[all]\ndtoverlay=w1-gpio\n' >>"$BOOT_CONFIGURATION"
    fi
}

install_service() {
    install -m 0644 "$HERE/vitals-edge.service" "$UNITS/vitals-edge.service"
    systemctl daemon-reload
    systemctl enable --quiet vitals-edge.service
}

start_or_explain() {
    if grep -q '^node: change-me' "$CONFIGURATION/edge.yaml"; then
        cat <<TEXT
== installed; it starts once it knows who it is:
   1. edit $CONFIGURATION/edge.yaml: node, broker, drivers
   2. sudo -u $ACCOUNT vitals edge sensors --config $CONFIGURATION/edge.yaml
   3. sudo systemctl start vitals-edge
   4. sudo -u $ACCOUNT vitals edge status --config $CONFIGURATION/edge.yaml
TEXT
    else
        say "starting the agent"
        systemctl restart vitals-edge.service
    fi
}

install_python
create_account
create_folders
install_program
install_configuration
[ "$ONE_WIRE" = no ] || switch_on_one_wire
install_service
start_or_explain
