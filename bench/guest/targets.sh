# Sourced by measure: the devices, and each target upon them.  Every target gets the same two
# devices, and is set up as its documentation advises for what is measured here: its own limits on
# sequential and congested I/O are off, since the jobs are about hits.

# null_blk NAME MIB NANOSECONDS DEPTH: a device of memory that takes so long for each request.  With
# a time it has a volatile write cache, and so takes part in flushes; without one a request ends in
# the context that sends it, and what is left are the instructions of those above.
null_blk() {
    local dir=/sys/kernel/config/nullb/$1 setting mode=2 cache=64
    [ "$3" != 0 ] || mode=0 cache=0
    mkdir "$dir"
    for setting in memory_backed=1 size="$2" blocksize=4096 irqmode=$mode completion_nsec="$3" \
        hw_queue_depth="$4" submit_queues=1 max_sectors=2048 cache_size=$cache power=1; do
        echo "${setting#*=}" > "$dir/${setting%%=*}"
    done
    echo none > "/sys/block/$1/queue/scheduler"
    echo 0 > "/sys/block/$1/queue/wbt_lat_usec" 2> /dev/null || true
}

# make_devices: sets ssd and disk, on which targets are put, and counted_*, whose requests are counted.
make_devices() {
    if [ -n "$real_ssd" ]; then
        take_devices
        return
    fi
    modprobe null_blk nr_devices=0
    if [ -n "${zero_latency:-}" ]; then
        null_blk nullb0 "$ssd_mib" 0 128
        null_blk nullb1 "$disk_mib" 0 128
    else # an SSD of 80 us, 64 requests at a time, and a disk of 5 ms, one at a time
        null_blk nullb0 "$ssd_mib" 80000 64
        null_blk nullb1 "$disk_mib" 5000000 1
    fi
    ssd=/dev/nullb0 disk=/dev/nullb1
    counted_ssd=$ssd counted_disk=$disk
}
# Of real devices no more is used than what shows something: 4 GiB of the SSD, four times that of the disk.
take_devices() {
    local ssd_has=$(($(sectors "$real_ssd") / 2048)) disk_has=$(($(sectors "$real_disk") / 2048))
    ssd_mib=4096
    [ "$ssd_has" -ge $ssd_mib ] || ssd_mib=$ssd_has
    [ "$disk_has" -ge $((4 * ssd_mib)) ] || ssd_mib=$((disk_has / 4))
    disk_mib=$((4 * ssd_mib))
    mapping bench-ssd 0 $((ssd_mib * 2048)) linear "$real_ssd" 0
    mapping bench-disk 0 $((disk_mib * 2048)) linear "$real_disk" 0
    ssd=/dev/mapper/bench-ssd disk=/dev/mapper/bench-disk
    counted_ssd=$real_ssd counted_disk=$real_disk
}
release_devices() {
    [ -n "${ssd:-}" ] || return 0
    stop
    dmsetup remove --retry bench-ssd
    dmsetup remove --retry bench-disk
}

# sysfs_of DEVICE: by its number, since names below /dev may be anything
sysfs_of() {
    echo "/sys/dev/block/$((0x$(stat -L -c %t "$1"))):$((0x$(stat -L -c %T "$1")))"
}
sectors() {
    blockdev --getsz "$1"
}
mapping() { # NAME TABLE...
    local name=$1
    shift
    dmsetup create "$name" --table "$*"
    [ -b "/dev/mapper/$name" ] || dmsetup mknodes "$name" # where no udev does it
}

# start TARGET: sets dut, the device to be measured
start() {
    case $1 in
    ssd) dut=$counted_ssd ;;
    disk) dut=$counted_disk ;;
    dm-linear)
        mapping bench-linear 0 "$(sectors "$ssd")" linear "$ssd" 0
        dut=/dev/mapper/bench-linear
        ;;
    flashcache-*) start_flashcache "${1#flashcache-}" ;;
    dm-cache-*) start_dm_cache "${1#dm-cache-}" ;;
    dm-writecache)
        dd if=/dev/zero of="$ssd" bs=4k count=1 oflag=direct 2> /dev/null
        mapping bench-cache 0 "$(sectors "$disk")" writecache s "$disk" "$ssd" 4096 0
        dut=/dev/mapper/bench-cache
        ;;
    bcache-*) start_bcache "${1#bcache-}" ;;
    *)
        echo "measure: no target $1" >&2
        exit 2
        ;;
    esac
}

start_flashcache() { # back, only, thru, around
    local mode=(-p "$1")
    [ "$1" != only ] || mode=(-p back -w)
    flashcache_create -f "${mode[@]}" bench-cache "$ssd" "$disk" > "$work/create"
    dut=/dev/mapper/bench-cache
}

# Blocks of 64 KiB: with 32 KiB it needs less of the disk per promotion, and twice the memory.
start_dm_cache() { # writeback, writethrough
    local metadata=$((8 * 2048))
    mapping bench-meta 0 $metadata linear "$ssd" 0
    mapping bench-data 0 $(($(sectors "$ssd") - metadata)) linear "$ssd" $metadata
    dd if=/dev/zero of=/dev/mapper/bench-meta bs=4k count=1 oflag=direct 2> /dev/null
    mapping bench-cache 0 "$(sectors "$disk")" cache /dev/mapper/bench-meta /dev/mapper/bench-data \
        "$disk" 128 2 metadata2 "$1" smq 0
    dut=/dev/mapper/bench-cache
}

bcache_of() { # DEVICE: where bcache shows it
    echo "$(sysfs_of "$1")/bcache"
}
start_bcache() { # writeback, writethrough
    local sysfs tries=0
    sysfs=$(bcache_of "$disk")
    modprobe bcache
    make-bcache -w 4k -b 128k --wipe-bcache -C "$ssd" -B "$disk" > "$work/create" 2>&1
    # udev may have been faster
    { echo "$ssd" > /sys/fs/bcache/register; echo "$disk" > /sys/fs/bcache/register; } 2> "$work/register" || true
    until [ -e "$sysfs/cache" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "measure: bcache did not start" >&2; exit 1; }
        sleep 0.1
    done
    echo "$1" > "$sysfs/cache_mode"
    echo 0 > "$sysfs/sequential_cutoff"
    echo 0 > "$sysfs/cache/congested_read_threshold_us"
    echo 0 > "$sysfs/cache/congested_write_threshold_us"
    dut=/dev/$(basename "$(readlink -f "$sysfs/dev")")
}

# stop: the target is gone, nothing is written back, and nothing on the devices tells of it
stop() {
    local name
    case $target in
    flashcache-*) echo 1 > "/proc/sys/dev/flashcache/${ssd##*/}+${disk##*/}/fast_remove" || true ;;
    bcache-*)
        echo 1 > "$(bcache_of "$disk")/cache/unregister" || true
        echo 1 > "$(bcache_of "$disk")/stop" || true
        sleep 2
        ;;
    esac
    for name in bench-cache bench-linear bench-meta bench-data; do
        ! dmsetup info $name > "$work/info" 2>&1 || dmsetup remove --retry $name || true
    done
    case $target in flashcache-*) flashcache_destroy -f "$ssd" > "$work/destroy" || true ;; esac
    wipefs -qa "$ssd" "$disk" || true
}

# fill_first MIB: have the first MIB of the device cached, whichever way the target takes data in
fill_first() {
    local rw=write
    case $target in
    *-thru | *-around | *-writethrough) rw="write read" ;;
    esac
    local each
    for each in $rw; do
        fio --name=fill --filename="$dut" --direct=1 --ioengine=libaio --iodepth=4 --rw="$each" \
            --bs=64k --size="$1m" --output=/dev/null
    done
    flush_all
}
# What was written before shall not be in the way of a job's first flush, nor fill the SSD's write cache.
flush_all() {
    sync "$dut"
    sync "$counted_ssd" "$counted_disk"
}

# quiesce: wait until what the fill has left to do is done
quiesce() {
    local last='' now
    sleep 5
    while :; do
        now=$(counters "$counted_disk")
        [ "$now" != "$last" ] || return 0
        last=$now
        sleep 3
    done
}
