// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

#include <algorithm>
#include <set>

#include "geometry.h"

namespace {

class Reader {
public:
    Reader(const Disk &ssd, const fc_config &config, Model &model) : ssd_(ssd), c_(config), m_(model) {
        geo_.init(config);
        m_.slots.resize(config.nr_blocks);
        seed_ = fc_os_crc32c(0, c_.cache_uuid, sizeof(c_.cache_uuid));
    }

    void read() {
        home();
        look_for_later_epochs();
        look_for_scars(c_.flags & FC_DISK_FLAG_CLEAN ? c_.log_tail : log());
        std::set<fc_u64> blocks;
        for (const Slot &slot : m_.slots)
            if (slot.state != FC_DISK_INVALID && !blocks.insert(slot.block).second)
                m_.refused = true;
    }

private:
    const char *unit_at(fc_u64 offset_sectors, fc_u64 i) const {
        const unsigned sectors = c_.unit_bytes / kSector;
        return ssd_.at(offset_sectors + i * sectors, sectors);
    }

    // Both kinds of unit have their checksum at byte 4.
    bool whole(const char *unit) const {
        std::vector<char> copy(unit, unit + c_.unit_bytes);
        std::fill_n(copy.begin() + 4, 4, '\0');
        unsigned crc;
        std::memcpy(&crc, unit + 4, sizeof(crc));
        return crc == fc_os_crc32c(seed_, copy.data(), copy.size());
    }

    // May the slot hold the block?
    bool fits(fc_u64 slot, fc_u64 block) const {
        return block < c_.origin_sectors / c_.block_sectors && geo_.place(block).set == slot / c_.ways_per_set;
    }

    void home() {
        const unsigned per_unit = (c_.unit_bytes - sizeof(fc_disk_home_header)) / sizeof(fc_disk_home_slot);
        for (fc_u64 n = 0; n < c_.nr_blocks; n++) {
            const char *unit = unit_at(c_.home_offset_sectors, n / per_unit);
            if (n % per_unit == 0)
                home_unit(unit, n / per_unit);
            fc_disk_home_slot slot;
            std::memcpy(&slot, unit + sizeof(fc_disk_home_header) + n % per_unit * sizeof(slot), sizeof(slot));
            home_slot(n, slot);
        }
    }

    void home_unit(const char *unit, fc_u64 index) {
        fc_disk_home_header header;
        std::memcpy(&header, unit, sizeof(header));
        if (header.magic != FC_DISK_HOME_MAGIC || header.index != index || !whole(unit))
            m_.refused = true;
    }

    void home_slot(fc_u64 n, const fc_disk_home_slot &slot) {
        const bool believed = slot.state == FC_DISK_DIRTY ||
                              (slot.state == FC_DISK_CLEAN && (c_.flags & FC_DISK_FLAG_CLEAN));
        if (slot.state > FC_DISK_DIRTY || (believed && !fits(n, slot.origin_block)))
            m_.refused = true;
        else if (believed)
            m_.slots[n] = {slot.state, slot.origin_block};
    }

    fc_disk_log_header header_at(fc_u64 sequence) const {
        fc_disk_log_header header;
        std::memcpy(&header, unit_at(c_.log_offset_sectors, sequence % c_.log_units), sizeof(header));
        return header;
    }

    bool whole_log_unit(fc_u64 sequence) const {
        return header_at(sequence).magic == FC_DISK_LOG_MAGIC &&
               whole(unit_at(c_.log_offset_sectors, sequence % c_.log_units));
    }

    bool in_log(fc_u64 sequence) const {
        const fc_disk_log_header h = header_at(sequence);
        return h.epoch == c_.epoch && h.sequence == sequence && h.confirmed < sequence && h.durable < sequence &&
               h.count <= (c_.unit_bytes - sizeof(h)) / sizeof(fc_disk_log_record) && whole_log_unit(sequence);
    }

    // The place holds what the unit would have overwritten: the format's zeros, or a unit some rounds older.
    bool never_written(fc_u64 sequence, fc_u64 epoch) const {
        if (!whole_log_unit(sequence)) {
            const std::vector<char> zeros(c_.unit_bytes);
            const char *unit = unit_at(c_.log_offset_sectors, sequence % c_.log_units);
            return sequence <= c_.log_units && !std::memcmp(unit, zeros.data(), zeros.size());
        }
        const fc_disk_log_header h = header_at(sequence);
        const bool older = h.epoch < epoch || (h.epoch == epoch && h.sequence < sequence);
        return older && h.sequence % c_.log_units == sequence % c_.log_units;
    }

    // The first unit that is not there.
    fc_u64 log() {
        fc_u64 end = c_.log_tail;
        fc_u64 confirmed = 0;
        for (; end < c_.log_tail + c_.log_units && in_log(end); end++)
            confirmed = std::max<fc_u64>(confirmed, header_at(end).confirmed);
        for (fc_u64 sequence = end; sequence < c_.log_tail + c_.log_units; sequence++)
            if (in_log(sequence) && header_at(sequence).durable >= end)
                m_.refused = true;
        if (end < c_.log_tail + c_.log_units && !never_written(end, c_.epoch))
            m_.refused = true;
        unproven_.assign(m_.slots.size(), nullptr);
        for (fc_u64 sequence = c_.log_tail; sequence < end; sequence++)
            replay(sequence, sequence <= confirmed);
        for (std::size_t n = 0; n < m_.slots.size(); n++)
            if (unproven_[n] && !data_is_there(n))
                m_.slots[n] = {};
        return end;
    }

    void replay(fc_u64 sequence, bool confirmed) {
        const auto *records = reinterpret_cast<const fc_disk_log_record *>(
            unit_at(c_.log_offset_sectors, sequence % c_.log_units) + sizeof(fc_disk_log_header));
        for (unsigned i = 0; i < header_at(sequence).count; i++) {
            const fc_disk_log_record &record = records[i];
            const fc_u64 block = record.origin_block_state & FC_DISK_ORIGIN_BLOCK_MASK;
            const fc_u64 state = record.origin_block_state >> FC_DISK_ORIGIN_BLOCK_BITS;
            if (record.slot >= m_.slots.size() || state > FC_DISK_DIRTY ||
                (state == FC_DISK_DIRTY && !fits(record.slot, block))) {
                m_.refused = true;
                return;
            }
            const bool dirty = state == FC_DISK_DIRTY;
            m_.slots[record.slot] = dirty ? Slot{FC_DISK_DIRTY, block} : Slot{};
            unproven_[record.slot] = dirty && !confirmed ? &record : nullptr;
        }
    }

    bool data_is_there(std::size_t n) const {
        const char *data = ssd_.at(c_.data_offset_sectors + n * c_.block_sectors, c_.block_sectors);
        return fc_os_crc32c(0, data, c_.block_sectors * kSector) == unproven_[n]->data_crc;
    }

    void look_for_later_epochs() {
        for (fc_u64 i = 0; i < c_.log_units; i++)
            if (whole_log_unit(i) && header_at(i).epoch > c_.epoch)
                m_.refused = true;
    }

    void look_for_scars(fc_u64 next) {
        for (fc_u64 sequence = next; sequence < next + c_.log_units; sequence++)
            if (!never_written(sequence, c_.epoch + 1))
                m_.scarred = true;
    }

    const Disk &ssd_;
    const fc_config &c_;
    Model &m_;
    fc::Geometry geo_;
    unsigned seed_;
    std::vector<const fc_disk_log_record *> unproven_; // by slot: the record that the data must fit
};

} // namespace

unsigned Model::count(unsigned state) const {
    return static_cast<unsigned>(
        std::count_if(slots.begin(), slots.end(), [state](const Slot &slot) { return slot.state == state; }));
}

Model read_model(const Disk &ssd, const fc_config &config) {
    Model model;
    Reader(ssd, config, model).read();
    return model;
}
