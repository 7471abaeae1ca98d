#!/usr/bin/env bash
# The distribution's own db_bench, ldb and sst_dump, unmodified, with the plugin preloaded.
#
#   tools_test.sh LOADER [RUNTIME]
#
# LOADER: libbloom_lfs.so; RUNTIME: what has to be preloaded before it (a sanitizer's).
set -euo pipefail

preload=${2:+$2:}${1:?"tools_test.sh needs libbloom_lfs.so"}
work=$(mktemp -d "$PWD/tools_test.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'tools_test: %s\n' "$1" >&2
  shift
  for file in "$@"; do printf -- '--- %s\n' "$file" >&2; tail -n 40 "$file" >&2; done
  exit 1
}

# with_plugin OUTPUT COMMAND...: must exit 0.
with_plugin() {
  local output=$1
  shift
  LD_PRELOAD=$preload "$@" >"$output" 2>"$output.err" ||
    fail "exit code $? of: LD_PRELOAD=... $*" "$output" "$output.err"
}

without_plugin() {
  local output=$1
  shift
  "$@" >"$output" 2>"$output.err" || fail "exit code $? of: $*" "$output" "$output.err"
}

db_bench_runs() {
  local uri benchmark
  for uri in bloom_lfs 'id=bloom_lfs;buffer_bytes=64K;buffer_count=8;io_uring=false'; do
    with_plugin "$work/bench" db_bench --fs_uri="$uri" --db="$work/bench_db" --num=1000 \
      --benchmarks=fillseq,fillsync,readrandom --compression_type=none
    for benchmark in fillseq fillsync readrandom; do
      grep -q "^$benchmark *:.*ops/sec" "$work/bench" ||
        fail "db_bench --fs_uri='$uri' reports no $benchmark" "$work/bench" "$work/bench.err"
    done
    [[ ! -e $work/bench_db/.bloom_lfs ]] || fail "rings are left after a clean exit ($uri)"
  done
}

# Eight threads over several databases, as the benchmarks run it.
db_bench_runs_many_threads() {
  with_plugin "$work/bench" db_bench --fs_uri=bloom_lfs --db="$work/many" --num=500 --threads=8 \
    --num_multi_db=4 --benchmarks=fillrandom --sync=1 --compression_type=none
  grep -q '^fillrandom *:.*ops/sec' "$work/bench" || fail "no fillrandom" "$work/bench"
}

# 3,000 rows that are nowhere but in the log.
fill() {
  with_plugin "$work/fill" db_bench --fs_uri=bloom_lfs --db="$work/db" --num=3000 \
    --benchmarks=fillseq --compression_type=none --seed=1
}

tools_agree_with_and_without() {
  local log
  log=$(ls "$work"/db/*.log)
  without_plugin "$work/scan" ldb --db="$work/db" --hex scan
  with_plugin "$work/scan.plugin" ldb --fs_uri=bloom_lfs --db="$work/db" --hex scan
  cmp "$work/scan" "$work/scan.plugin" || fail "ldb scan sees other rows with the plugin"
  [[ $(wc -l <"$work/scan") == 3000 ]] || fail "ldb scan does not see 3000 rows" "$work/scan"

  without_plugin "$work/wal" ldb dump_wal --walfile="$log" --header --print_value
  with_plugin "$work/wal.plugin" ldb --fs_uri=bloom_lfs dump_wal --walfile="$log" --header \
    --print_value
  cmp "$work/wal" "$work/wal.plugin" || fail "ldb dump_wal differs with the plugin"
  # Not all lines: RocksDB 9 adds remarks.
  [[ $(grep -c ',PUT(0) : ' "$work/wal") == 3000 ]] || fail "ldb dump_wal does not see 3000 records" "$work/wal"
}

# ldb opens for writing here: the rows move from the log to a table.
tools_write_and_read_back() {
  with_plugin "$work/put" ldb --fs_uri=bloom_lfs --db="$work/db" put new_key new_value
  without_plugin "$work/get" ldb --db="$work/db" get new_key
  grep -q new_value "$work/get" || fail "stock ldb does not see what ldb put" "$work/get"
  without_plugin "$work/stock_put" ldb --db="$work/db" put stock_key stock_value
  with_plugin "$work/get" ldb --fs_uri=bloom_lfs --db="$work/db" get stock_key
  grep -q stock_value "$work/get" || fail "ldb does not see what stock ldb put" "$work/get"
  with_plugin "$work/dump" sst_dump --fs_uri=bloom_lfs --file="$work/db" --command=verify
}

# bad_value OPTION VALUE RANGE_WORD...: refused, with a message that names option and range.
bad_value() {
  local option=$1 value=$2 word
  shift 2
  if LD_PRELOAD=$preload db_bench --fs_uri="id=bloom_lfs;$option=$value" --db="$work/bad" --num=1 \
    --benchmarks=fillseq >"$work/bad_value" 2>&1; then
    fail "$option=$value is accepted" "$work/bad_value"
  fi
  for word in 'Invalid argument' "$option" "$value" "$@"; do
    grep -qF "$word" "$work/bad_value" ||
      fail "the message about $option=$value does not contain '$word'" "$work/bad_value"
  done
  [[ ! -e $work/bad/CURRENT ]] || fail "a database was created in spite of $option=$value"
}

bad_options_are_refused() {
  bad_value buffer_bytes 1 4096 1048576
  bad_value buffer_bytes 5000 'multiple of 4096'
  bad_value buffer_bytes many 4096 1048576
  bad_value buffer_count 1 2 256
  bad_value frontier_bytes 1T 67108864
  bad_value idle_flush_ms 0 1 60000
  bad_value io_uring perhaps true false
  bad_value direct_io 2 true false
}

db_bench_runs
db_bench_runs_many_threads
fill
tools_agree_with_and_without
tools_write_and_read_back
bad_options_are_refused
echo "tools_test: all passed"
