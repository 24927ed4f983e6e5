#!/usr/bin/env bash
# The studio's page: sees that the committed bundle is what its source makes, then goes through the page in
# Chromium as people do. Needs Node 20; on Debian it installs Chromium, Node and npm if they are missing.
#
#   tools/studio/run.sh [PROGRAM [FOLDER]]   PROGRAM: the built deepdream; FOLDER: where screenshots go
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-target/release/deepdream}")
shots=${2:-target/studio}
missing=()
browser=${CHROMIUM:-$(command -v chromium || command -v google-chrome || true)}
[ -n "$browser" ] || missing+=(chromium)
command -v node > /dev/null || missing+=(nodejs)
command -v npm > /dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
# Files that import each other begin in an order that nobody chose: what one needs may not be there yet.
(cd crates/studio/web/src && grep -oE 'from "\./[a-z-]+"' -- *.ts *.tsx | sed -E 's/\.tsx?:from "\.\// /; s/"$//') | tsort > /dev/null || {
  echo "these files of crates/studio/web/src import each other: move what both need into a file of its own" >&2
  exit 1
}
(cd crates/studio/web && npm ci --no-audit --no-fund --silent && npm run --silent build > /dev/null)
if ! git diff --exit-code --stat -- crates/studio/page; then
  echo "the bundle in crates/studio/page is not what its source makes: commit it after \`npm run build\`" >&2
  exit 1
fi
size=$(gzip -c crates/studio/page/app.js | wc -c)
echo "the page's script has $size bytes, compressed"
[ "$size" -le 60000 ] || { echo "the script must stay under 60,000 bytes, compressed" >&2; exit 1; }
(cd tools/studio && npm ci --no-audit --no-fund --silent)
mkdir -p "$shots"
export CHROMIUM=${browser:-/usr/bin/chromium}
exec timeout 1200 node tools/studio/scenarios.mjs "$program" "$(realpath "$shots")"
