#!/usr/bin/env bash
# A team's day: team.sh PROGRAM
# SIPp calls SIPp through Kamailio; the flow is recorded and blessed. Recorded again it fits; once the callee answers 607
# it does not, and the difference says so. Skips, with a sentence, where it cannot record. The network is one of its own.
set -eu
PROGRAM=$(realpath "${1:?the built sipexplain}")
RECORD=$(cd "$(dirname "$0")/../../fixtures/record" && pwd)

skip() { echo "skipped: a team's day ($1)"; exit 0; }
for tool in sipp kamailio tcpdump ip ss; do
    command -v "$tool" >/dev/null || skip "no $tool"
done
[ "$(id -u)" = 0 ] || skip "not root"
NET=sipexplain-team-$$
ip netns add "$NET" 2>/dev/null || skip "no network namespaces"
TMP=$(mktemp -d)
PIDS=()
end() {
    [ "${#PIDS[@]}" = 0 ] || { kill "${PIDS[@]}" && wait "${PIDS[@]}"; } 2>/dev/null || true
    ip netns del "$NET"
    rm -rf "$TMP"
}
trap end EXIT
inside() { ip netns exec "$NET" "$@"; }
inside ip link set lo up
for address in 192.0.2.10 198.51.100.20 203.0.113.5; do inside ip addr add "$address/32" dev lo; done

# What runs in the background is started without inside(), so that $! is the program itself.
mkdir "$TMP/run"
ip netns exec "$NET" kamailio -DD -E -f "$RECORD/kamailio/proxy.cfg" -Y "$TMP/run" -m 32 -M 4 \
    -A TARGET='"sip:198.51.100.20:5060"' -A FR=10000 -A FR_INV=60000 >"$TMP/kamailio" 2>&1 &
PIDS+=($!)
for _ in $(seq 60); do
    inside ss -lun | grep -q 203.0.113.5:5060 && break
    sleep 0.05
done

# record FLOW: what SIPp plays by the scenarios of that fixture, with a Call-ID of its own
record() {
    ip netns exec "$NET" tcpdump -i lo -s 0 -U -n --immediate-mode -Z root -w "$TMP/trunk.pcap" udp port 5060 2>"$TMP/tcpdump" &
    local dump=$!
    for _ in $(seq 60); do
        grep -q 'listening on' "$TMP/tcpdump" && break
        sleep 0.05
    done
    ip netns exec "$NET" sipp -sf "$RECORD/sipp/$1.uas.xml" -i 198.51.100.20 -p 5060 -mp 30000 -m 1 -nostdin -timeout 30s \
        -default_behaviors none >"$TMP/uas" 2>&1 &
    local uas=$!
    sleep 0.3
    inside timeout 30 sipp 203.0.113.5:5060 -sf "$RECORD/sipp/$1.uac.xml" -i 192.0.2.10 -p 5060 -mp 20000 -m 1 -nostdin \
        -default_behaviors none -cid_str "$RANDOM$RANDOM@example.com" >"$TMP/uac" 2>&1
    wait "$uas" || true
    sleep 0.5
    kill "$dump"
    wait "$dump" || true
}

# expect STATUS TEXT COMMAND...
expect() {
    local want=$1 text=$2 status=0
    shift 2
    "$PROGRAM" "$@" >"$TMP/out" 2>&1 || status=$?
    [ "$status" = "$want" ] || { echo "FAILED: status $status in place of $want: sipexplain $*"; cat "$TMP/out"; exit 1; }
    grep -qF -- "$text" "$TMP/out" || { echo "FAILED: no \"$text\" from sipexplain $*"; cat "$TMP/out"; exit 1; }
}

record proxied-call-two-hops
expect 0 "written 1" check --golden "$TMP/golden" --bless "$TMP/trunk.pcap"
expect 0 "[[call]]" check --init "$TMP/trunk.pcap"
cp "$TMP/out" "$TMP/flows.toml"
record proxied-call-two-hops
expect 0 "" check "$TMP/flows.toml" "$TMP/trunk.pcap"
expect 0 "1 call, 1 as before" check --golden "$TMP/golden" "$TMP/trunk.pcap"
expect 0 "" --fail-on failed,error "$TMP/trunk.pcap"

record unwanted-607
expect 1 "607" check "$TMP/flows.toml" "$TMP/trunk.pcap"
expect 1 "SIP/2.0 607 Unwanted" check --golden "$TMP/golden" "$TMP/trunk.pcap"
grep -qF -- "+ outcome: refused 607" "$TMP/out" || { cat "$TMP/out"; exit 1; }
expect 1 "--fail-on 607: 1" --fail-on 607 "$TMP/trunk.pcap"
expect 0 "written 1" check --golden "$TMP/golden" --bless "$TMP/trunk.pcap"

record proxied-call-two-hops
expect 0 "" check "$TMP/flows.toml" "$TMP/trunk.pcap"
expect 1 "- outcome: refused 607" check --golden "$TMP/golden" "$TMP/trunk.pcap"
echo "ok: a team's day, with SIPp and Kamailio: expected and blessed, as before, changed, mended"
