#!/usr/bin/env bash
# libbloom_lfs.so preloaded into programs that do not mention it: what BLOOM_LFS_DEFAULT does, and
# that it does nothing to everybody else.
#
#   preload_test.sh LOADER PROGRAMS [RUNTIME]
#
# LOADER: libbloom_lfs.so; PROGRAMS: directory of the preload_* programs; RUNTIME: what has to be
# preloaded before everything else (a sanitizer's).
set -euo pipefail

loader=$(readlink -f "${1:?"preload_test.sh needs libbloom_lfs.so"}")
programs=$(readlink -f "${2:?"preload_test.sh needs the directory of the test programs"}")
runtime=${3:-}
libraries=$(dirname "$loader")
work=$(mktemp -d "$PWD/preload_test.XXXXXX")
service=
trap '[[ -z $service ]] || kill -KILL "$service" 2>/dev/null || true; rm -rf "$work"' EXIT
unset BLOOM_LFS_DEFAULT BLOOM_LFS_OPTIONS BLOOM_LFS_CRC32C BLOOM_LFS_FLASH

fail() {
  printf 'preload_test: %s: %s\n' "${FUNCNAME[1]}" "$1" >&2
  shift
  for file in "$@"; do printf -- '--- %s\n' "$file" >&2; tail -n 40 "$file" >&2; done
  exit 1
}

# preloaded LIBRARY COMMAND...
preloaded() {
  local library=$1
  shift
  LD_PRELOAD=${runtime:+$runtime:}$library "$@"
}

# start COMMAND...: in the background with the loader, until it has said how many rings it has.
start() {
  rm -f "$work/in" && mkfifo "$work/in"
  : >"$work/out"  # or the service before this one would answer
  # Not through preloaded(): that would be killed instead of the service.
  LD_PRELOAD=${runtime:+$runtime:}$loader "$@" <"$work/in" >"$work/out" 2>"$work/err" &
  service=$!
  exec 7>"$work/in"
  local tries=0
  until grep -q '^rings=' "$work/out"; do
    kill -0 "$service" 2>/dev/null || fail "$* ended early" "$work/err"
    ((++tries < 600)) || fail "$* says nothing" "$work/err"
    sleep 0.1
  done
}

rings() { sed -n 's/^rings=//p' "$work/out"; }

# Lets the service come to its own end.
stop() {
  exec 7>&-
  wait "$service" || fail "the service ends with $?" "$work/err"
  service=
}

kill_service() {
  kill -KILL "$service"
  wait "$service" 2>/dev/null || true
  service=
  exec 7>&-
}

expect_no_output() { [[ ! -s $work/err ]] || fail "unexpected lines for $1" "$work/err"; }

# expect_one_line WORD...: standard error is one line with these words.
expect_one_line() {
  [[ $(wc -l <"$work/err") == 1 ]] || fail "not one line" "$work/err"
  local word
  for word in bloom_lfs: "$@"; do
    grep -qF -- "$word" "$work/err" || fail "no '$word' in the line" "$work/err"
  done
}

a_service_gets_the_plugin_and_keeps_its_rows_when_killed() {
  local db=$work/killed ring
  BLOOM_LFS_DEFAULT=1 start "$programs/preload_service" hold "$db" 5000
  [[ $(rings) == 1 ]] || fail "the live log has $(rings) rings" "$work/err"
  kill_service
  expect_no_output "a service that is killed"
  ring=$(ls "$db"/.bloom_lfs/*.ring)
  [[ -s $ring ]] || fail "the ring does not outlive the service"
  BLOOM_LFS_DEFAULT=1 preloaded "$loader" "$programs/preload_service" check "$db" 5000 ||
    fail "rows are missing after SIGKILL"
  [[ ! -e $db/.bloom_lfs ]] || fail "rings are left after a clean close"
  "$programs/preload_service" check "$db" 5000 || fail "stock RocksDB does not see the rows"
}

tools_of_the_distribution_get_the_plugin() {
  local db=$work/tools
  BLOOM_LFS_DEFAULT=1 LD_PRELOAD=${runtime:+$runtime:}$loader db_bench --db="$db" --num=2000000 \
    --sync --benchmarks=fillseq --compression_type=none >"$work/out" 2>"$work/err" &
  service=$!
  local tries=0
  until compgen -G "$db/.bloom_lfs/*.ring" >/dev/null; do
    kill -0 "$service" 2>/dev/null || fail "db_bench ended without a ring" "$work/err"
    ((++tries < 300)) || fail "db_bench has no ring" "$work/err"
    sleep 0.1
  done
  sleep 0.5
  kill_service
  BLOOM_LFS_DEFAULT=1 preloaded "$loader" ldb --db="$db" --hex scan >"$work/with" 2>"$work/err"
  expect_no_output ldb
  ldb --db="$db" --hex scan >"$work/without"
  [[ -s $work/with ]] || fail "ldb finds no rows"
  # Everything was synced, but for the one row that was on its way when the writer was killed.
  local rows
  rows=$(wc -l <"$work/without")
  (($(wc -l <"$work/with") - rows <= 1)) || fail "stock ldb misses synced rows"
  cmp <(head -n "$rows" "$work/with") "$work/without" || fail "ldb sees other rows with the plugin"
}

without_the_variable_the_default_is_stock() {
  local value
  for value in unset 0 '' false; do
    if [[ $value == unset ]]; then unset BLOOM_LFS_DEFAULT; else export BLOOM_LFS_DEFAULT=$value; fi
    start "$programs/preload_service" hold "$work/stock" 10
    [[ $(rings) == 0 ]] || fail "rings with BLOOM_LFS_DEFAULT '$value'"
    stop
    expect_no_output "BLOOM_LFS_DEFAULT '$value'"
  done
  unset BLOOM_LFS_DEFAULT
  preloaded "$loader" "$programs/preload_service" name >"$work/out"
  grep -qx 'default PosixFileSystem over none, by name bloom_lfs over PosixFileSystem' \
    "$work/out" || fail "wrong names" "$work/out"
}

other_values_of_the_variable_are_pointed_out() {
  BLOOM_LFS_DEFAULT=maybe start "$programs/preload_service" hold "$work/unclear" 10
  [[ $(rings) == 0 ]] || fail "the plugin is in use"
  stop
  expect_one_line BLOOM_LFS_DEFAULT=maybe '1 or 0'
}

by_name_the_plugin_is_not_stacked_upon_itself() {
  BLOOM_LFS_DEFAULT=1 preloaded "$loader" "$programs/preload_service" name \
    >"$work/out" 2>"$work/err"
  grep -qx 'default bloom_lfs over PosixFileSystem, by name bloom_lfs over PosixFileSystem' \
    "$work/out" || fail "wrong names" "$work/out"
  expect_no_output "a FileSystem by name"
  local uri
  for uri in bloom_lfs 'id=bloom_lfs;buffer_count=4' 'id=bloom_lfs;target=bloom_lfs'; do
    BLOOM_LFS_DEFAULT=1 preloaded "$loader" ldb --fs_uri="$uri" --db="$work/uri" \
      --create_if_missing put key value >"$work/out" 2>"$work/err"
    expect_no_output "ldb --fs_uri=$uri"
  done
}

options_are_honoured() {
  local bytes
  BLOOM_LFS_DEFAULT=1 BLOOM_LFS_OPTIONS=' id=bloom_lfs; buffer_bytes=8K ;buffer_count=4;' \
    start "$programs/preload_service" hold "$work/options" 10
  bytes=$(stat -c %s "$work"/options/.bloom_lfs/*.ring)
  ((bytes >= 4 * 8192 && bytes < 8 * 8192)) || fail "a ring of $bytes bytes"
  stop
  expect_no_output "good options"
}

# figures_of COMMAND: the service's, when it has appended something.
figures_of() {
  local file
  BLOOM_LFS_DEFAULT=1 start "$programs/preload_service" "$1" "$work/figures" 10
  for _ in {1..600}; do
    file=$(compgen -G "$work/figures-*.prom" || true)
    [[ -z $file ]] || ! grep -q '^bloom_lfs_appends_total{kind="wal",pid="[0-9]*"} [1-9]' "$file" || return 0
    sleep 0.1
  done
  fail "no figures of $1" "$work/err"
}

figures_go_where_the_options_say() {
  export BLOOM_LFS_OPTIONS="stats_file=$work/figures-%p.prom;stats_interval_s=1"
  figures_of fork
  stop
  rm "$work"/figures-*  # the child ends by _exit()
  figures_of hold
  stop
  ! compgen -G "$work/figures-*" || fail "figures of a process that has ended"
  unset BLOOM_LFS_OPTIONS
}

bad_options_are_reported_and_the_service_starts() {
  local options words
  while read -r options words; do
    BLOOM_LFS_DEFAULT=1 BLOOM_LFS_OPTIONS=$options \
      start "$programs/preload_service" hold "$work/bad_options" 10
    [[ $(rings) == 0 ]] || fail "the plugin is in use with $options"
    stop
    # shellcheck disable=SC2086
    expect_one_line BLOOM_LFS_OPTIONS stock $words
  done <<'END'
buffer_bytes=1 buffer_bytes 4096 1048576
buffer_count=8;io_uring=perhaps io_uring true false
bufer_count=8 bufer_count buffer_count
io_uring io_uring name=value
target=posix target
END
}

checksums_come_from_the_processor_and_are_the_same() {
  grep -qw sse4_2 /proc/cpuinfo || return 0
  local command value late=("$programs/preload_late_service" "$libraries/libpreload_late.so")
  "$programs/preload_service" checksums >"$work/stock_checksums"
  [[ $(wc -l <"$work/stock_checksums") == 8 ]] || fail "no checksums" "$work/stock_checksums"
  # A RocksDB that was compiled for this processor is left to itself.
  local by='by bloom_lfs'
  [[ $(head -n 1 "$work/stock_checksums") != Supported* ]] || by=$(head -n 1 "$work/stock_checksums")
  for command in "$programs/preload_service" "$programs/preload_early_service" "${late[*]}"; do
    # shellcheck disable=SC2086
    preloaded "$loader" $command checksums >"$work/out" 2>"$work/err"
    [[ $(head -n 1 "$work/out") == "$by" ]] || fail "not $by" "$work/out"
    cmp <(tail -n +2 "$work/out") <(tail -n +2 "$work/stock_checksums") || fail "others than stock's"
    expect_no_output "$command checksums"
    for value in 0 false; do
      # shellcheck disable=SC2086
      BLOOM_LFS_CRC32C=$value preloaded "$loader" $command checksums >"$work/out" 2>"$work/err"
      cmp "$work/out" "$work/stock_checksums" || fail "BLOOM_LFS_CRC32C=$value is not stock"
      expect_no_output "$command checksums"
    done
  done
  # RocksDB itself asks us too, and not only programs.
  preloaded "$loader" "$programs/preload_service" check "$work/checksums" 0
  grep -q "Fast CRC32 supported: $by" "$work/checksums/LOG" || fail "RocksDB does not ask us"
}

a_library_may_be_first_to_ask() {
  BLOOM_LFS_DEFAULT=1 start "$programs/preload_early_service" hold "$work/early" 10
  [[ $(rings) == 1 ]] || fail "the live log has $(rings) rings" "$work/err"
  stop
  expect_no_output "a static initialiser"
}

rocksdb_may_be_loaded_late() {
  local late=("$programs/preload_late_service" "$libraries/libpreload_late.so")
  BLOOM_LFS_DEFAULT=1 start "${late[@]}" hold "$work/late" 1000
  [[ $(rings) == 1 ]] || fail "the live log has $(rings) rings" "$work/err"
  kill_service
  expect_no_output "a RocksDB that is loaded late"
  BLOOM_LFS_DEFAULT=1 preloaded "$loader" "${late[@]}" check "$work/late" 1000 ||
    fail "rows are missing after SIGKILL"
  preloaded "$loader" "${late[@]}" name >"$work/out"
  grep -qx 'default PosixFileSystem over none, by name bloom_lfs over PosixFileSystem' \
    "$work/out" || fail "the plugin is not registered" "$work/out"
  # The directory of a relative path is gone from sight when RocksDB comes.
  (cd "$libraries" && BLOOM_LFS_DEFAULT=1 preloaded "./$(basename "$loader")" "${late[@]}" name) \
    >"$work/out" 2>"$work/err"
  grep -q '^default bloom_lfs' "$work/out" || fail "not by a relative path" "$work/out" "$work/err"
}

# One may lie where another was, whose functions are not there any more.
modules_with_a_rocksdb_of_their_own_come_and_go() {
  preloaded "$loader" "$programs/preload_modules" "$libraries"/libpreload_module_{a,b}.so 2>"$work/err" ||
    fail "a module does not get its own RocksDB" "$work/err"
  expect_no_output "modules"
}

a_forked_service_gets_the_plugin() {
  BLOOM_LFS_DEFAULT=1 start "$programs/preload_service" fork "$work/forked" 1000
  [[ $(rings) == 1 ]] || fail "the live log has $(rings) rings" "$work/err"
  stop
  expect_no_output "a forked service"
  "$programs/preload_service" check "$work/forked" 1000 || fail "rows are missing"
}

# refused PROGRAM WORD...: one line, and the stock FileSystem, with and without the variable.
refused() {
  local program=$1 value
  shift
  for value in 0 1; do
    BLOOM_LFS_DEFAULT=$value preloaded "$loader" "$program" >"$work/out" 2>"$work/err" ||
      fail "$program ends with $?" "$work/err"
    [[ $(grep -cx 'stock FileSystem of the fake' "$work/out") == 2 ]] || fail "not stock" "$work/out"
    expect_one_line stock "$@"
  done
}

another_version_is_refused() { refused "$programs/preload_other_version_program" 99.1 'built for'; }

another_standard_library_is_refused() {
  refused "$programs/preload_other_library_program" librocksdb_other_library.so 'C++ standard library'
}

a_bundled_rocksdb_is_refused() {
  refused "$programs/preload_bundled_program" libdatabase.so 'linked to' ROCKSDB_PLUGINS
  # Beside the plugin's own RocksDB: each gets what is its own.
  BLOOM_LFS_DEFAULT=1 preloaded "$loader" "$programs/preload_late_service" \
    "$libraries/libdatabase.so" "$libraries/libpreload_late.so" name >"$work/out" 2>"$work/err" ||
    fail "two RocksDBs end with $?" "$work/err"
  [[ $(cat "$work/out") == $'stock FileSystem of the fake\ndefault bloom_lfs over PosixFileSystem'* ]] ||
    fail "wrong FileSystems" "$work/out"
  expect_one_line libdatabase.so
}

without_the_plugin_beside_it_the_service_starts() {
  mkdir -p "$work/alone"
  cp "$loader" "$work/alone/"
  BLOOM_LFS_DEFAULT=1 LD_PRELOAD=${runtime:+$runtime:}$work/alone/libbloom_lfs.so \
    "$programs/preload_service" check "$work/without_plugin" 0 2>"$work/err" ||
    fail "the service ends with $?" "$work/err"
  expect_one_line stock "$work/alone/libbloom_lfs_plugin.so" install
}

two_copies_do_not_take_each_other_for_rocksdb() {
  local value
  mkdir -p "$work/copy"
  cp "$loader" "$libraries/libbloom_lfs_plugin.so" "$work/copy/"
  for value in 0 1; do
    BLOOM_LFS_CRC32C=$value BLOOM_LFS_DEFAULT=1 preloaded "$loader:$work/copy/libbloom_lfs.so" \
      "$programs/preload_service" name >"$work/out" 2>"$work/err" || fail "ends with $?" "$work/err"
    grep -q '^default bloom_lfs over PosixFileSystem, by name bloom_lfs over Posix' "$work/out" ||
      fail "wrong names" "$work/out"
    expect_no_output "two copies"
    BLOOM_LFS_CRC32C=$value preloaded "$loader:$work/copy/libbloom_lfs.so" \
      "$programs/preload_service" checksums >"$work/out" 2>"$work/err" || fail "ends with $?"
    [[ $(wc -l <"$work/out") == 8 ]] || fail "no checksums" "$work/out" "$work/err"
  done
}

programs_without_rocksdb_are_left_alone() {
  local code
  BLOOM_LFS_DEFAULT=1 BLOOM_LFS_OPTIONS=bad preloaded "$loader" \
    /bin/sh -c 'cat /proc/$$/maps; exit 7' >"$work/out" 2>"$work/err" && code=0 || code=$?
  [[ $code == 7 ]] || fail "exit code $code"
  expect_no_output /bin/sh
  grep -q libbloom_lfs.so "$work/out" || fail "the loader is not there, nothing was tested"
  ! grep -E 'librocksdb|libbloom_lfs_plugin' "$work/out" || fail "/bin/sh has more than the loader"
  [[ $(readelf -d "$loader" | grep -c '(NEEDED)') == 1 ]] || fail "the loader needs more than libc"
  ! nm -D --defined-only "$loader" | grep -vE \
    'FileSystem7Default|6crc32c(6Extend|20IsFastCrc32)|NewLRUCache|15MakeSharedCache|NewTieredCache' ||
    fail "the loader exports other symbols"
}

# on_flash BENCHMARKS: how often RocksDB found in a tier below its block cache of 1 MiB what it looked for.
on_flash() {
  preloaded "$loader" db_bench --db="$work/flash" --benchmarks="$1" --use_existing_db --num=40000 \
    --compression_type=none --cache_size=1048576 --statistics >"$work/out" 2>"$work/all"
  grep bloom_lfs: "$work/all" >"$work/err" || true  # db_bench has much to say itself
  sed -nE 's/^rocksdb.secondary.cache.hits COUNT : ([0-9]+)/\1/p' "$work/out" | head -n 1
}

block_caches_get_a_tier_that_is_warm_after_a_restart() {
  local tier="path=$work/tier;size=64M;memory=8M" hits
  db_bench --db="$work/flash" --benchmarks=fillseq,compact --num=40000 --compression_type=none >"$work/out" 2>&1
  hits=$(on_flash readseq,readrandom)
  [[ $hits == 0 ]] || fail "$hits hits without a tier" "$work/out"
  export BLOOM_LFS_FLASH=$tier
  on_flash readseq,readseq >/dev/null
  if grep -q 'get no flash tier' "$work/err"; then  # RocksDB 8.0 to 9.9
    unset BLOOM_LFS_FLASH
    return
  fi
  expect_no_output "a tier"
  hits=$(on_flash readrandom)
  ((hits > 500)) || fail "$hits hits after a restart" "$work/out" "$work/err"
  expect_no_output "a tier after a restart"
  BLOOM_LFS_FLASH="path=$work/tier;size=lots" on_flash readrandom >/dev/null
  expect_one_line BLOOM_LFS_FLASH size
  unset BLOOM_LFS_FLASH
}

# The difference is some tens of microseconds. Starts with and without the loader take turns, so whatever
# else slows the machine slows both.
they_start_as_fast_as_ever() {
  local begin middle end with=0 without=0
  for _ in {1..200}; do
    begin=$(date +%s%N)
    LD_PRELOAD=${runtime:-} /bin/true
    middle=$(date +%s%N)
    preloaded "$loader" /bin/true
    end=$(date +%s%N)
    without=$((without + middle - begin))
    with=$((with + end - middle))
  done
  ((with < 3 * without)) || fail "$((with / 200)) ns per start, $((without / 200)) without the loader"
}

children_of_a_service_are_left_alone() {
  local code
  BLOOM_LFS_DEFAULT=1 preloaded "$loader" "$programs/preload_service" run "$work/parent" \
    "/bin/sh -c 'cat /proc/\$\$/maps; echo done; exit 5'" >"$work/out" 2>"$work/err" &&
    code=0 || code=$?
  [[ $code == 5 ]] || fail "exit code $code" "$work/err"
  expect_no_output "a child shell"
  grep -qx 'done' "$work/out" || fail "no output of the child"
  ! grep librocksdb "$work/out" || fail "the child has a RocksDB"
}

for behaviour in \
  a_service_gets_the_plugin_and_keeps_its_rows_when_killed \
  tools_of_the_distribution_get_the_plugin \
  without_the_variable_the_default_is_stock \
  other_values_of_the_variable_are_pointed_out \
  by_name_the_plugin_is_not_stacked_upon_itself \
  options_are_honoured \
  figures_go_where_the_options_say \
  bad_options_are_reported_and_the_service_starts \
  checksums_come_from_the_processor_and_are_the_same \
  a_library_may_be_first_to_ask \
  rocksdb_may_be_loaded_late \
  modules_with_a_rocksdb_of_their_own_come_and_go \
  a_forked_service_gets_the_plugin \
  another_version_is_refused \
  another_standard_library_is_refused \
  a_bundled_rocksdb_is_refused \
  without_the_plugin_beside_it_the_service_starts \
  two_copies_do_not_take_each_other_for_rocksdb \
  block_caches_get_a_tier_that_is_warm_after_a_restart \
  programs_without_rocksdb_are_left_alone \
  they_start_as_fast_as_ever \
  children_of_a_service_are_left_alone; do
  echo "preload_test: $behaviour"
  "$behaviour"
done
echo "preload_test: all passed"
