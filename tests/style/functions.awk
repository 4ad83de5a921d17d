# Functions of more than 70 lines.  A function ends at a brace that closes it; it
# starts at the line that opens it, when that is not a namespace, type, extern "C"
# block, array or macro.  Strings, characters and comments are taken out first.
function opens_function(head) {
    sub(/[ \t]+$/, "", head)
    sub(/^[ \t]+/, "", head)
    if (head !~ /\(/ || head ~ /=$/ || head ~ /^extern ""/) return 0
    if (head ~ /^(template.*> *)?(namespace|struct|class|union|enum|typedef)[ \t]/)
        return head ~ /\)( *const)?( *noexcept)?( *override)?$/
    return 1
}
FNR == 1 { depth = 0; in_function = 0; head = ""; in_comment = 0 }
{
    line = $0
    if (in_comment) {
        if (!match(line, /\*\//)) next
        line = substr(line, RSTART + 2)
        in_comment = 0
    }
    gsub(/\\\\/, "", line)
    gsub(/\\"/, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    gsub(/'(\\.|[^'\\])'/, "0", line)
    while (match(line, /\/\*/)) {
        rest = substr(line, RSTART + 2)
        line = substr(line, 1, RSTART - 1)
        if (match(rest, /\*\//)) line = line " " substr(rest, RSTART + 2)
        else in_comment = 1
    }
    sub(/\/\/.*/, "", line)
    if (line ~ /^[ \t]*#/) next
    n = split(line, c, "")
    for (i = 1; i <= n; i++) {
        if (c[i] == "{") {
            depth++
            if (!in_function && opens_function(head)) {
                in_function = depth
                start = head_line ? head_line : FNR
                name = head
            }
            head = ""; head_line = 0
        } else if (c[i] == "}") {
            if (in_function == depth) {
                len = FNR - start + 1
                if (len > 70) {
                    sub(/^[ \t]+/, "", name)
                    sub(/\(.*/, "", name)
                    printf "%s:%d: %s has %d lines\n", FILENAME, start, name, len
                }
                in_function = 0
            }
            depth--
            head = ""; head_line = 0
        } else if (c[i] == ";" && !in_function) {
            head = ""; head_line = 0
        } else if (!in_function) {
            if (c[i] !~ /[ \t]/ && !head_line) head_line = FNR
            head = head c[i]
        }
    }
    head = head " "
}
