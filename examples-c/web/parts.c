#include "parts.h"

#include <stdio.h>

struct text part_begin(const char *title, int failed) {
    struct text page = text_new();

    text_add(&page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    text_add(&page, failed ? "Error: " : "");
    text_add_escaped(&page, title);
    text_add(&page, " - factor2 demo</title>\n<link rel=\"icon\" href=\"data:,\">\n"
                    "<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n"
                    "<p class=\"brand\">factor2 demo</p>\n<h1>");
    text_add_escaped(&page, title);
    text_add(&page, "</h1>\n");
    return page;
}

struct text part_end(struct text page) {
    text_add(&page, "</main>\n</body>\n</html>\n");
    return page;
}

void part_form(struct text *page, const struct session *session, const char *action) {
    text_add(page, "<form method=\"post\" action=\"");
    text_add(page, action);
    text_add(page, "\">\n<input type=\"hidden\" name=\"csrf\" value=\"");
    text_add_escaped(page, session->csrf);
    text_add(page, "\">\n");
}

void part_notice(struct text *page, const struct session *session) {
    if (session->notice == NULL)
        return;
    text_add(page, "<p class=\"notice\" role=\"status\">");
    text_add_escaped(page, session->notice);
    text_add(page, "</p>\n");
}

void part_error(struct text *page, const char *error) {
    if (error == NULL)
        return;
    text_add(page, "<p class=\"error\" role=\"alert\" id=\"error\">");
    text_add_escaped(page, error);
    text_add(page, "</p>\n");
}

void part_described_by(struct text *page, int failed, const char *hint) {
    text_add(page,
             failed ? " aria-invalid=\"true\" aria-describedby=\"error " : " aria-describedby=\"");
    text_add(page, hint);
    text_add(page, "\"");
}

void part_button(struct text *page, const struct session *session, const char *action,
                 const char *label, const char *class) {
    part_form(page, session, action);
    text_add(page, "<button");
    if (class != NULL) {
        text_add(page, " class=\"");
        text_add(page, class);
        text_add(page, "\"");
    }
    text_add(page, ">");
    text_add(page, label);
    text_add(page, "</button>\n</form>\n");
}

const char *part_duration(long seconds, char out[DURATION_SIZE]) {
    int minutes = seconds >= 120;

    snprintf(out, DURATION_SIZE, "%ld %s", minutes ? (seconds + 59) / 60 : seconds,
             minutes        ? "minutes"
             : seconds == 1 ? "second"
                            : "seconds");
    return out;
}

void part_locked(struct text *page, const struct verdict *verdict) {
    char duration[DURATION_SIZE], when[160];

    if (verdict->wait_s < 0) {
        part_error(page, "The code was not accepted. No more codes can be tried for this account: "
                         "ask whoever runs this site.");
        return;
    }
    snprintf(when, sizeof when, "The code was not accepted. The next one can be tried in %s.",
             part_duration(verdict->wait_s, duration));
    part_error(page, when);
}
