#!/usr/bin/env bash
# Every situation is listed in situations.cmake and in README.md, and says its source.
set -u
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" || exit 2
status=0
for file in */*.sh; do
  [[ $file != support/* ]] || continue
  path=${file%.sh}
  grep -q "^situation($path[ )]" situations.cmake || { echo "$path is not in situations.cmake"; status=1; }
  grep -qF "| \`$path\` |" README.md || { echo "$path is not in README.md"; status=1; }
  grep -q '^# Source: ' "$file" || { echo "$path does not say its source"; status=1; }
done
exit $status
