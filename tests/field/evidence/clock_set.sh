# The clock is set back by a day, or forward by a year, between a kill and the next opening.
# Source: the kinds of weaviate/weaviate#12138; machines without a battery
right="back: 0 missing, forward: 0 missing"

trial() {
  local way seconds
  for way in back forward; do
    serve writer
    must writer open db "$place/$way"
    must writer put db 20000 ack="$place/ack.$way"
    slay writer
    extra_preload=$programs/libfield_clock.so
    seconds=-86400
    [[ $way == back ]] || seconds=31536000
    export FIELD_CLOCK_SECONDS=$seconds
    look "$place/$way" ack="$place/ack.$way"
    extra_preload=
    say "$way: $answer"
  done
}
