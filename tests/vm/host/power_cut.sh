#!/bin/bash
# power_cut.sh KERNEL [ROUNDS]: what was fsynced on a write-back cache is there after
# the power was cut.  POWER_CUT_ROUNDS overrides ROUNDS, which is 2 by default.
#
# A round: load the cache, run flashcache_power_cut_load on ext4 on it, cut the power
# after 1 to 8 s; boot again, load, let ext4 replay its journal, check every record
# that was ever acknowledged, e2fsck; and stop the cache: in an odd round by dmsetup
# remove, after which the disk alone must hold everything; in an even one by
# fast_remove, or by a cut while dmsetup remove cleans.
#
# The cut is a kill of QEMU: the disks then hold all that the guest had been told is
# written, flushed or not, because the host's page cache outlives QEMU.  So this shows
# that recovery works from any moment, not that flushes are sent where they are needed:
# that is what the simulator and dm-log-writes are for.
set -uo pipefail

run_vm=$(dirname "$0")/../run-vm
kernel=$1
rounds=${POWER_CUT_ROUNDS:-${2:-2}}
work=$(mktemp -d -t flashcache-power-cut.XXXXXX)
trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; rm -rf "$work"; exit 143' TERM INT HUP

# The disks stay: as they were after the last cut, and as they are now.
fail() {
    echo "FAILED: round $round: $*"
    echo "--- the machine's output:"
    grep -av '^acked ' "$work/out" | tail -n 60
    echo "--- kept: $work (after-cut/ is what the last cut left)"
    exit 1
}

# boot OPTION...: a machine with the disks; its output in $work/out
boot() {
    "$run_vm" --kernel "$kernel" --timeout 900 --disk "$work/ssd" --disk "$work/disk" "$@" \
        > "$work/out" 2>&1
}

# cut_power OPTION...: boot; the machine ends when its script says "power_cut: now"
cut_power() {
    boot --cut-power 0 --cut-mark 'power_cut: now' "$@"
    [ $? = 137 ] || fail "the machine did not run until the power was cut"
    mkdir -p "$work/after-cut"
    cp --sparse=always "$work/ssd" "$work/disk" "$work/after-cut/"
    cp "$work/acked" "$work/after-cut/acked-before"
}

# What every machine begins with.
guest_common='
set -e
modprobe ext4
counts() {
    dmsetup status fc | tr " " "\n" | grep -E "^(cached|dirty|unclean_load|recovered_.*|cleanings|write_replacement|replacement)=" | tr "\n" " "
    echo
}
load() {
    flashcache_load /dev/vda fc
    echo "loaded: $(counts)"
}
# Mounting replays the journal; after that nothing may be wrong.
check() {
    mount -t ext4 $2 "$1" /mnt
    flashcache_power_cut_load verify /mnt /root/acked
    umount /mnt
    e2fsck -fn "$1"
}
cut_after() {
    (sleep "$1"; echo "power_cut: now" > /dev/kmsg) &
}
'
guest_write='
mount -t ext4 /dev/mapper/fc /mnt
# What nobody syncs is to reach the cache, too, before the cut.
echo 50 > /proc/sys/vm/dirty_writeback_centisecs
echo 100 > /proc/sys/vm/dirty_expire_centisecs
cut_after $time
flashcache_power_cut_load write /mnt
'

# seconds MIN MAX: a random number of seconds, MIN to MAX ms
seconds() {
    local ms=$(($1 + RANDOM % ($2 - $1 + 1)))
    printf '%d.%03d' $((ms / 1000)) $((ms % 1000))
}

# stop_cache ROUND: the end of the second machine's script
stop_cache() {
    case $(($1 % 4)) in
    1 | 3) echo 'dmsetup remove fc; echo removed; check /dev/vdb "-o ro,noload"' ;;
    2) echo "cut_after $(seconds 0 1500); dmsetup remove fc; sleep 1000" ;;
    0) echo 'echo 1 > /proc/sys/dev/flashcache/vda+vdb/fast_remove; dmsetup remove fc; echo removed' ;;
    esac
}

# Small, so that there is cleaning and replacement, too.
truncate -s 16M "$work/ssd"
truncate -s 256M "$work/disk"
mkfs.ext4 -q "$work/disk"
: > "$work/acked"
begin='flashcache_create -p back fc /dev/vda /dev/vdb'
total=0
for ((round = 1; round <= rounds; round++)); do
    started=$SECONDS

    time=$(seconds 1000 8000)
    cut_power --shell "$guest_common$begin; time=$time; $guest_write"
    begin='load'
    # The last line may have been cut short.
    tr -d '\r' < "$work/out" | sed '$d' | grep -aE '^acked [0-9]+ [0-9]+ [0-9]+$' \
        > "$work/new"
    cat "$work/new" >> "$work/acked"
    acked=$(wc -l < "$work/new")
    total=$((total + acked))

    script="$guest_common load; check /dev/mapper/fc; counts; $(stop_cache "$round")"
    if [ $((round % 4)) = 2 ]; then
        cut_power --add "$work/acked" --shell "$script"
    else
        boot --add "$work/acked" --shell "$script" || fail "status $?"
    fi
    grep -aq '^verified .* lost 0,' "$work/out" || fail "nothing verified"
    echo "round $round: cut after $time s, $acked acknowledged;" \
        "$(grep -a '^verified' "$work/out" | tr -d '\r' | paste -sd';')"
    echo "    $(grep -a '^loaded:' "$work/out" | tr -d '\r'); $((SECONDS - started)) s"
done

# What the last round has left.
boot --add "$work/acked" --shell "$guest_common load; check /dev/mapper/fc
    dmsetup remove fc; check /dev/vdb '-o ro,noload'" || fail "at the end: status $?"
echo "at the end: $(grep -a '^verified' "$work/out" | tr -d '\r' | paste -sd';')"
echo "$rounds rounds, $total acknowledgements, none lost; $SECONDS s"
rm -rf "$work"
[ "$total" -gt 0 ] || { echo "FAILED: nothing was acknowledged"; exit 1; }
