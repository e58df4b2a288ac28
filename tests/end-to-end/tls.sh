#!/usr/bin/env bash
# Has openssl hold a call over TLS 1.2 and 1.3, records it, and reads it: tls.sh PROGRAM
# With its key log every message must be read; with the key log of another connection, or with none, the report must say
# which of the two it was. Skips, with a sentence, where it cannot record. The network is one of its own.
set -eu
PROGRAM=$(realpath "${1:?the built sipexplain}")
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
TALK=$ROOT/fixtures/record/wrappings/tls_talk.py

skip() { echo "skipped: TLS end to end ($1)"; exit 0; }
for tool in openssl tcpdump python3 ip; do
    command -v "$tool" >/dev/null || skip "no $tool"
done
[ "$(id -u)" = 0 ] || skip "not root"
openssl s_server -help 2>&1 | grep -q keylogfile || skip "this openssl writes no key log"
NET=sipexplain-e2e-$$
ip netns add "$NET" 2>/dev/null || skip "no network namespaces"
TMP=$(mktemp -d)
trap 'ip netns del "$NET"; rm -rf "$TMP"' EXIT
ip -n "$NET" link set lo up
ip -n "$NET" addr add 192.0.2.10/32 dev lo
ip -n "$NET" addr add 198.51.100.20/32 dev lo
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$TMP/key" -out "$TMP/crt" -subj /CN=sip.example.net 2>/dev/null

# record NAME CLIENT_ARGUMENT...
record() {
    local name=$1
    shift
    ip netns exec "$NET" tcpdump -i lo -s 0 -U -n --immediate-mode -Z root -w "$TMP/$name.pcap" tcp port 5061 2>/dev/null &
    local dump=$!
    sleep 0.7
    ip netns exec "$NET" python3 "$TALK" \
        openssl s_server -accept 198.51.100.20:5061 -key "$TMP/key" -cert "$TMP/crt" -quiet -keylogfile "$TMP/$name.keys" -- \
        openssl s_client -connect 198.51.100.20:5061 -bind 192.0.2.10:0 -servername sip.example.net -quiet -no_ign_eof "$@"
    sleep 0.5
    kill "$dump"
    wait "$dump" || true
}

# expect TEXT WHAT: the output of the last run holds it
expect() { grep -qF -- "$1" "$TMP/out" || { echo "FAILED: $2: no '$1' in:"; cat "$TMP/out"; exit 1; }; }

# look ARGUMENT...: status 2 is right where nothing could be read
look() { "$PROGRAM" "$@" > "$TMP/out" 2>&1 || [ $? = 2 ]; }

record 1.3 -tls1_3
record 1.2 -tls1_2
other() { case $1 in 1.2) echo 1.3 ;; *) echo 1.2 ;; esac; }
for version in 1.2 1.3; do
    look --format json --keylog "$TMP/$version.keys" "$TMP/$version.pcap"
    messages=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["inputs"][0]["sip_messages"])' "$TMP/out")
    [ "$messages" = 9 ] || { echo "FAILED: TLS $version: $messages messages of 9"; cat "$TMP/out"; exit 1; }
    look "$TMP/$version.pcap"
    expect "no key log was given" "TLS $version without key log"
    look --keylog "$TMP/$(other $version).keys" "$TMP/$version.pcap"
    expect "the key log has no key for this connection" "TLS $version with the key log of another connection"
    python3 - "$TMP/$version.keys" > "$TMP/wrong.keys" <<'PY'
import sys
for line in open(sys.argv[1]):
    if not line.startswith("#"):
        line = line.rstrip("\n")
        print(line[:-1] + ("1" if line[-1] == "0" else "0"))
PY
    look --keylog "$TMP/wrong.keys" "$TMP/$version.pcap"
    expect "the key in the key log does not fit" "TLS $version with a wrong key"
    echo "ok: TLS $version, 9 messages with the key log, and the three sentences without"
done
