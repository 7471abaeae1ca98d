#!/usr/bin/env bash
# Installs the build and runs every block of plugin/recipes/README.md as it stands there.
#
#   recipes_test.sh SOURCE BUILD     the repository, and the build directory to install from
set -euo pipefail

source=$(readlink -f "${1:?"recipes_test.sh needs the repository"}")
build=$(readlink -f "${2:?"recipes_test.sh needs the build directory"}")
work=$(mktemp -d "$PWD/recipes_test.XXXXXX")
clean_up() {
  for server in nbdkit tier; do
    [[ ! -s $work/$server.pid ]] || kill "$(cat "$work/$server.pid")" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT
unset BLOOM_LFS_DEFAULT BLOOM_LFS_OPTIONS LD_PRELOAD CMAKE_PREFIX_PATH PKG_CONFIG_PATH
export PREFIX=$work/prefix
cd "$work"
ln -s "$source/plugin" plugin
mkdir build && ln -s "$build" build/release  # what the blocks call the build directory

fail() {
  printf 'recipes_test: %s\n' "$1" >&2
  shift
  for file in "$@"; do printf -- '--- %s\n' "$file" >&2; tail -n 40 "$file" >&2; done
  exit 1
}

# The shell blocks below a heading.
blocks() {
  awk -v heading="## $1" '/^## /{inside = $0 == heading} /^```/{code = $0 == "```sh"; next}
                          inside && code' plugin/recipes/README.md
}

run_blocks() {
  local heading=$1
  echo "recipes_test: $heading"
  blocks "$heading" >block
  [[ -s block ]] || fail "plugin/recipes/README.md has no block below '$heading'"
  DB="$work/$(tr -dc 'A-Za-z' <<<"$heading")" bash -euo pipefail block >output 2>&1 ||
    fail "'$heading' does not work as written" block output
}

# Users may include any of them first.
installed_headers_stand_alone() {
  local header
  (cd "$PREFIX/include" && find bloom_lfs -name '*.h') >headers
  for header in bloom_lfs/plugin/bloom_lfs_file_system.h bloom_lfs/plugin/plugin_options.h; do
    grep -qx "$header" headers || fail "$header is not installed" headers
  done
  local flags
  read -ra flags < <(PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig pkg-config --cflags bloom_lfs)
  while read -r header; do
    printf '#include <%s>\n' "$header" "$header" >header.cc
    g++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only "${flags[@]}" header.cc 2>output ||
      fail "$header does not compile on its own" output
  done <headers
}

# No file of the package may say where it was built.
nothing_installed_names_the_build() {
  ! grep -rIlF -e "$source" -e "$build" "$PREFIX" || fail "installed files name the build's directories"
}

# As RocksDB's CMake and Makefile read the list, without building RocksDB.
both_builds_of_rocksdb_read_the_whole_list() {
  echo "recipes_test: RocksDB's own build"
  mkdir -p rocksdb/plugin && ln -s "$source" rocksdb/plugin/bloom_lfs
  cat >rocksdb/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.10)
project(rocksdb LANGUAGES NONE)
add_subdirectory(plugin/bloom_lfs)
string(REPLACE ";" "\n" lines "${bloom_lfs_SOURCES}")
file(WRITE ${CMAKE_BINARY_DIR}/sources "${lines}\n")
END
  printf 'include plugin/bloom_lfs/bloom_lfs.mk\n$(file >sources,$(bloom_lfs_SOURCES))all:;\t@echo $(bloom_lfs_FUNC)\n' \
    >rocksdb/Makefile
  cmake -S rocksdb -B rocksdb_build >output || fail "CMake cannot read the list" output
  make -s -C rocksdb >function || fail "make cannot read the list" function
  [[ $(cat function) == register_bloom_lfs ]] || fail "make reads another function" function
  tr ' ' '\n' <rocksdb/sources | sort >by_make
  sort rocksdb_build/sources >by_cmake
  (cd "$source" && find lss plugin -name '*.cc' -not -path 'plugin/loader/*' -not -path 'plugin/recipes/*' -not -path 'plugin/tool/*' -not -path 'lss/nbd/*' | sort) >in_the_repository
  cmp by_make in_the_repository && cmp by_cmake in_the_repository ||
    fail "the lists differ" by_make by_cmake in_the_repository
}

run_blocks 'Install'
installed_headers_stand_alone
nothing_installed_names_the_build
run_blocks 'Any program, unchanged'
run_blocks 'A systemd service'
run_blocks 'C++ with CMake'
run_blocks 'C++ with pkg-config'
run_blocks 'C'
if command -v nbdkit >/dev/null && [[ -e $PREFIX/bin/bloom_lfs && -e $PREFIX/lib/libbloom_lfs_nbd.so ]]; then
  run_blocks 'Lose the machine, get every synced row back'
  run_blocks 'Move the database, keep the tier warm'
else
  echo "recipes_test: no nbdkit, or no tool or module in this build: the lost and the moved machine are left out"
fi
both_builds_of_rocksdb_read_the_whole_list
diff <(sed -n '/^\[Service\]/,$p' plugin/recipes/bloom_lfs.conf) \
  <(sed -n '/^    \[Service\]/,/^$/s/^    //p' plugin/recipes/README.md) ||
  fail "README.md shows another drop-in than bloom_lfs.conf"
echo "recipes_test: all passed"
