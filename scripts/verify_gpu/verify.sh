#!/bin/sh
# Verifies the package on this machine's GPU: see README.md.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
command -v node >/dev/null || {
  echo 'verify.sh: node was not found. Node 20.19 or newer must be on the PATH; https://nodejs.org has it as one archive that needs no installation.' >&2
  exit 1
}
exec node "$here/verify/main.mjs" "$@"
