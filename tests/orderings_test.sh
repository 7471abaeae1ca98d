#!/usr/bin/env bash
# Every memory ordering in lss/ says why it is what it is: acquire and release carry the number of a pair in
# lss/README.md, relaxed carries a reason, and no atomic is used with the default order.
#
#   orderings_test.sh SOURCE_DIRECTORY
set -euo pipefail
cd "$1"
export LC_ALL=C
failures=0
mapfile -t files < <(find lss -name '*.cc' -o -name '*.h' | sort)

# What is wrong with a file, one line each. A reason may stand on the line, up to three lines above it, or, at
# the end of a call that is wrapped, two below; what a header says of a member holds for its uses.
check() {
  awk -v file="$1" '
    { line[NR] = $0 }
    END {
      for (i = 1; i <= NR; ++i) {
        code = line[i]; sub(/\/\/.*/, "", code)
        around = ""
        for (k = i - 3; k <= i + 2; ++k) around = around " " line[k]
        if (code ~ /memory_order_(acquire|release|acq_rel|seq_cst)/ && around !~ /P[0-9]+/ &&
            code !~ /std::memory_order order/)
          print file ":" i ": no pair number:" code
        if (code ~ /[.>](load|store|exchange|fetch_add|fetch_sub|fetch_or|compare_exchange_weak|compare_exchange_strong)\(/ &&
            code !~ /GuardOf|order\)/) {
          statement = code
          for (k = i + 1; k <= i + 3 && statement !~ /;|\{$/; ++k) statement = statement line[k]
          if (statement !~ /memory_order/) print file ":" i ": the default order:" code
        }
      }
    }' "$1"
}
for file in "${files[@]}"; do
  found=$(check "$file")
  if [[ -n $found ]]; then
    echo "$found"
    failures=$((failures + 1))
  fi
done

# Relaxed: a reason in the file that uses it, or in the header that declares it.
for file in "${files[@]}"; do
  header=${file%.*}.h
  if grep -q memory_order_relaxed "$file" &&
    ! grep -qiE 'relaxed|vouches for nothing|nobody else knows|publishes|our own' <(cat "$file" "$header" 2>/dev/null | grep -v memory_order_relaxed; grep -E 'memory_order_relaxed.*//' "$file" || true); then
    echo "$file: relaxed without a reason"
    failures=$((failures + 1))
  fi
done

# Both sides of every pair: in the table, and in the code at least twice.
listed=$(grep -oE '^\| P[0-9]+ ' lss/README.md | grep -oE 'P[0-9]+' | sort -u)
used=$(grep -ohE '\bP[0-9]+\b' "${files[@]}" | sort -u)
for number in $used; do
  grep -qx "$number" <<<"$listed" || { echo "$number is not in lss/README.md"; failures=$((failures + 1)); }
done
for number in $listed; do
  count=$(grep -ohE "\b$number\b" "${files[@]}" | wc -l)
  [[ $count -ge 2 ]] || { echo "$number has $count ends in the code"; failures=$((failures + 1)); }
done

# A room's README speaks of pairs that there are: "P5", and each of "P9 to P12".
for readme in lss/README.md lss/*/README.md; do
  spoken=$({ grep -ohE '\bP[0-9]+( to P[0-9]+)?\b' "$readme" || true; } | sed 's/P//g' |
    awk '{ for (n = $1; n <= ($3 ? $3 : $1); ++n) print "P" n }' | sort -u)
  for number in $spoken; do
    grep -qx "$number" <<<"$listed" || { echo "$readme speaks of $number, which is no pair"; failures=$((failures + 1)); }
  done
done

[[ $failures -eq 0 ]] || { echo "$failures failures"; exit 1; }
echo "ok: $(wc -w <<<"$listed") pairs in ${#files[@]} files"
