#!/usr/bin/env bash
# A Java VM and we in one process, each with mapped files in trouble, whoever has put up its handler first:
# ours are dealt with, the VM's are exceptions in Java.
#
#   jvm_test.sh PRELOADED_MAPPING_LIBRARY SOURCE_DIRECTORY
# Exit code 77: there is no Java development kit.
set -euo pipefail
library=$1 source=$2
for program in java javac; do
  command -v "$program" >/dev/null || { echo "skipped: $program is missing (package default-jdk-headless)"; exit 77; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
javac -d "$scratch" "$source/tests/jvm/Faults.java"
failures=0
for at in start later both; do
  mkdir "$scratch/$at"
  said=$(MAPPING_AT=$at MAPPING_DIRECTORY="$scratch/$at" LD_PRELOAD="$library" \
    timeout 100 java -Xmx64m -XX:TieredStopAtLevel=1 -XX:ErrorFile="$scratch/crash" -cp "$scratch" Faults "$scratch/$at" 2>&1) ||
    said+=" (exit $?)"
  ours=$(cat "$scratch/$at/verdict" 2>/dev/null || echo none)
  echo "mapping made at $at: $said; ours: $ours"
  [[ ${said##*$'\n'} == "java caught caught" && $ours == survived ]] || failures=$((failures + 1))
done
[[ $failures -eq 0 ]] || { echo "$failures failures"; exit 1; }
echo "ok"
