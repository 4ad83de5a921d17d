// SPDX-License-Identifier: GPL-2.0-only
#include "signatures.h"

#include <memory>

#include <blkid/blkid.h>
#include <fcntl.h>

#include "error.h"
#include "text.h"

namespace tools {
namespace {

struct FreeProbe {
    void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

constexpr int kFound = 0;
constexpr int kMaxSignatures = 64; // a device with more is hostile; what is left is reported

// The library reads and writes wherever it likes: not possible with direct I/O.
class BufferedIo {
public:
    explicit BufferedIo(int descriptor)
        : descriptor_(descriptor), flags_(::fcntl(descriptor, F_GETFL)) {
        ::fcntl(descriptor_, F_SETFL, flags_ & ~O_DIRECT);
    }
    BufferedIo(const BufferedIo &) = delete;
    BufferedIo &operator=(const BufferedIo &) = delete;
    ~BufferedIo() { ::fcntl(descriptor_, F_SETFL, flags_); }

private:
    int descriptor_;
    int flags_;
};

Probe make_probe(int descriptor, const std::string &path) {
    Probe probe(blkid_new_probe());
    if (!probe || blkid_probe_set_device(probe.get(), descriptor, 0, 0) != 0)
        refuse("cannot examine {} for signatures", path);
    blkid_probe_enable_superblocks(probe.get(), 1);
    // Damaged checksums count, too: somebody may want to mend that file system.
    blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_MAGIC |
                                                       BLKID_SUBLKS_BADCSUM);
    blkid_probe_enable_partitions(probe.get(), 1);
    blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_MAGIC);
    return probe;
}

std::string value_of(blkid_probe probe, const char *name) {
    const char *value = nullptr;
    if (blkid_probe_lookup_value(probe, name, &value, nullptr) != 0 || value == nullptr)
        return {};
    return printable(value);
}

std::string describe(blkid_probe probe) {
    if (std::string type = value_of(probe, "TYPE"); !type.empty())
        return type;
    const std::string table = value_of(probe, "PTTYPE");
    return table.empty() ? std::string("unknown") : table + " partition table";
}

} // namespace

std::vector<std::string> find_signatures(int descriptor, const std::string &path) {
    const BufferedIo buffered(descriptor);
    const Probe probe = make_probe(descriptor, path);
    std::vector<std::string> found;
    int result = kFound;
    for (int i = 0; i < kMaxSignatures && (result = blkid_do_probe(probe.get())) == kFound; i++)
        if (const std::string type = describe(probe.get()); found.empty() || found.back() != type)
            found.push_back(type);
    if (result < 0)
        refuse("cannot read {} to look for signatures", path);
    return found;
}

void wipe_signatures(int descriptor, const std::string &path) {
    const BufferedIo buffered(descriptor);
    const Probe probe = make_probe(descriptor, path);
    for (int i = 0; i < kMaxSignatures; i++) {
        const int result = blkid_do_probe(probe.get());
        if (result < 0)
            refuse("cannot read {} to look for signatures", path);
        if (result != kFound)
            return;
        const std::string type = describe(probe.get());
        // 0: really write.  The library then steps back by itself and looks at the place again.
        if (blkid_do_wipe(probe.get(), 0) != 0)
            refuse("cannot erase the {} signature on {}; try wipefs", type, path);
    }
    refuse("{} has too many signatures to erase; use wipefs -a on it", path);
}

std::string partition_uuid(const std::string &path) {
    const Probe probe(blkid_new_probe_from_filename(path.c_str()));
    if (!probe)
        return {};
    blkid_probe_enable_superblocks(probe.get(), 0);
    blkid_probe_enable_partitions(probe.get(), 1);
    blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_ENTRY_DETAILS);
    if (blkid_do_safeprobe(probe.get()) < 0)
        return {};
    return value_of(probe.get(), "PART_ENTRY_UUID");
}

} // namespace tools
