#!/bin/bash
# log_writes.sh KERNEL: every flush and FUA write is a moment at which the power may be cut.
#
# A machine runs a load on a cache whose devices log all their writes (dm-log-writes).  Then, here,
# flashcache_replay builds the devices as they would be after each boundary (flush, FUA), and with any
# part of what was not flushed, and lets the core load the cache: it must show what was flushed.
# The first load is on the logged device itself: what is lost there is lost by the log.
#   LOG_WRITES_EVERY=N     try each Nth boundary of the modes that have thousands (default 40; 1: all)
#   LOG_WRITES_KEEP=DIR    keep the logs there; flashcache_replay --help says how to try again
set -uo pipefail

run_vm=$(dirname "$0")/../run-vm
replay=$(cd "$(dirname "$0")/../../.." && pwd)/build/user/tests/vm/replay/flashcache_replay
kernel=$1
every=${LOG_WRITES_EVERY:-40}
work=${LOG_WRITES_KEEP:-$(mktemp -d -t flashcache-log-writes.XXXXXX)}
mkdir -p "$work"
trap '[ -n "${LOG_WRITES_KEEP:-}" ] || rm -rf "$work"' EXIT
trap 'exit 143' TERM INT HUP

# The logs are sparse: what is not used takes no room.
for log in bare write_back write_through write_around write_only apart.ssd apart.disk; do
    truncate -s 2G "$work/$log.log"
done
for marks in bare write_back write_through write_around write_only apart; do
    truncate -s 8M "$work/$marks.marks"
done
"$run_vm" --kernel "$kernel" --mem 2048 --timeout 900 \
    --disk "$work/write_back.log" --disk "$work/write_back.marks" \
    --disk "$work/write_through.log" --disk "$work/write_through.marks" \
    --disk "$work/write_around.log" --disk "$work/write_around.marks" \
    --disk "$work/write_only.log" --disk "$work/write_only.marks" \
    --disk "$work/apart.ssd.log" --disk "$work/apart.marks" --disk "$work/apart.disk.log" \
    --disk "$work/bare.log" --disk "$work/bare.marks" \
    --shell 'set -e
        flashcache_log_writes_load write_back /dev/vda /dev/vdb
        flashcache_log_writes_load write_through /dev/vdc /dev/vdd
        flashcache_log_writes_load write_around /dev/vde /dev/vdf
        flashcache_log_writes_load write_only /dev/vdg /dev/vdh
        flashcache_log_writes_load write_back /dev/vdi /dev/vdj /dev/vdk
        flashcache_log_writes_load bare /dev/vdl /dev/vdm' || exit 1

status=0
try() {
    echo "$1:"
    shift
    "$replay" --gtest_brief=1 "$@" || status=1
}
# It has thousands of boundaries; what counts are the marks, each of which is tried.
try bare --bare --every "$((25 * every))" --marks "$work/bare.marks" "$work/bare.log"
for mode in write_back write_only; do
    try "$mode" --mode "$mode" --every "$every" --marks "$work/$mode.marks" "$work/$mode.log"
done
# Their only flushes are the users': few boundaries, and much between them.
for mode in write_through write_around; do
    try "$mode" --mode "$mode" --parts $((60 / every + 1)) --marks "$work/$mode.marks" "$work/$mode.log"
done
try 'write_back, each device logged by itself' --mode write_back \
    --marks "$work/apart.marks" --disk-log "$work/apart.disk.log" "$work/apart.ssd.log"
exit $status
