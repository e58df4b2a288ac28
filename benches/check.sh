#!/usr/bin/env bash
# How much longer `sipexplain check` takes than the analysis itself: 10 000 calls against 100 expectations.
#
#     benches/check.sh [DATA_DIR]            the capture goes to benches/data unless told otherwise
#
#     SIPEXPLAIN=/path/to/binary             measures that instead of a fresh release build
#     RUNS=9                                 timed runs of each command, after one warm-up
#
# The commands take turns, and the least time of each counts: what is longer is the machine's doing. Two files
# of expectations are held against the calls: in the first each call fits one expectation, in the second all.
# Exit status 1 if the analysis with expectations takes more than twice its time without.

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
final = ["2xx", "4xx", "5xx", "6xx"]
sequence = ["INVITE", "...", "ACK*", "BYE?", "200 BYE?", "..."]
times = { final = "30s" }
findings = ["busy", "codec-no-common", "2xx-not-acked"]

[[call.expect.message]]
name = "INVITE"
headers = { Contact = "<sip:*", Supported = "/./" }

TOML
}
for number in $(seq -w 0 99); do
    expectation "one of a hundred: $number" "to = \"sip:*$number@*\"" >>"$scratch/some.toml"
    expectation "each of a hundred: $number" 'method = "INVITE"' >>"$scratch/all.toml"
done

# least FILE COMMAND...: appends the wall time in seconds
timed() {
    local file=$1 begin=$EPOCHREALTIME status=0
    shift
    "$@" >/dev/null 2>&1 || status=$?
    [ "$status" -lt 2 ] || { echo "status $status: $*" >&2; exit 2; }
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }' >>"$file"
}
for run in $(seq 0 "$runs"); do
    timed "$scratch/alone" "$sipexplain" "$capture"
    timed "$scratch/some" "$sipexplain" check "$scratch/some.toml" "$capture"
    timed "$scratch/all" "$sipexplain" check "$scratch/all.toml" "$capture"
    # The first is the warm-up.
    [ "$run" -gt 0 ] || rm "$scratch/alone" "$scratch/some" "$scratch/all"
done

for file in some all; do
    { "$sipexplain" check "$scratch/$file.toml" "$capture" || true; } | tail -n 1
done
least() { sort -n "$scratch/$1" | head -n 1; }
awk -v alone="$(least alone)" -v some="$(least some)" -v all="$(least all)" 'BEGIN {
    printf "\n| 10 000 calls                            |  least s | ratio |\n|:----------------------------------------|---------:|------:|\n"
    printf "| analysis                                | %8.3f | %5.2f |\n", alone, 1
    printf "| 100 expectations, each call fits one    | %8.3f | %5.2f |\n", some, some / alone
    printf "| 100 expectations, each call fits all    | %8.3f | %5.2f |\n", all, all / alone
    exit some > 2 * alone || all > 2 * alone
}'
