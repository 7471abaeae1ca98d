# Two services are given the same flash tier: each has its own rows, and the second does without.
# Source: facebook/rocksdb#8347
right="20000 rows, 20000 rows, 0 missing, 0 missing, 0 missing, 0 missing"

trial() {
  local name
  before=(env "BLOOM_LFS_FLASH=path=$place/tier;size=128M;memory=8M")
  serve first
  must first open db "$place/first"
  tell first put db 20000 bytes=1000
  say "$answer"
  serve second
  must second open db "$place/second"
  tell second put db 20000 bytes=1500
  say "$answer"
  for name in first second first second; do
    must $name close db
    must $name open db "$place/$name"
    tell $name check db 20000
    say "$answer"
  done
  slay first
  slay second
}
