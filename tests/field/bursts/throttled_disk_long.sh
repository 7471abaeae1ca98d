# As throttled_disk, with 300 MB of rows.
# Source: facebook/rocksdb#2005, facebook/rocksdb#12136
FIELD_BURST_ROWS=300000
source "$field/bursts/throttled_disk.sh"
