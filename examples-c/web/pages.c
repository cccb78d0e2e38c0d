#include "pages.h"

#include <stdio.h>
#include <string.h>

static struct text begin(const char *title, int failed) {
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

static struct text end(struct text page) {
    text_add(&page, "</main>\n</body>\n</html>\n");
    return page;
}

static void begin_form(struct text *page, const struct session *session, const char *action) {
    text_add(page, "<form method=\"post\" action=\"");
    text_add(page, action);
    text_add(page, "\">\n<input type=\"hidden\" name=\"csrf\" value=\"");
    text_add_escaped(page, session->csrf);
    text_add(page, "\">\n");
}

static void add_notice(struct text *page, const struct session *session) {
    if (session->notice == NULL)
        return;
    text_add(page, "<p class=\"notice\" role=\"status\">");
    text_add_escaped(page, session->notice);
    text_add(page, "</p>\n");
}

static void add_error(struct text *page, const char *error) {
    if (error == NULL)
        return;
    text_add(page, "<p class=\"error\" role=\"alert\" id=\"error\">");
    text_add_escaped(page, error);
    text_add(page, "</p>\n");
}

/* Ties a field to the error above it, and to its hint. */
static void add_described_by(struct text *page, int failed, const char *hint) {
    text_add(page,
             failed ? " aria-invalid=\"true\" aria-describedby=\"error " : " aria-describedby=\"");
    text_add(page, hint);
    text_add(page, "\"");
}

static void add_credentials(struct text *page, const char *name, int failed, int is_new) {
    text_add(page, "<label for=\"name\">User name</label>\n<input id=\"name\" name=\"name\" "
                   "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" "
                   "maxlength=\"64\" required autofocus value=\"");
    text_add_escaped(page, name);
    text_add(page, "\"");
    text_add(page, failed ? " aria-invalid=\"true\" aria-describedby=\"error\"" : "");
    text_add(page, ">\n<label for=\"password\">Password</label>\n<input id=\"password\" "
                   "name=\"password\" type=\"password\" maxlength=\"128\" required");
    if (is_new) {
        text_add(page, " minlength=\"8\" autocomplete=\"new-password\"");
        add_described_by(page, failed, "password-hint");
        text_add(page, ">\n<p class=\"hint\" id=\"password-hint\">At least 8 characters.</p>\n");
    } else {
        text_add(page, " autocomplete=\"current-password\"");
        text_add(page, failed ? " aria-invalid=\"true\" aria-describedby=\"error\"" : "");
        text_add(page, ">\n");
    }
}

struct text page_signup(const struct session *session, const char *name, const char *error) {
    struct text page = begin("Sign up", error != NULL);

    add_error(&page, error);
    begin_form(&page, session, "/signup");
    add_credentials(&page, name, error != NULL, 1);
    text_add(&page, "<button>Continue</button>\n</form>\n"
                    "<p class=\"more\">Signed up already? <a href=\"/login\">Log in</a></p>\n");
    return end(page);
}

struct text page_login(const struct session *session, const char *name, const char *error) {
    struct text page = begin("Log in", error != NULL);

    add_notice(&page, session);
    add_error(&page, error);
    begin_form(&page, session, "/login");
    add_credentials(&page, name, error != NULL, 0);
    text_add(&page, "<button>Continue</button>\n</form>\n"
                    "<p class=\"more\">New here? <a href=\"/signup\">Sign up</a></p>\n");
    return end(page);
}

/*
 * One text for a wrong code and a used one: whoever guesses learns nothing from it, and the user
 * learns the one thing that helps, how long to wait. What is no code at all is told so.
 */
static void add_verdict(struct text *page, const struct verdict *verdict) {
    char when[160];
    int minutes = verdict != NULL && verdict->wait_s >= 120;

    if (verdict == NULL)
        return;
    if (verdict->malformed) {
        add_error(page, "A code has six digits. Type in the one that the app shows now.");
        return;
    }
    if (verdict->wait_s > 0)
        snprintf(when, sizeof when,
                 verdict->locked ? "The code was not accepted. The next one can be tried in %ld %s."
                                 : "The code was not accepted. Each code works once; "
                                   "the app shows a new one in %ld %s.",
                 minutes ? (verdict->wait_s + 59) / 60 : verdict->wait_s,
                 minutes                ? "minutes"
                 : verdict->wait_s == 1 ? "second"
                                        : "seconds");
    else
        snprintf(when, sizeof when, "%s",
                 verdict->wait_s < 0 ? "The code was not accepted. No more codes can be tried for "
                                       "this account: ask whoever runs this site."
                                     : "The code was not accepted. Try again in a minute.");
    add_error(page, when);
}

/* `focused` for a page that is about the code alone: elsewhere it would scroll the QR code away. */
static void add_code(struct text *page, const struct verdict *verdict, int focused) {
    text_add(page, "<label for=\"code\">Code from the app</label>\n"
                   "<input id=\"code\" name=\"code\" class=\"code\" autocomplete=\"one-time-code\" "
                   "inputmode=\"numeric\" maxlength=\"16\" required");
    text_add(page, focused ? " autofocus" : "");
    add_described_by(page, verdict != NULL, "code-hint");
    text_add(page, ">\n<p class=\"hint\" id=\"code-hint\">6 digits, new every 30 seconds.</p>\n");
}

static void add_way_out(struct text *page, const struct session *session, const char *label) {
    begin_form(page, session, "/logout");
    text_add(page, "<button class=\"quiet\">");
    text_add(page, label);
    text_add(page, "</button>\n</form>\n");
}

/* By fours, which people can follow; the blanks are for the eye and a copy has none. */
static void add_secret(struct text *page, const char *secret) {
    char group[5];

    text_add(page,
             "<details open>\n<summary>Cannot scan it?</summary>\n<p>Add a time-based account by "
             "hand and type in this secret:</p>\n<p class=\"secret\">");
    while (*secret != '\0') {
        snprintf(group, sizeof group, "%.4s", secret);
        text_add(page, "<span>");
        text_add_escaped(page, group);
        text_add(page, "</span>");
        secret += strlen(group);
        text_add(page, *secret != '\0' ? "<wbr>" : "");
    }
    text_add(page, "</p>\n</details>\n");
}

struct text page_enroll(const struct session *session, const char *qr,
                        const struct verdict *verdict) {
    struct text page = begin("Set up your second factor", verdict != NULL);

    add_verdict(&page, verdict);
    text_add(&page,
             "<ol>\n<li>\n<p>Scan this with an authenticator app.</p>\n"
             "<p class=\"qr\"><img alt=\"QR code with the secret that stands below it as text\" "
             "src=\"");
    text_add_escaped(&page, qr);
    text_add(&page, "\"></p>\n");
    add_secret(&page, session->pending.secret);
    text_add(&page, "</li>\n<li>\n<p>Type in the code it shows.</p>\n");
    begin_form(&page, session, "/enroll");
    add_code(&page, verdict, verdict != NULL);
    text_add(&page, "<button>Confirm</button>\n</form>\n</li>\n</ol>\n");
    add_way_out(&page, session, "Start again");
    return end(page);
}

struct text page_code(const struct session *session, const struct verdict *verdict) {
    struct text page = begin("Enter your code", verdict != NULL);

    add_verdict(&page, verdict);
    begin_form(&page, session, "/code");
    add_code(&page, verdict, 1);
    text_add(&page, "<button>Log in</button>\n</form>\n");
    add_way_out(&page, session, "Start again");
    return end(page);
}

struct text page_home(const struct session *session) {
    struct text page = begin("You are logged in", 0);

    text_add(&page, "<p>Hello, <strong>");
    text_add_escaped(&page, session->user->name);
    text_add(&page,
             "</strong>. Your password and a code that was used once brought you here.</p>\n");
    begin_form(&page, session, "/logout");
    text_add(&page, "<button>Log out</button>\n</form>\n");
    return end(page);
}

struct text page_message(const char *title, const char *message) {
    struct text page = begin(title, 1);

    add_error(&page, message);
    text_add(&page, "<p class=\"more\"><a href=\"/\">To the start</a></p>\n");
    return end(page);
}
