#!/usr/bin/env bash
# The arrows of lss/README.md are the build's: with the flags that a folder's sources are compiled with, a
# header of a folder below it can be included, and one of any other folder cannot.
#
#   include_arrows_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY
set -euo pipefail
build=$1 source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

declare -A below=(
  [base]=""
  [figures]="base"
  [device]="base"
  [ring]="base device"
  [runtime]="base device ring"
  [stream]="base figures device ring runtime"
  [recovery]="base device ring"
  [second_place]="base device ring runtime"
  [nbd]="base device ring runtime"
  [pages]="base figures device ring runtime stream recovery"
)

# The compiler and its include directories, as the build uses them for the folder's sources.
flags_of() {
  local sources="(/lss/$1/[a-z0-9_]*\.cc|/lss_$1\.dir/Unity/unity_[0-9]*_cxx\.cxx)"
  grep -m 1 -oE "\"command\": \"[^\"]* -c [^\"]*$sources\"" "$build/compile_commands.json" |
    grep -oE -- '(-I|-isystem )[^ ]+|-std=[^ ]+' | tr '\n' ' '
}

# Preprocessing is enough to find headers.
finds() {
  local flags=$1 header=$2
  echo "#include \"$header\"" >"$scratch/try.cc"
  # shellcheck disable=SC2086  # a list of flags
  "${CXX:-c++}" $flags -E -o /dev/null "$scratch/try.cc" 2>"$scratch/errors"
}

# Left out where libnbd is not installed.
[[ -n $(flags_of nbd) ]] || unset 'below[nbd]'

for folder in "${!below[@]}"; do
  flags=$(flags_of "$folder")
  [[ -n $flags ]] || { echo "no compile command for lss/$folder" >&2; exit 1; }
  for other in "${!below[@]}"; do
    header=$(cd "$source" && find "lss/$other" -name '*.h' | sort | head -n 1)
    if [[ $other == "$folder" || " ${below[$folder]} " == *" $other "* ]]; then
      finds "$flags" "$header" || { echo "lss/$folder cannot include $header:"; cat "$scratch/errors"; failures=$((failures + 1)); }
    elif finds "$flags" "$header"; then
      echo "lss/$folder can include $header, against the arrows"
      failures=$((failures + 1))
    fi
  done
  if finds "$flags" lss/log_structured_store.h; then
    [[ $folder == pages ]] || { echo "lss/$folder can include the façade"; failures=$((failures + 1)); }
  elif [[ $folder == pages ]]; then
    echo "lss/pages cannot include the façade"
    failures=$((failures + 1))
  fi
  if finds "$flags" plugin/live_stores.h; then
    echo "lss/$folder can include the plugin"
    failures=$((failures + 1))
  fi
done

# A path relative to the including file would go round all that.
if grep -rnE '#include "\.\.?/' "$source/lss" "$source/plugin" --include='*.h' --include='*.cc'; then
  echo "includes are named from the root"
  failures=$((failures + 1))
fi
[[ $failures -eq 0 ]] || { echo "$failures failures"; exit 1; }
echo "ok: ${#below[@]} folders see what is below them, and nothing else"
