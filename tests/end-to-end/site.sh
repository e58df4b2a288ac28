#!/usr/bin/env bash
# Writes the reference as a site and opens it in Chromium, from the disk and without network: site.sh PROGRAM [SHOTS]
# What is on its pages must be what the program prints; see site.py. With a folder SHOTS screenshots are left there.
# Skips, with a sentence, where there is no Chromium.
set -eu
PROGRAM=$(realpath "${1:?the built sipexplain}")
HERE=$(cd "$(dirname "$0")" && pwd)

skip() { echo "skipped: the site in a browser ($1)"; exit 0; }
command -v python3 >/dev/null || skip "no python3"
BROWSER=
for name in chromium chromium-browser google-chrome; do
    BROWSER=${BROWSER:-$(command -v "$name" || true)}
done
[ -n "$BROWSER" ] || skip "no Chromium"
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

"$PROGRAM" site "$TMP/site" > "$TMP/out"
[ "$(cat "$TMP/out")" = "$TMP/site/index.html" ] || { echo "FAILED: the program says:"; cat "$TMP/out"; exit 1; }
timeout 600 python3 "$HERE/site.py" "$PROGRAM" "$TMP/site" "$BROWSER" ${2:+"$(realpath -m "$2")"}
