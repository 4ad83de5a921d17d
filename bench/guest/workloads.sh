# Sourced by measure: what is measured.  A workload brings a target into some state and runs jobs
# there; each job gives one row of the results, named for what it is, its request size and its depth.

# small ROW RW DEPTH REQUESTS FIO-OPTION...: requests of 4 KiB at random places
small() {
    local row=$1 rw=$2 depth=$3 requests=$4
    shift 4
    [ -z "$quick" ] || requests=$((requests / 3))
    requests=${all_requests:-$requests}
    run "$row-4k-d$depth" --rw="$rw" --bs=4k --iodepth="$depth" --io_size=64g --number_ios="$requests" "$@"
}
# large ROW RW KIB DEPTH TOTAL-MIB FIO-OPTION...: sequential requests of KIB
large() {
    local row=$1 rw=$2 kib=$3 depth=$4 total=$5
    shift 5
    run "$row-${kib}k-d$depth" --rw="$rw" --bs="${kib}k" --iodepth="$depth" --io_size="${total}m" "$@"
}

begin() {
    head -c 1 /dev/random > "$work/random" # the kernel gathers what it needs for that now, not later
    make_devices
    start "$target"
    [ -n "${zero_latency:-}" ] || count_requests
}
# By kind.  It costs instructions: not where these are measured.
count_requests() {
    [ -w $trigger ] || return 0
    echo "$count_kinds" > $trigger
    : > "$work/kinds"
}
begin_warm() {
    begin
    fill_first "$hot_mib"
    quiesce
}

# What is cached and clean is read; what is cached and dirty is written.
# (bcache writes to ever new places, and must not run out of them here: hence the large SSD.)
workload_hits() {
    local depth
    ssd_mib=1024
    begin_warm
    for depth in 1 16 32; do
        small read-hit randread $depth $((depth > 1 ? 15000 : 3000)) --size="${hot_mib}m"
    done
    fill_first "$hot_mib"
    for depth in 1 16 32; do
        small overwrite randwrite $depth $((depth > 1 ? 15000 : 3000)) --size="${hot_mib}m"
    done
}

# Writes of what is not cached, while there is room.
workload_cold() {
    begin
    small cold-write randwrite 1 1000 --offset=0% --size=25%
    small cold-write randwrite 16 6000 --offset=25% --size=25%
    small cold-write randwrite 32 6000 --offset=50% --size=25%
}

# Four times what fits is written; what is measured is the state that this ends in.
workload_steady() {
    begin
    ramp=90 small steady-write randwrite 16 1000000000 --time_based --runtime=45
}

# The same, but most requests go to a small part, and most of them read.
workload_zipf() {
    begin
    ramp=90 small zipf randrw 16 1000000000 --rwmixread=70 --random_distribution=zipf:1.1 \
        --time_based --runtime=45
}

# Streams: what is not cached; the same again; what is cached, read and (dirty) written; what is
# not cached, written.
workload_streams() {
    local kib offset=50
    ssd_mib=512
    begin
    for kib in 64 128; do
        large stream-miss read $kib 1 32 --offset=$offset% --size=32m
        sleep 1
        large stream-again read $kib 1 32 --offset=$offset% --size=32m
        offset=75
    done
    fill_first "$hot_mib"
    quiesce
    stream_hits stream-hit read
    fill_first "$hot_mib"
    stream_hits stream-write write
    flush_all
    large stream-cold-write write 64 16 64 --offset=30% --size=64m
    flush_all
    large stream-cold-write write 128 16 64 --offset=38% --size=64m
}
stream_hits() { # ROW RW
    local kib depth
    for kib in 64 128; do
        for depth in 1 16; do
            large "$1" "$2" $kib $depth $((depth * 32)) --size="${hot_mib}m"
        done
    done
}

# Writes that are durable one by one: with an fsync behind each, and with O_DSYNC.
durable() { # WARM-OR-COLD FIO-OPTION...
    local state=$1
    shift
    small "fsync-$state" randwrite 1 300 --fsync=1 "$@"
    small "dsync-$state" randwrite 1 300 --sync=dsync "$@"
}
workload_durable() {
    begin
    durable cold --offset=50% --size=50%
    fill_first "$hot_mib"
    sleep 1
    durable warm --size="${hot_mib}m"
}

# Instructions: devices that take no time, so that all time is spent in those above them.
workload_cpu() {
    zero_latency=1 ssd_mib=512
    begin_warm
    small cpu-read-hit randread 1 45000 --size="${hot_mib}m"
    small cpu-read-hit randread 32 45000 --size="${hot_mib}m"
    small cpu-first-write randwrite 32 40000 --offset=128m --size=256m --random_generator=lfsr --norandommap=0
    fill_first "$hot_mib"
    small cpu-overwrite randwrite 1 45000 --size="${hot_mib}m"
    small cpu-overwrite randwrite 32 45000 --size="${hot_mib}m"
}

# Memory that the target takes for 16 GiB of SSD, when it has just been started.  It is started twice:
# afterwards the devices, which are memory themselves, have all the pages that metadata needs.
workload_memory() {
    local before after
    zero_latency=1 ssd_mib=16384 disk_mib=65536
    make_devices
    start "$target"
    stop
    before=$(free_kib)
    start "$target"
    after=$(free_kib)
    printf '@begin %s memory\n@ram %s\n@end\n' "$target" \
        "$(awk "BEGIN { print ($before - $after) * 1024 / ($ssd_mib * 256) }")"
}
free_kib() {
    sleep 5
    echo 3 > /proc/sys/vm/drop_caches
    # and the pages that the processors keep for themselves
    awk '/^MemFree/ { free += $2 } $1 == "count:" { free += $2 * 4 } END { print free }' /proc/meminfo /proc/zoneinfo
}
