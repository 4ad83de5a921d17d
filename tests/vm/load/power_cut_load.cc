// SPDX-License-Identifier: GPL-2.0-only
//
// flashcache_power_cut_load: a load that can tell, after a power cut, whether anything is lost
// that was promised.
//
//   write DIR          append and rewrite records in the files of DIR until somebody ends it;
//                      "acked FILE RECORD GENERATION" for each record that is durable
//   verify DIR ACKED   is every record of the list ACKED there, whole, and of at least the
//                      generation that was acknowledged?  A line for each loss, status 1.
//
// Each sector of a record describes itself, because a sector is what a disk writes as a whole: a
// rewrite that was cut may leave old and new sectors, but no other ones.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr std::size_t kSector = 512;
constexpr std::size_t kAlignment = 4096;
constexpr std::uint64_t kMagic = 0x666c617368637574; // "flashcut"

// How a file is written.
struct Style {
    std::size_t record_bytes;
    std::uint64_t max_records;
    unsigned batch; // at most so many records between two fsyncs; 0: each write is synchronous
    int flags;
};

constexpr std::array<Style, 6> kStyles = {{
    {4096, 1024, 1, 0},
    {4096, 2048, 8, 0},
    {512, 4096, 4, 0}, // less than a page, and less than a block of the cache
    {16384, 512, 2, 0},
    {4096, 1024, 0, O_DSYNC},
    {4096, 1024, 0, O_DSYNC | O_DIRECT},
}};

// Writes that nobody waits for: they fill the cache, so that it must replace and clean blocks.
constexpr std::uint64_t kNoiseBytes = 80 << 20;
constexpr std::size_t kNoiseChunk = 64 << 10;
constexpr useconds_t kNoisePause = 10'000;

struct Sector {
    std::uint64_t magic;
    std::uint64_t file;
    std::uint64_t record;
    std::uint64_t index; // within the record
    std::uint64_t generation;
    std::array<std::uint64_t, kSector / 8 - 6> filling;
    std::uint64_t checksum; // of all before it
};
static_assert(sizeof(Sector) == kSector);

std::uint64_t checksum(const Sector &sector) {
    std::uint64_t sum = 0xcbf29ce484222325; // FNV-1a, by words
    std::array<std::uint64_t, kSector / 8> words;
    std::memcpy(words.data(), &sector, kSector);
    for (const std::uint64_t word : std::span(words).first(words.size() - 1)) {
        sum = (sum ^ word) * 0x100000001b3;
        sum ^= sum >> 29;
    }
    return sum;
}

[[noreturn]] void die(const std::string &what) {
    std::fprintf(stderr, "power_cut_load: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(2);
}

// A record's memory: aligned, for O_DIRECT.
class Buffer {
public:
    explicit Buffer(std::size_t bytes)
        : bytes_(bytes), memory_(static_cast<char *>(std::aligned_alloc(
                             kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment))) {
        if (memory_ == nullptr)
            throw std::bad_alloc();
    }
    ~Buffer() { std::free(memory_); }
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;

    void *data() { return memory_; }
    std::size_t sectors() const { return bytes_ / kSector; }
    Sector sector(std::size_t i) const {
        Sector sector;
        std::memcpy(&sector, memory_ + i * kSector, kSector);
        return sector;
    }
    void set_sector(std::size_t i, const Sector &sector) {
        std::memcpy(memory_ + i * kSector, &sector, kSector);
    }

private:
    std::size_t bytes_;
    char *memory_;
};

class RecordFile {
public:
    RecordFile(const std::string &directory, std::uint64_t number, int flags)
        : number_(number), path_(directory + "/records-" + std::to_string(number)),
          buffer_(style().record_bytes) {
        descriptor_ = ::open(path_.c_str(), flags, 0600);
        if (descriptor_ < 0 && errno != ENOENT)
            die(path_);
    }
    ~RecordFile() { ::close(descriptor_); }
    RecordFile(const RecordFile &) = delete;
    RecordFile &operator=(const RecordFile &) = delete;

    const Style &style() const { return kStyles.at(number_); }

    std::uint64_t records() const {
        struct stat status = {};
        if (::fstat(descriptor_, &status) != 0)
            die(path_);
        return static_cast<std::uint64_t>(status.st_size) / style().record_bytes;
    }

    void write(std::uint64_t record, std::uint64_t generation) {
        for (std::size_t i = 0; i < buffer_.sectors(); ++i) {
            Sector sector = {kMagic, number_, record, i, generation, {}, 0};
            std::mt19937_64 words(generation * 1'000'003 + record * 64 + i);
            std::generate(sector.filling.begin(), sector.filling.end(), std::ref(words));
            sector.checksum = checksum(sector);
            buffer_.set_sector(i, sector);
        }
        if (::pwrite(descriptor_, buffer_.data(), style().record_bytes, offset(record)) !=
            static_cast<ssize_t>(style().record_bytes))
            die("write " + path_);
    }

    void sync() {
        if (::fsync(descriptor_) != 0)
            die("fsync " + path_);
    }

    // What stands in a record.
    struct Contents {
        bool read = false;
        std::size_t bad_sectors = 0;
        std::uint64_t oldest = UINT64_MAX; // generations of the good sectors
        std::uint64_t newest = 0;
    };

    Contents read(std::uint64_t record) {
        Contents contents;
        contents.read = ::pread(descriptor_, buffer_.data(), style().record_bytes,
                                offset(record)) == static_cast<ssize_t>(style().record_bytes);
        for (std::size_t i = 0; contents.read && i < buffer_.sectors(); ++i) {
            const Sector sector = buffer_.sector(i);
            if (sector.magic != kMagic || sector.file != number_ || sector.record != record ||
                sector.index != i || sector.checksum != checksum(sector)) {
                ++contents.bad_sectors;
                continue;
            }
            contents.oldest = std::min(contents.oldest, sector.generation);
            contents.newest = std::max(contents.newest, sector.generation);
        }
        return contents;
    }

private:
    off_t offset(std::uint64_t record) const {
        return static_cast<off_t>(record * style().record_bytes);
    }

    std::uint64_t number_;
    std::string path_;
    Buffer buffer_;
    int descriptor_ = -1;
};

// ---- write

std::mutex output;

void acknowledge(std::uint64_t file, std::span<const std::uint64_t> records,
                 std::uint64_t generation) {
    std::string lines;
    for (const std::uint64_t record : records)
        lines += "acked " + std::to_string(file) + " " + std::to_string(record) + " " +
                 std::to_string(generation) + "\n";
    const std::lock_guard lock(output);
    if (::write(STDOUT_FILENO, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()))
        die("standard output");
}

[[noreturn]] void write_records(const std::string &directory, std::uint64_t number) {
    const Style &style = kStyles.at(number);
    RecordFile file(directory, number, O_RDWR | O_CREAT | style.flags);
    std::uint64_t records = file.records();
    std::uint64_t generation = 0;
    for (std::uint64_t record = 0; record < records; ++record)
        generation = std::max(generation, file.read(record).newest);

    std::mt19937_64 random(std::random_device{}());
    std::vector<std::uint64_t> batch;
    for (;;) {
        ++generation;
        batch.clear();
        const std::uint64_t count = style.batch == 0 ? 1 : 1 + random() % style.batch;
        while (batch.size() < count) {
            const bool append = records == 0 || (records < style.max_records && random() % 2 == 0);
            const std::uint64_t record = append ? records : random() % records;
            file.write(record, generation);
            records += append ? 1 : 0;
            batch.push_back(record);
        }
        if (style.batch != 0)
            file.sync();
        acknowledge(number, batch, generation);
    }
}

[[noreturn]] void write_noise(const std::string &directory) {
    const std::string path = directory + "/noise";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    if (descriptor < 0)
        die(path);
    std::mt19937_64 random(std::random_device{}());
    const std::vector<char> chunk(kNoiseChunk, static_cast<char>(random()));
    for (;;) {
        const std::uint64_t place = random() % (kNoiseBytes / kNoiseChunk);
        if (::pwrite(descriptor, chunk.data(), kNoiseChunk,
                     static_cast<off_t>(place * kNoiseChunk)) < 0)
            die("write " + path);
        ::usleep(kNoisePause);
    }
}

int write(const std::string &directory) {
    std::vector<std::thread> threads;
    for (std::uint64_t number = 0; number < kStyles.size(); ++number)
        threads.emplace_back(write_records, directory, number);
    threads.emplace_back(write_noise, directory);
    for (std::thread &thread : threads)
        thread.join();
    return 0;
}

// ---- verify

using Acknowledged = std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t>;

// The newest generation of each record.  A line that the cut has cut short says nothing.
Acknowledged read_list(const std::string &path) {
    std::ifstream list(path);
    if (!list)
        die(path);
    Acknowledged acknowledged;
    for (std::string line; std::getline(list, line) && !list.eof();) {
        std::istringstream words(line);
        std::string first;
        std::uint64_t file = 0, record = 0, generation = 0;
        if (!(words >> first >> file >> record >> generation) || first != "acked")
            continue;
        std::uint64_t &newest = acknowledged[{file, record}];
        newest = std::max(newest, generation);
    }
    return acknowledged;
}

int verify(const std::string &directory, const std::string &list) {
    std::size_t losses = 0, mixed = 0;
    std::vector<std::unique_ptr<RecordFile>> files;
    for (std::uint64_t number = 0; number < kStyles.size(); ++number)
        files.push_back(std::make_unique<RecordFile>(directory, number, O_RDONLY));
    const Acknowledged acknowledged = read_list(list);
    for (const auto &[place, generation] : acknowledged) {
        RecordFile &file = *files.at(place.first);
        const RecordFile::Contents contents = file.read(place.second);
        mixed += contents.oldest < contents.newest ? 1 : 0;
        if (contents.read && contents.bad_sectors == 0 && contents.oldest >= generation)
            continue;
        ++losses;
        std::printf("LOST: file %lu record %lu: acknowledged %lu, found ", place.first,
                    place.second, generation);
        if (contents.read)
            std::printf("%zu bad sectors, generations %ld to %lu\n", contents.bad_sectors,
                        static_cast<long>(contents.oldest), contents.newest);
        else
            std::printf("nothing (%lu records in the file)\n", file.records());
    }
    std::printf("verified %zu records, lost %zu, partly rewritten %zu\n", acknowledged.size(),
                losses, mixed);
    return losses == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 2 && words[0] == "write")
        return write(words[1]);
    if (words.size() == 3 && words[0] == "verify")
        return verify(words[1], words[2]);
    std::fprintf(stderr, "usage: flashcache_power_cut_load write DIR | verify DIR ACKED-FILE\n");
    return 2;
}
