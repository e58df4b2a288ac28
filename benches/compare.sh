#!/usr/bin/env bash
# Measures sipexplain beside ngrep, tshark and sngrep on the same captures, in one run.
#
#     benches/compare.sh [DATA_DIR]          the captures go to benches/data unless told otherwise
#
#     SIPEXPLAIN=/path/to/binary             measures that instead of a fresh release build
#     RUNS=5                                 timed runs of each fast command, after one warm-up
#     LIMIT=180                              seconds that any one run may take
#
# The fast commands take turns (A B C A B C), so that a slow spell of the machine meets them all.
# tshark and sngrep run once, without warm-up: they take tens of seconds. All output goes to
# /dev/null. A run that does not end with status 0 is reported as such and yields no number.
# Captures that exist are kept: delete them after a change to generate.rs.

set -u -o pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
data=${1:-$root/benches/data}
runs=${RUNS:-5}
limit=${LIMIT:-180}
mkdir -p "$data" && data=$(cd "$data" && pwd) || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# --- building -------------------------------------------------------------------------------

if [ -n "${SIPEXPLAIN:-}" ]; then
    sipexplain=$SIPEXPLAIN
else
    (cd "$root" && cargo build --release --quiet) || exit 2
    sipexplain=${CARGO_TARGET_DIR:-$root/target}/release/sipexplain
fi

for capture in sip-heavy rtp-heavy pjsip; do
    name=$capture.pcap kind=$capture
    [ "$capture" = pjsip ] && name=pjsip.log kind=pjsip-log
    [ -f "$data/$name" ] && continue
    if [ ! -x "$scratch/generate" ]; then
        rustc -O --edition 2024 "$root/benches/generate.rs" -o "$scratch/generate" || exit 2
    fi
    # Under another name until it is whole.
    "$scratch/generate" "$kind" "$data/$capture.part" || exit 2
    mv "$data/$capture.part" "$data/$name" || exit 2
done

# --- measuring ------------------------------------------------------------------------------

# Both helpers write "wall-seconds peak-KiB status" to the file named first. The wall time is
# taken around GNU time, which itself counts in hundredths only; it adds about a millisecond.
if [ -x /usr/bin/time ] && /usr/bin/time -f %M -o /dev/null true 2>/dev/null; then
    once() {
        local result=$1 begin end status
        shift
        begin=$EPOCHREALTIME
        /usr/bin/time -q -f %M -o "$scratch/peak" timeout "$limit" "$@" >/dev/null 2>&1 </dev/null
        status=$?
        end=$EPOCHREALTIME
        printf '%s %s %s\n' "$(awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.3f", b - a }')" \
            "$(tail -n 1 "$scratch/peak")" "$status" >"$result"
    }
elif command -v python3 >/dev/null; then
    # A child's peak is never below that of the Python that started it, about 10 MB.
    once() {
        local result=$1
        shift
        python3 - "$result" "$limit" "$@" <<'PYTHON'
import resource, subprocess, sys, time
result, limit, *command = sys.argv[1:]
quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
begin = time.monotonic()
try:
    status = subprocess.run(command, timeout=float(limit), **quiet).returncode
except subprocess.TimeoutExpired:
    status = 124
wall = time.monotonic() - begin
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(result, "w") as file:
    print(f"{wall:.3f} {peak} {status}", file=file)
PYTHON
    }
else
    echo "neither /usr/bin/time nor python3 is here: nothing to measure with" >&2
    exit 2
fi

# The commands of a table: a title and a command line each.
titles=()
commands=()
add() {
    titles+=("$1")
    commands+=("$2")
}
# The first one is what the ratios are taken to.
add "ngrep '^SIP/2.0 6'" 'ngrep -q -I "$capture" "^SIP/2.0 6"'
add "sipexplain" '"$sipexplain" "$capture"'
add "sipexplain --format ndjson" '"$sipexplain" --format ndjson "$capture"'
add "sipexplain --format json" '"$sipexplain" --format json "$capture"'
fast=${#titles[@]}
add "tshark -z sip,stat" 'tshark -q -z sip,stat -r "$capture"'
# Without -l sngrep stops at 20 000 dialogs and says nothing.
add "sngrep -N -q" 'sngrep -F -N -q -l 1000000 -I "$capture"'

# measure INDEX CAPTURE RESULT
measure() {
    local capture=$2 words
    eval "words=(${commands[$1]})"
    if ! command -v "${words[0]}" >/dev/null; then
        echo "missing" >"$3"
        return
    fi
    once "$3" "${words[@]}"
    # ngrep ends with status 1 where nothing matched, which is no failure.
    [ "${words[0]}" = ngrep ] && sed -i.bak 's/ 1$/ 0/' "$3" && rm -f "$3.bak"
}

table() {
    local capture=$1 number index name
    name=$(basename "$capture")
    name=${name%.*}
    local bytes
    bytes=$(wc -c <"$capture")
    # The capture is read once, so that the first command finds it in memory like the others.
    cat "$capture" >/dev/null
    for ((number = 0; number <= runs; number++)); do
        for ((index = 0; index < fast; index++)); do
            # Number 0 is the warm-up.
            measure "$index" "$capture" "$scratch/$name.$index.$number"
        done
    done
    rm -f "$scratch/$name".*.0
    for ((index = fast; index < ${#titles[@]}; index++)); do
        measure "$index" "$capture" "$scratch/$name.$index.1"
    done

    printf '\n%s: %s MB\n\n' "$name" "$(awk -v b="$bytes" 'BEGIN { printf "%.0f", b / 1e6 }')"
    printf '| %-28s | runs | median s |   min s |   max s | to first | peak MB |\n' command
    printf '|:-----------------------------|-----:|---------:|--------:|--------:|---------:|--------:|\n'
    rm -f "$scratch/base"
    for ((index = 0; index < ${#titles[@]}; index++)); do
        row "$name" "$index"
    done
}

# row CAPTURE_NAME INDEX
row() {
    local results=("$scratch/$1.$2".*)
    sort -n "${results[@]}" | awk -v title="${titles[$2]}" -v limit="$limit" -v index_="$2" -v file="$scratch/base" '
        $1 == "missing" { missing = 1; next }
        $3 != 0 { bad = $3 }
        { wall[++n] = $1; if ($2 > peak) peak = $2 }
        END {
            if (missing) word = "skipped: not installed"
            else if (bad == 124) word = "did not finish within " limit " s"
            else if (bad) word = "failed with status " bad
            if (word) { printf "| %-28s | %s |\n", title, word; exit }
            median = n % 2 ? wall[(n + 1) / 2] : (wall[n / 2] + wall[n / 2 + 1]) / 2
            if (index_ == 0) print median >file
            close(file)
            getline base <file
            ratio = base > 0 ? sprintf("%.2f", median / base) : "-"
            printf "| %-28s | %4d | %8.3f | %7.3f | %7.3f | %8s | %7.0f |\n", title, n, median, wall[1], wall[n], ratio, peak * 1024 / 1e6
        }'
}

printf '%s, %s CPUs, load %s, %s\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)" \
    "$(getconf _NPROCESSORS_ONLN)" "$(cut -d' ' -f1 /proc/loadavg 2>/dev/null)" "$(uname -sr)"
table "$data/sip-heavy.pcap"
table "$data/rtp-heavy.pcap"

# A text log beside GNU grep, which counts the envelopes.
envelope='<--- (Received|Transmitting) SIP (request|response) \([0-9]+ bytes\) (from|to) (UDP|TCP|TLS|WS|WSS):'
titles=()
commands=()
# Into a pipe: where grep sees /dev/null it ends with the first match.
counted='grep -cE "$0" "$1" | cat'
add "grep -cE envelope" 'sh -c "$counted" "$envelope" "$capture"'
add "sipexplain" '"$sipexplain" "$capture"'
fast=${#titles[@]}
table "$data/pjsip.log"

# --- starting -------------------------------------------------------------------------------

# started NAME COMMAND...: milliseconds of one start, the mean of 100
started() {
    local name=$1 begin=$EPOCHREALTIME
    shift
    for _ in $(seq 100); do "$@" >/dev/null; done
    awk -v n="$name" -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "| %-28s | %5.2f ms |\n", n, (b - a) * 10 }'
}
printf '\n| started 100 times            |     mean |\n|:-----------------------------|---------:|\n'
started true env true
started 'sipexplain code 607' env "$sipexplain" code 607
started 'sipexplain code 607 --lang fr' env "$sipexplain" code 607 --lang fr
