"""What the programs of this folder share: reading what guest/measure prints, and files of results.

A file of results is JSON: {"about": {...}, "rows": [{"target", "row", "seed", metric...}]}.
"""
import json
import re
import sys

# In the order of tables and charts, each with its colour.
TARGETS = {
    "ssd": "#444444", "disk": "#777777", "dm-linear": "#aaaaaa",
    "flashcache-back": "#c0392b", "flashcache-only": "#e67e22",
    "flashcache-thru": "#f1a9a0", "flashcache-around": "#f9d5a7",
    "dm-cache-writeback": "#1f618d", "dm-cache-writethrough": "#85c1e9", "dm-writecache": "#6c3483",
    "bcache-writeback": "#1e8449", "bcache-writethrough": "#82e0aa",
}
# Metric: (what it is, decimals, whether more is better).  "per request": of the job's.
METRICS = {
    "iops": ("requests a second", 0, True),
    "read_iops": ("reads a second", 0, True),
    "write_iops": ("writes a second", 0, True),
    "mean_us": ("mean latency, us", 1, False),
    "p99_us": ("99 % of latencies are below, us", 1, False),
    "instructions": ("instructions of the machine per request, fio's among them", 0, False),
    "ssd_requests": ("requests of the SSD per request", 3, False),
    "ssd_bytes": ("bytes written to the SSD per byte", 3, False),
    "ssd_flushes": ("flushes of the SSD per request", 3, False),
    "disk_requests": ("requests of the disk per request", 3, False),
    "disk_bytes": ("bytes read from and written to the disk per byte", 3, False),
    "disk_flushes": ("flushes of the disk per request", 3, False),
    "ram_bytes": ("bytes of memory per block of 4 KiB", 2, False),
}
# Every machine of the last ten years has the CRC and carry-less multiplication instructions.
CPU = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+pclmulqdq"
COUNTERS = ("reads", "read_sectors", "writes", "write_sectors", "discards", "flushes")


def fail(text):
    """One line, and status 1."""
    sys.exit(f"{sys.argv[0].rsplit('/', 1)[-1]}: {text}")


def machine_command(kernel, qemu_arguments):
    """How a command is run in a machine whose time is counted in instructions; the command follows."""
    return ["tests/vm/run-vm", "--kernel", kernel, "--deterministic", "--mem", "3072", "--timeout", "3000",
            "--qemu", " ".join(qemu_arguments), "--"]


def load(path):
    """A file of results."""
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
        results["about"], results["rows"]
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        fail(f"{path}: not a file of results")
    return results


def save(path, results):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1, sort_keys=True)
        file.write("\n")


def parse(text):
    """The rows in what guest/measure printed."""
    rows = []
    for match in re.finditer(r"^@begin (\S+) (\S+)\n(.*?)^@end$", text, re.M | re.S):
        target, row, body = match.groups()
        report = re.sub(r"^@.*\n", "", body, flags=re.M)
        lines = [line.split() for line in re.findall(r"^@(.*)$", body, re.M)]
        values = measured(report, lines)
        if row.startswith("cpu-"):  # one CPU, always busy, an instruction is a nanosecond
            values["instructions"] = round(1e9 / values["iops"])
        rows.append({"target": target, "row": row, **values})
    return rows


def measured(report, lines):
    """The metrics of one job: from fio's JSON, and from the lines behind it."""
    values = {}
    for name, *numbers in lines:
        if name == "ram":
            values["ram_bytes"] = float(numbers[0])
    if not report.strip():
        return values
    # fio may warn before its JSON begins
    job = json.loads(report[report.index("{"):])["jobs"][0]
    values.update(of_fio(job))
    requests = job["read"]["total_ios"] + job["write"]["total_ios"]
    size = job["read"]["io_bytes"] + job["write"]["io_bytes"]
    written = job["write"]["io_bytes"]
    for name, *numbers in lines:
        if name in ("ssd", "disk"):
            counters = dict(zip(COUNTERS, map(int, numbers)))
            values.update(of_device(name, counters, requests, size, written))
        elif name == "kind":
            kinds = values.setdefault("kinds", {}).setdefault(numbers[0], {})
            kinds[numbers[1]] = round(int(numbers[2]) / requests, 4)
    return values


def of_fio(job):
    """Rates and latencies."""
    read, write = job["read"], job["write"]
    total = read["total_ios"] + write["total_ios"]
    values = {"requests": total, "iops": round(read["iops"] + write["iops"], 1)}
    if read["total_ios"] and write["total_ios"]:
        values["read_iops"] = round(read["iops"], 1)
        values["write_iops"] = round(write["iops"], 1)
    mean = sum(side["total_ios"] * side["lat_ns"]["mean"] for side in (read, write)) / total
    values["mean_us"] = round(mean / 1000, 2)
    values["p99_us"] = round(max(side["lat_ns"]["percentile"]["99.000000"] / 1000
                                 for side in (read, write) if side["total_ios"]), 2)
    return values


def of_device(name, counters, requests, size, written):
    """What a device had to do for the job's requests, and for its bytes."""
    sectors = counters["write_sectors"]
    if name == "disk":
        sectors, written = sectors + counters["read_sectors"], size
    values = {
        f"{name}_requests": round((counters["reads"] + counters["writes"]) / requests, 4),
        f"{name}_flushes": round(counters["flushes"] / requests, 4),
    }
    if written:
        values[f"{name}_bytes"] = round(sectors * 512 / written, 4)
    return values
