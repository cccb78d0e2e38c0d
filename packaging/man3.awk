# include/factor2.h as manual pages: factor2(3), and one page for each function.
# Runs after man_text.awk. Variables: folder, where the pages go, and day.

BEGIN { source = "include/factor2.h" }

FNR == 1 { in_head = 1; next }
in_head {
    if ($0 == " */") in_head = 0
    else head[++head_count] = substr($0, 4)
    next
}

$0 == "/**" { in_comment = 1; count = 0; comment_end = 0; next }
in_comment && $0 == " */" { in_comment = 0; declaration = ""; pending = 1; next }
in_comment { comment[++count] = substr($0, 4); next }

# One-line comments: statuses and other macros.
/^\/\*\* .* \*\/$/ { meaning = substr($0, 5, length($0) - 7); next }
/^#define FACTOR2_[A-Z_0-9]+ / && meaning != "" {
    macros = macros ".TP\n.BR " $2 ($3 ~ /^[0-9]+$/ ? " \" (" $3 ")\"" : "") "\n" inline(meaning) "\n"
    meaning = ""
}

pending && $0 != "" && $0 != "FACTOR2_MUST_USE" {
    declaration = declaration (declaration == "" ? "" : "\n") $0
    if ($0 ~ /;$/) { pending = 0; document() }
}

function document(    name, i, key, out, parameters, returned, since, text, description, description_count, target) {
    if (declaration ~ /^typedef/) {
        name = declaration
        sub(/;$/, "", name)
        sub(/.* /, "", name)
        self = ""
        types = types ".TP\n.B " name "\n" render(comment, count)
        return
    }
    name = declaration
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    self = name
    split("", mentioned)
    target = "description"
    for (i = 1; i <= count; i++) {
        text = comment[i]
        if (text ~ /^@/) {
            key = text
            sub(/ .*/, "", key)
            sub(/^@[a-z]+ +/, "", text)
            target = key
            if (key == "@param") {
                key = text
                sub(/ .*/, "", key)
                sub(/^[^ ]+ +/, "", text)
                parameters = parameters ".TP\n.I " key "\n"
            }
        }
        if (target == "description") description[++description_count] = text
        else sub(/^ +/, "", text)
        if (text == "") continue
        if (target == "@param") parameters = parameters inline(text) "\n"
        if (target == "@return") returned = returned inline(text) "\n"
        if (target == "@since") since = text
    }
    text = ""
    for (i = 1; i <= description_count && description[i] != ""; i++)
        text = text (i > 1 ? " " : "") description[i]
    text = summary(text, 80)
    functions = functions ".TP\n.BR " name " (3)\n" text "\n"
    out = render(description, description_count) ".PP\n" \
        "What holds for every function, on ownership, threads and errors, is in\n.BR factor2 (3).\n"
    for (key in mentioned) pages[key] = 3
    pages["factor2"] = 3
    version = defined["FACTOR2_VERSION"]
    out = title(name, 3) section("NAME", name " \\- " text "\n") \
        section("SYNOPSIS", ".nf\n#include <factor2.h>\n.PP\n" escaped(declaration, 1) "\n.fi\n") \
        section("DESCRIPTION", out) section("PARAMETERS", parameters) \
        section("RETURN VALUE", returned) \
        section("HISTORY", "Since factor2 " since ".\n") see_also(pages)
    split("", pages)
    write_page(name, 3, out)
}

END {
    self = ""
    for (i = 3; i <= head_count; i++) {
        # The comment ends with what is for readers of the file alone.
        if (head[i] ~ /^Made by /) break
        body[++body_count] = head[i]
    }
    text = head[1]
    sub(/^factor2: /, "", text)
    pages["pam_factor2"] = pages["factor2-enroll"] = 8
    write_page("factor2", 3, title("factor2", 3) section("NAME", "factor2 \\- " summary(text, 80) "\n") \
        section("SYNOPSIS", ".nf\n#include <factor2.h>\n.PP\n" \
            "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs factor2)\n.fi\n") \
        section("DESCRIPTION", render(body, body_count)) section("FUNCTIONS", functions) \
        section("TYPES", types) section("CONSTANTS", macros) see_also(pages))
}
