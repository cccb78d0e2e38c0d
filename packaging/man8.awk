# A program's or a PAM module's manual page, from its head comment and its usage text.
# Runs after man_text.awk. The last file is the program's; those before it define its default paths.
# Variables: folder, where the page goes, and day.

FNR == 1 { in_head = 1; head_count = 0; in_usage = 0; source = FILENAME; next }
in_head {
    if ($0 == " */") in_head = 0
    else head[++head_count] = substr($0, 4)
    next
}

/^static const char usage\[\] =$/ { in_usage = 1; usage_count = 0; next }
in_usage {
    text = $0
    gsub(/\\n"/, "\"", text)
    last = text ~ /;$/
    sub(/^ +"/, "", text)
    sub(/";?$/, "", text)
    # "(" MACRO ")"
    while (match(text, /" [A-Z_]+ "/))
        text = substr(text, 1, RSTART - 1) defined[substr(text, RSTART + 2, RLENGTH - 4)] substr(text, RSTART + RLENGTH)
    usage[++usage_count] = text
    if (last) in_usage = 0
}

# `  -o, --option ARG   what it does`: a tagged item. Lines that go on with it are indented deeper.
function options(lines, count,    i, line, out, open) {
    for (i = 1; i <= count; i++) {
        line = lines[i]
        if (match(line, /^ +[-a-z][^ ]*( [^ ]+)*  +[^ ]/) || line ~ /^ +-[^ ]+( [^ ]+)*$/) {
            sub(/^ +/, "", line)
            tag = line
            sub(/  +.*/, "", tag)
            # A long one stands on a line by itself.
            line = sub(/^[^ ]+( [^ ]+)*  +/, "", line) ? inline(line) "\n" : ""
            out = out ".TP\n.B " escaped(tag, 1) "\n" line
            open = 1
        } else if (line ~ /^      / && open) {
            sub(/^ +/, "", line)
            out = out inline(line) "\n"
        } else if (line == "") {
            open = 0
        }
    }
    return out
}

END {
    name = source
    sub(/.*\//, "", name)
    sub(/\.c$/, "", name)
    if (usage_count) gsub(/_/, "-", name)
    version = defined["FACTOR2_VERSION"]
    for (i = 1; i <= head_count && head[i] != ""; i++) about = about (i > 1 ? " " : "") head[i]
    if (sub("^" name ": ", "", about)) {
        sub("^" name ": ", "", head[1])
        head[1] = toupper(substr(head[1], 1, 1)) substr(head[1], 2)
    }
    for (i = 1; i <= head_count; i++) {
        line = head[i]
        if (line ~ /^    make /) continue # how it is built is README's
        if (line ~ ("^    auth .*" name)) { synopsis = synopsis escaped(substr(line, 5), 1) "\n"; continue }
        # A list of options, indented as code.
        if (line ~ /^    [^ ]+   *[^ ]/ && !usage_count) in_options = 1
        if (line == "") in_options = 0
        if (in_options) listed[++listed_count] = line
        else body[++body_count] = line
    }
    for (i = 1; i <= usage_count; i++) {
        line = usage[i]
        if (line ~ /^Usage: /) synopsis = escaped(substr(line, 8), 1) "\n"
        if (line ~ /^  /) listed[++listed_count] = line
        else if (after_options(i)) rest[++rest_count] = line
    }
    if (rest_count) body[++body_count] = ""
    for (i = 1; i <= rest_count; i++) body[++body_count] = rest[i]
    pages["factor2"] = 3
    if (name != "pam_factor2") pages["pam_factor2"] = 8
    else { pages["factor2-enroll"] = 8; pages["pam.conf"] = 5 }
    files = ".TP\n.I " defined["SECRET_FOLDER"] "\nThe users' secrets, one file each.\n" \
        ".TP\n.I " defined["GUARD_FILE"] "\nThe guard's memory of accepted and wrong codes.\n"
    write_page(name, 8, title(name, 8) section("NAME", name " \\- " summary(about, 200) "\n") \
        section("SYNOPSIS", ".nf\n" synopsis ".fi\n") section("DESCRIPTION", render(body, body_count)) \
        section("OPTIONS", options(listed, listed_count)) section("FILES", files) see_also(pages))
}

# Whether a line of the usage text comes after the last option.
function after_options(at,    j) {
    for (j = at; j <= usage_count; j++) if (usage[j] ~ /^  /) return 0
    return 1
}
