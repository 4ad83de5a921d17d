// SPDX-License-Identifier: GPL-2.0-only
//
// What tests do and ask again and again.
#include <gtest/gtest.h>

#include "world.h"

int World::find(int dev, Op op) const {
    for (std::size_t i = 0; i < ios.size(); i++)
        if (ios[i].dev == dev && ios[i].op == op)
            return static_cast<int>(i);
    return -1;
}

static unsigned matching(const std::vector<Io> &list, int dev, Op op) {
    unsigned n = 0;
    for (const Io &io : list)
        n += io.dev == dev && io.op == op;
    return n;
}

unsigned World::count(int dev, Op op) const {
    return matching(ios, dev, op);
}

unsigned World::traced(int dev, Op op) const {
    return matching(trace, dev, op);
}

void World::make_dirty(fc_u64 block, char letter, unsigned n) {
    UserRequest &user = write(block, letter, n);
    finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(state(block).substr(0, 5), "dirty");
    trace.clear();
}

void World::make_clean(fc_u64 block, unsigned n) {
    UserRequest &user = read(block, n);
    finish();
    EXPECT_EQ(user.status, FC_OK);
    EXPECT_EQ(state(block), "clean");
    trace.clear();
}

void World::confirm() {
    {
        const fc::LogGuard guard(*core);
        core->log.want_confirm();
    }
    kick(FC_WORK_RUN, 0);
    finish();
    kick(FC_WORK_RUN, 0);
    finish();
    trace.clear();
}

void World::clean_all() {
    fc_core_start_sync(core);
    for (int i = 0; i < 100 && gauge(FC_GAUGE_DIRTY); i++)
        pass(50);
    EXPECT_EQ(gauge(FC_GAUGE_DIRTY), 0u);
    trace.clear();
}

fc_u64 World::data_sector(fc_u64 block) const {
    const fc::Placement place = core->geo.place(block);
    const fc::SetGuard guard(*core, place.set);
    const fc::u32 way = fc::set_at(*core, place.set).find(place.tag);
    EXPECT_NE(way, fc::kNoWay) << "block " << block << " is not cached";
    return way == fc::kNoWay ? 0 : core->geo.data_sector(place.set, way);
}

std::string World::state(fc_u64 block) const {
    const fc::Placement place = core->geo.place(block);
    const fc::SetGuard guard(*core, place.set);
    const fc::CacheSet set = fc::set_at(*core, place.set);
    const fc::u32 way = set.find(place.tag);
    if (way == fc::kNoWay)
        return "none";
    return std::string(set.dirty(way) ? "dirty" : "clean") + (set.busy(way) ? " busy" : "") +
           (set.unconfirmed(way) ? " unconfirmed" : "");
}

char World::read_letter(fc_u64 block) {
    UserRequest &user = read(block);
    finish();
    return user.status == FC_OK ? user.data[0] : '\0';
}

bool World::logged(const std::string &part) const {
    for (const std::string &line : log)
        if (line.find(part) != std::string::npos)
            return true;
    return false;
}
