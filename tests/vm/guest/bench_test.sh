#!/usr/bin/env bash
# bench/guest/measure on devices that it is given: it reports, and leaves nothing behind.
set -euo pipefail

fail() {
    echo "bench_test: $1" >&2
    exit 1
}
device() { # NAME MIB
    local dir=/sys/kernel/config/nullb/$1
    mkdir "$dir"
    echo 1 > "$dir/memory_backed"
    echo "$2" > "$dir/size"
    echo 1 > "$dir/power"
}
modprobe null_blk nr_devices=0
device nullb0 256
device nullb1 1024

for target in ssd flashcache-back dm-writecache; do
    measure --quick --row read-hit-4k-d1 --requests 100 --devices /dev/nullb0 /dev/nullb1 "$target" hits > out ||
        fail "status $? on $target"
    grep -q "^@begin $target read-hit-4k-d1$" out || fail "no report of $target"
    grep -q '"total_ios" : 100,' out || fail "fio did something else on $target"
    grep -q '^@ssd 100 ' out || fail "the SSD's counters on $target: $(grep '^@ssd' out)"
    grep -q '^@disk 0 ' out || fail "$target asked the disk: $(grep '^@disk' out)"
    grep -q '^@end$' out || fail "no end"
    [ "$(dmsetup ls)" = 'No devices found' ] || fail "$target leaves mappings: $(dmsetup ls)"
done
flashcache_create -p back cache /dev/nullb0 /dev/nullb1 > out || fail "what was measured is in the way"
dmsetup remove --retry cache

for wrong in 'floppy hits' 'ssd handstands' '--sometimes ssd hits' ssd; do
    # shellcheck disable=SC2086
    ! measure $wrong > out 2> err || fail "accepted: $wrong"
    [ "$(wc -l < err)" = 1 ] || fail "no single line about: $wrong: $(cat err)"
done
