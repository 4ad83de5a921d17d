# Shared by the scripts that start machines or list what runs in them.  Source it.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${FLASHCACHE_BUILD:-$top/build}

# resolve_kernel NAME: set release, kernel_image and kernel_modules.  NAME is a
# line (6.1), a release (6.1.0-56-amd64), or a directory with bzImage, modules/
# and build/, of a kernel that somebody has built.
resolve_kernel() {
    local root
    if [ -d "$1" ]; then
        root=$(cd "$1" && pwd)
        release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$root/build/include/generated/utsrelease.h")
        kernel_image=$root/bzImage
        kernel_modules=$root/modules
    else
        release=$("$top/tests/vm/kernels" --resolve "$1")
        root=$("$top/tests/vm/fetch-kernel" "$release")
        kernel_image=${root%/}/boot/vmlinuz-$release
        kernel_modules=${root%/}/lib/modules/$release
    fi
}

# suites_of PROGRAM: the suites of a GoogleTest program, one a line
suites_of() {
    "$1" --gtest_list_tests | sed -n 's/^\([^ ].*\)\.\( .*\)\?$/\1/p'
}

# run_vm_options SUITE: the options for run-vm that stand beside the suite
run_vm_options() {
    sed -n "s|^// run-vm($1): ||p" "$top"/tests/vm/*_test.cc
}

# machines: reads suites, one a line, and prints "SUITE+SUITE... OPTIONS" for each machine: suites with
# the same options share one, PER_MACHINE (default 8; booting is slow) at most
machines() {
    local suite
    while read -r suite; do
        echo "$suite $(run_vm_options "$suite")"
    done | sort -s -k 2 | awk -v most="${PER_MACHINE:-8}" '
        { suite = $1; sub(/^[^ ]* ?/, "") }
        n && ($0 != options || n == most) { print list, options; n = 0 }
        { options = $0; list = (n++ ? list "+" : "") suite }
        END { if (n) print list, options }'
}

# filter_of SUITE+SUITE...: for GoogleTest
filter_of() {
    echo "${1//+/.*:}.*"
}

# time_limit SUITE+SUITE...: seconds for the machine
time_limit() {
    echo $((1800 * $(tr + '\n' <<<"$1" | wc -l)))
}

# begin COMMAND...: in the background, when fewer than JOBS (default: half the processors, 2 at least) run
# await N: until at most N of them run; those that end with another status than 0 are counted in failures
begun=0 running=0 failures=0
begin() {
    await $((${JOBS:-$(($(nproc) > 4 ? $(nproc) / 2 : 2))} - 1))
    "$@" &
    begun=$((begun + 1)) running=$((running + 1))
}
await() {
    while [ "$running" -gt "$1" ]; do
        wait -n || failures=$((failures + 1))
        running=$((running - 1))
    done
}
