#!/usr/bin/env bash
# How much longer `sipexplain check` takes than the analysis itself: 10 000 calls against 100 expectations.
#
#     benches/check.sh [DATA_DIR]            the capture goes to benches/data unless told otherwise
#
#     SIPEXPLAIN=/path/to/binary             measures that instead of a fresh release build
#     RUNS=9                                 timed runs of each command, after one warm-up
#
# The commands take turns, and the least time of each counts: what is longer is the machine's doing. Three files
# of 100 expectations are held against the calls: in the first each call fits one, then ten, then all of them.
# Exit status 1 if the analysis with expectations that each call fits one of takes more than twice its time
# without.

set -eu -o pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
data=${1:-$root/benches/data}
runs=${RUNS:-9}
mkdir -p "$data"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ -n "${SIPEXPLAIN:-}" ]; then
    sipexplain=$SIPEXPLAIN
else
    (cd "$root" && cargo build --release --quiet)
    sipexplain=${CARGO_TARGET_DIR:-$root/target}/release/sipexplain
fi

capture=$data/calls.pcap
if [ ! -f "$capture" ]; then
    rustc -O --edition 2024 "$root/benches/generate.rs" -o "$scratch/generate"
    "$scratch/generate" sip-heavy "$capture.part" --calls 10000
    mv "$capture.part" "$capture"
fi

# expectation WHICH...: one entry; what has to hold is the same for all
expectation() {
    printf '[[call]]\nname = "%s"\n%s\n\n' "$1" "$2"
    cat <<'TOML'
[call.expect]
final = ["2xx", "4xx", "5xx", "6xx", "none"]
sequence = ["INVITE", "...", "ACK*", "BYE?", "200 BYE?"]
codec = ["PCMA", "PCMU", "G729", "none"]
outcome = ["succeeded", "refused", "failed", "cancelled", "timed-out"]

[[call.expect.message]]
name = "INVITE"
headers = { Contact = "<sip:*", CSeq = "/^[0-9]+ INVITE$/" }
sdp = { profile = "RTP/AVP" }

TOML
}
for number in $(seq -w 0 99); do
    expectation "one: $number" "to = \"sip:*$number@*\"" >>"$scratch/one.toml"
    expectation "ten: $number" "to = \"sip:*${number#?}@*\"" >>"$scratch/ten.toml"
    expectation "all: $number" 'method = "INVITE"' >>"$scratch/all.toml"
done

# timed FILE COMMAND...: appends the wall time in seconds
timed() {
    local file=$1 begin=$EPOCHREALTIME status=0
    shift
    "$@" >/dev/null 2>&1 || status=$?
    [ "$status" -lt 2 ] || { echo "status $status: $*" >&2; exit 2; }
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }' >>"$file"
}
for run in $(seq 0 "$runs"); do
    timed "$scratch/alone" "$sipexplain" "$capture"
    for fits in one ten all; do
        timed "$scratch/$fits" "$sipexplain" check "$scratch/$fits.toml" "$capture"
    done
    # The first is the warm-up.
    [ "$run" -gt 0 ] || rm "$scratch"/{alone,one,ten,all}
done

for fits in one ten all; do
    { "$sipexplain" check "$scratch/$fits.toml" "$capture" || true; } | tail -n 1
done
least() { sort -n "$scratch/$1" | head -n 1; }
awk -v alone="$(least alone)" -v one="$(least one)" -v ten="$(least ten)" -v all="$(least all)" 'BEGIN {
    printf "\n| 10 000 calls                            |  least s | ratio |\n|:----------------------------------------|---------:|------:|\n"
    printf "| analysis                                | %8.3f | %5.2f |\n", alone, 1
    printf "| 100 expectations, each call fits one    | %8.3f | %5.2f |\n", one, one / alone
    printf "| 100 expectations, each call fits ten    | %8.3f | %5.2f |\n", ten, ten / alone
    printf "| 100 expectations, each call fits all    | %8.3f | %5.2f |\n", all, all / alone
    exit one > 2 * alone
}'
