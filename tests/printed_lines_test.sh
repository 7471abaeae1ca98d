#!/usr/bin/env bash
# plugin/README.md, "What each line means", and the code say the same: every line that the plugin prints is in
# the table, and every line of the table is printed.
#
#   printed_lines_test.sh SOURCE_DIRECTORY
set -euo pipefail
cd "$1"

# Literals that stand beside each other are one; comments are gone.
sources() {
  find lss plugin -name '*.cc' ! -path 'plugin/tool/*' ! -path 'plugin/recipes/*' -print0 | sort -z | xargs -0 cat |
    perl -0pe 's{^\s*//.*\n}{}mg; s{"\s*\n?\s*"}{}g'
}

# The longest literal of every call that prints.
printed() {
  perl -0ne '
    while (/\b(?:WarnOnce|Warn|warn_?|Say)(\((?:[^()"]|"(?:[^"\\]|\\.)*"|(?1))*\))/g) {
      my ($longest) = sort { length $b <=> length $a } map { split /%s/ } $1 =~ /"((?:[^"\\]|\\.)*)"/g;
      print "$longest\n" if length($longest // "") > 3;
    }' <<<"$all" | sort -u
}

# The table, a line for each of its first cells.
table() {
  sed -n '/^## What each line means/,/^## /p' plugin/README.md | sed -n 's/^| \(`.*`\) | .*/\1/p'
}

failures=0
all=$(sources)
lines=$(printed)
rows=$(table)
plain=$(tr -d '`' <<<"$rows")
[[ $(wc -l <<<"$lines") -ge 25 && $(wc -l <<<"$rows") -ge 25 ]] || { echo "lines or table are not found"; exit 1; }
while read -r literal; do
  grep -qF -- "$literal" <<<"$plain" || { echo "not in the table: $literal"; failures=$((failures + 1)); }
done <<<"$lines"
while read -r piece; do
  grep -qF -- "$piece" <<<"$all" || { echo "nobody prints: $piece"; failures=$((failures + 1)); }
done < <(grep -o '`[^`]*`' <<<"$rows" | tr -d '`' | sed 's/…/\n/g' | sed 's/^ *//; s/ *$//' | awk 'length > 7')
[[ $failures -eq 0 ]] || exit 1
echo "$(wc -l <<<"$lines") lines"
