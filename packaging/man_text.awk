# From a comment's text to man macros; what man3.awk and man8.awk share. POSIX awk.

# Bytes that roff would take for something else. In code, a hyphen and an apostrophe stay what they are.
function escaped(text, code) {
    gsub(/\\/, "\\(rs", text)
    gsub(/`/, "\\(ga", text)
    gsub(/~/, "\\(ti", text)
    gsub(/\^/, "\\(ha", text)
    if (code) {
        gsub(/-/, "\\-", text)
        gsub(/'/, "\\(aq", text)
    }
    return text
}

function not_a_macro(line) {
    return line ~ /^[.']/ ? "\\&" line : line
}

# `code`, FACTOR2_CONSTANTS and functions in bold and never hyphenated; functions with their section.
function inline(text,    parts, count, i, out) {
    count = split(text, parts, "`")
    for (i = 1; i <= count; i++)
        out = out (i % 2 ? named(parts[i]) : "\\%\\fB" escaped(parts[i], 1) "\\fR")
    return not_a_macro(out)
}

function named(text,    out, word) {
    while (match(text, /FACTOR2_[A-Z_]+|factor2_[a-z_]+\(\)/)) {
        word = substr(text, RSTART, RLENGTH)
        out = out escaped(substr(text, 1, RSTART - 1), 0)
        text = substr(text, RSTART + RLENGTH)
        if (sub(/\(\)$/, "", word) && word != self) {
            mentioned[word] = 1
            out = out "\\%\\fB" word "\\fR(3)"
        } else {
            out = out "\\%\\fB" word "\\fR" (word == self ? "()" : "")
        }
    }
    return out escaped(text, 0)
}

# The first sentence of a text, in the way of a NAME section: short, in small letters, without a full stop.
function summary(text, longest,    short) {
    short = text
    if (match(short, /[.;]( |$)/)) short = substr(short, 1, RSTART - 1)
    if (length(short) > longest && match(short, /: /)) short = substr(short, 1, RSTART - 1)
    gsub(/`/, "", short)
    sub(/:$/, "", short)
    if (short ~ /^[A-Z][a-z ]/) short = tolower(substr(short, 1, 1)) substr(short, 2)
    return escaped(short, 0)
}

# A row of a table with the columns member, default, range and another one: a tagged item, which fits
# into a narrow terminal. A default that begins with a dash is none.
function row(line, last_column,    cells) {
    sub(/^ +/, "", line)
    split(line, cells, / *\| */)
    if (!sub(/^-/, "required", cells[2])) cells[2] = "default " cells[2]
    if (last_column == "meaning") last_column = ""
    else last_column = toupper(substr(last_column, 1, 1)) substr(last_column, 2) ": "
    return ".TP\n" inline("`" cells[1] "`: " cells[3] "; " cells[2]) "\n" inline(last_column cells[4]) "\n"
}

# `    name  what it is`: a tagged item.
function item(line,    name) {
    sub(/^ +/, "", line)
    name = line
    sub(/ .*/, "", name)
    sub(/^[^ ]+ +/, "", line)
    return ".TP\n.I " name "\n" inline(line) "\n"
}

# Lines of text: paragraphs, `- ` and `1. ` items, tables, tagged items, and blocks of code indented by four.
function render(lines, count,    i, line, state, out, text, last_column) {
    state = "start"
    for (i = 1; i <= count; i++) {
        line = lines[i]
        if (i < count && lines[i + 1] ~ /^    -+\|/) {
            last_column = line
            sub(/.*\| */, "", last_column)
            i++
            state = "table"
            continue
        }
        if (state == "table" && line != "") {
            out = out row(line, last_column)
            continue
        }
        if (line ~ /^    [a-z_]+  +[^ ]/ && state != "item" && state != "code") {
            out = out item(line)
            state = "list"
            continue
        }
        if (line ~ /^    / && state != "item") {
            if (state != "code") out = out ".PP\n.RS 4\n.nf\n"
            state = "code"
            out = out not_a_macro(escaped(substr(line, 5), 1)) "\n"
            continue
        }
        if (state == "code") {
            out = out ".fi\n.RE\n"
            state = "blank"
        }
        if (line == "") {
            if (state != "start") state = "blank"
            continue
        }
        if (line ~ /^- / || line ~ /^[0-9]+\. /) {
            text = line
            sub(/^[^ ]+ /, "", text)
            sub(/ .*/, "", line)
            out = out ".IP " (line == "-" ? "\\(bu 2" : line " 4") "\n" inline(text) "\n"
            state = "item"
            continue
        }
        if (state == "blank") out = out ".PP\n"
        if (state == "blank" || state == "start") state = "text"
        sub(/^ +/, "", line)
        # A span of code may go on in the next line: the two are read as one.
        while (gsub(/`/, "`", line) % 2 && i < count) {
            text = lines[++i]
            sub(/^ +/, "", text)
            line = line " " text
        }
        out = out inline(line) "\n"
    }
    if (state == "code") out = out ".fi\n.RE\n"
    return out
}

function title(name, number) {
    return ".\\\" Generated from " source "; edit that.\n" \
        ".TH " name " " number " " day " \"factor2 " version "\"\n"
}

# .SH with what is in it, or nothing.
function section(name, body) {
    return body == "" ? "" : ".SH " (name ~ / / ? "\"" name "\"" : name) "\n" body
}

# The pages, in alphabetical order, with the commas that man(7) wants.
function see_also(pages,    page, names, count, i, j, swap, out) {
    for (page in pages) names[++count] = page
    for (i = 1; i <= count; i++)
        for (j = i + 1; j <= count; j++)
            if (names[j] < names[i]) { swap = names[i]; names[i] = names[j]; names[j] = swap }
    for (i = 1; i <= count; i++)
        out = out ".BR " names[i] " (" pages[names[i]] ")" (i < count ? "," : "") "\n"
    return section("SEE ALSO", out)
}

function write_page(name, number, text) {
    printf "%s", text >(folder "/" name "." number)
    close(folder "/" name "." number)
}

# What macros with a string stand for: FACTOR2_VERSION, the default paths.
/^#define [A-Z0-9_]+ "/ {
    split($0, quoted, "\"")
    defined[$2] = quoted[2]
}
