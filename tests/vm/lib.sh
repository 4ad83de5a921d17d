# Shared by fetch-kernel's users: mkimage and run-vm.  Source it.
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
