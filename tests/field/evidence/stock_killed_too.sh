# The plugin's writer is killed; stock opens, writes over some rows with sync, and is killed as well; the plugin opens.
# Then the same with the plugin's writer killed twice, once under each of two boot ids, without a flush between.
# Source: weaviate/weaviate#12138; crash loops under an orchestrator
requires root mounts
right="stock between: 0 missing, twice: 0 missing 0 missing"

trial() {
  serve writer
  must writer open db "$place/one"
  must writer put db 1000 tag=old bytes=500
  sleep 0.9  # as stock promises nothing for what it cannot see
  slay writer
  serve between stock
  must between open db "$place/one" noflush
  must between put db 1000 tag=new sync
  slay between
  look "$place/one" 1000 noflush -- tag=new
  say "stock between: $answer"

  serve writer
  must writer open db "$place/two"
  must writer put db 2000
  slay writer
  another_boot
  serve again
  must again open db "$place/two" noflush
  must again put db 2000 from=2000
  slay again
  before=()
  look "$place/two" 4000 noflush
  local first=$answer
  look "$place/two" 4000
  say "twice: $first $answer"
}
