#include "pages_recovery.h"

#include "parts.h"

static void add_verdict(struct text *page, const struct verdict *verdict) {
    if (verdict == NULL)
        return;
    if (verdict->locked)
        part_locked(page, verdict);
    else
        part_error(page, verdict->malformed
                             ? "A recovery code has 24 letters and digits, in groups of four."
                             : "The recovery code was not accepted. Each works once.");
}

struct text page_recovery(const struct session *session, const struct verdict *verdict) {
    struct text page = part_begin("Use a recovery code", verdict != NULL);

    add_verdict(&page, verdict);
    part_form(&page, session, "/recovery");
    text_add(&page, "<label for=\"recovery\">Recovery code</label>\n"
                    "<input id=\"recovery\" name=\"recovery\" autocomplete=\"off\" "
                    "autocapitalize=\"characters\" spellcheck=\"false\" maxlength=\"64\" required "
                    "autofocus");
    part_described_by(&page, verdict != NULL, "recovery-hint");
    text_add(&page,
             ">\n<p class=\"hint\" id=\"recovery-hint\">One of those that you saved when you "
             "set up your second factor. Dashes and case do not matter.</p>\n"
             "<button>Log in</button>\n</form>\n"
             "<p class=\"more\"><a href=\"/code\">I have my phone</a></p>\n");
    part_button(&page, session, "/logout", "Start again", "quiet");
    return part_end(page);
}

struct text page_recovery_codes(const struct session *session, const char *error) {
    struct text page = part_begin("Save your recovery codes", error != NULL);
    int i;

    part_error(&page, error);
    text_add(&page, "<p>If the phone is lost, each of these logs you in once. They are shown only "
                    "now.</p>\n<ul class=\"codes\">\n");
    for (i = 0; i < session->codes.count; i++) {
        text_add(&page, "<li>");
        text_add_escaped(&page, session->codes.codes[i]);
        text_add(&page, "</li>\n");
    }
    text_add(&page, "</ul>\n<div class=\"screen\">\n<p><a href=\"/recovery-codes.txt\" download>"
                    "Download them</a>, or print this page: only the codes come on paper.");
    text_add(&page, session->stage == SESSION_LOGGED_IN
                        ? " Your old ones work until you continue.</p>\n"
                        : "</p>\n");
    part_form(&page, session, "/recovery-codes/saved");
    text_add(&page, "<label class=\"check\"><input type=\"checkbox\" id=\"saved\" name=\"saved\" "
                    "value=\"yes\" required");
    text_add(&page, error != NULL ? " aria-invalid=\"true\" aria-describedby=\"error\"" : "");
    text_add(&page, ">I have saved these codes</label>\n<button>Continue</button>\n</form>\n");
    if (session->stage == SESSION_LOGGED_IN)
        part_button(&page, session, "/logout", "Log out", "quiet");
    text_add(&page, "</div>\n");
    return part_end(page);
}

struct text page_recovery_file(const struct session *session) {
    struct text file = text_new();
    int i;

    text_add(&file, "Recovery codes of ");
    text_add(&file, session->user->name);
    text_add(&file, " for factor2 demo\nEach works once. Keep them apart from the phone.\n\n");
    for (i = 0; i < session->codes.count; i++) {
        text_add(&file, session->codes.codes[i]);
        text_add(&file, "\n");
    }
    return file;
}
