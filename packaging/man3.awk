# include/factor2.h as manual pages: factor2(3), and one page for each function.
# Runs after man_text.awk. Variables: folder, where the pages go, and day.

BEGIN { source = "include/factor2.h" }

FNR == 1 { in_head = 1; next }
in_head {
    if ($0 == " */") in_head = 0
    else head[++head_count] = substr($0, 4)
    next
}

# A comment: of a chapter, or of the declaration that follows.
$0 == "/*" || $0 == "/**" { in_comment = 1; count = 0; of_chapter = $0 == "/*"; next }
in_comment && $0 == " */" {
    in_comment = 0
    if (of_chapter) begin_chapter()
    else { declaration = ""; pending = 1 }
    next
}
in_comment { comment[++count] = substr($0, 4); next }

# The comments of statuses and other macros, in one line or two.
/^\/\*\* / { meaning = substr($0, 5); in_meaning = 1 }
in_meaning && !/^\/\*\* / { sub(/^ +/, ""); meaning = meaning " " $0 }
in_meaning { in_meaning = !sub(/ \*\/$/, "", meaning); next }
/^#define FACTOR2_[A-Z_0-9]+ / && meaning != "" {
    macros = macros ".TP\n.BR " $2 ($3 ~ /^[0-9]+$/ ? " \" (" $3 ")\"" : "") "\n" inline(meaning) "\n"
    meaning = ""
}

pending && $0 != "" && $0 != "FACTOR2_API" && $0 != "FACTOR2_MUST_USE" {
    declaration = declaration (declaration == "" ? "" : "\n") $0
    if ($0 ~ /;$/) { pending = 0; document() }
}

# What a chapter says belongs to factor2(3), where it is a section, or stands before its functions.
function begin_chapter(    name, text) {
    name = comment[1]
    sub(/\..*/, "", name)
    sub(/^[^.]*\. ?/, "", comment[1])
    self = ""
    text = render(comment, count)
    if (name == "Statuses") constants = text
    else if (name == "Settings") settings = text
    else {
        if (name == "Operations") { operations = text; share(); text = "" }
        functions = functions ".SS " (name ~ / / ? "\"" name "\"" : name) "\n" text
    }
}

# The parameters that all operations have, and the statuses that each can return.
function share(    i, all) {
    for (i = 1; i <= count; i++) {
        all = all " " comment[i]
        if (comment[i] ~ /^    [a-z_]+  /) shared_parameters = shared_parameters item(comment[i])
    }
    match(all, /Each can return [^.]*\./)
    shared_returns = ".PP\nEvery operation" inline(substr(all, RSTART + 4, RLENGTH - 4)) "\n"
}

function document(    name, i, key, out, parameters, returned, since, text, description, description_count, target, is_operation) {
    if (declaration ~ /^typedef/) {
        name = declaration
        text = ""
        if (match(name, /\(\*[a-z0-9_]+\)/)) {
            text = ".sp\n.nf\n" escaped(declaration, 1) "\n.fi\n"
            name = substr(name, RSTART + 2, RLENGTH - 3)
        }
        sub(/;$/, "", name)
        sub(/.* /, "", name)
        self = ""
        types = types ".TP\n.B " name "\n" render(comment, count) text
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
    is_operation = parameters == "" && declaration ~ /\*request,/
    if (is_operation) {
        parameters = shared_parameters
        returned = returned shared_returns
        mentioned["factor2_authenticator_new"] = 1
    }
    functions = functions ".TP\n.BR " name " (3)\n" text "\n"
    out = render(description, description_count) ".PP\n" \
        "What holds for every " (is_operation ? "operation, and for every " : "") \
        "function, on ownership, threads and errors, is in\n.BR factor2 (3)" \
        (name ~ /_new$/ ? ",\nand so are the settings.\n" : ".\n")
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
        section("DESCRIPTION", render(body, body_count)) section("SETTINGS", settings) \
        section("OPERATIONS", operations) section("FUNCTIONS", functions) \
        section("TYPES", types) section("CONSTANTS", constants macros) see_also(pages))
}
