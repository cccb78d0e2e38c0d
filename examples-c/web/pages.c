#include "pages.h"

#include <stdio.h>
#include <string.h>

#include "parts.h"

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
        part_described_by(page, failed, "password-hint");
        text_add(page, ">\n<p class=\"hint\" id=\"password-hint\">At least 8 characters.</p>\n");
    } else {
        text_add(page, " autocomplete=\"current-password\"");
        text_add(page, failed ? " aria-invalid=\"true\" aria-describedby=\"error\"" : "");
        text_add(page, ">\n");
    }
}

struct text page_signup(const struct session *session, const char *name, const char *error) {
    struct text page = part_begin("Sign up", error != NULL);

    part_error(&page, error);
    part_form(&page, session, "/signup");
    add_credentials(&page, name, error != NULL, 1);
    text_add(&page, "<button>Continue</button>\n</form>\n"
                    "<p class=\"more\">Signed up already? <a href=\"/login\">Log in</a></p>\n");
    return part_end(page);
}

struct text page_login(const struct session *session, const char *name, const char *error) {
    struct text page = part_begin("Log in", error != NULL);

    part_notice(&page, session);
    part_error(&page, error);
    part_form(&page, session, "/login");
    add_credentials(&page, name, error != NULL, 0);
    text_add(&page, "<button>Continue</button>\n</form>\n"
                    "<p class=\"more\">New here? <a href=\"/signup\">Sign up</a></p>\n");
    return part_end(page);
}

/*
 * One text for a wrong code and a used one: whoever guesses learns nothing from it, and the user
 * learns the one thing that helps, how long to wait. What is no code at all is told so.
 */
static void add_verdict(struct text *page, const struct verdict *verdict) {
    char duration[DURATION_SIZE], when[160];

    if (verdict == NULL)
        return;
    if (verdict->locked) {
        part_locked(page, verdict);
        return;
    }
    if (verdict->malformed) {
        part_error(page, "A code has six digits. Type in the one that the app shows now.");
        return;
    }
    if (verdict->wait_s > 0)
        snprintf(when, sizeof when,
                 "The code was not accepted. Each code works once; the app shows a new one in %s.",
                 part_duration(verdict->wait_s, duration));
    else
        strcpy(when, "The code was not accepted. Try again in a minute.");
    part_error(page, when);
}

/* `focused` for a page that is about the code alone: elsewhere it would scroll the QR code away. */
static void add_code(struct text *page, const struct verdict *verdict, int focused) {
    text_add(page, "<label for=\"code\">Code from the app</label>\n"
                   "<input id=\"code\" name=\"code\" class=\"code\" autocomplete=\"one-time-code\" "
                   "inputmode=\"numeric\" maxlength=\"16\" required");
    text_add(page, focused ? " autofocus" : "");
    part_described_by(page, verdict != NULL, "code-hint");
    text_add(page, ">\n<p class=\"hint\" id=\"code-hint\">6 digits, new every 30 seconds.</p>\n");
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

struct text page_enroll(const struct session *session, const struct enrollment *enrollment,
                        const struct verdict *verdict) {
    struct text page = part_begin("Set up your second factor", verdict != NULL);

    add_verdict(&page, verdict);
    text_add(&page, "<ol>\n<li>\n<p>Scan this with an authenticator app.</p>\n"
                    "<div class=\"qr\" role=\"img\" "
                    "aria-label=\"QR code with the secret that stands below it as text\">");
    text_add(&page, enrollment->qr);
    text_add(&page, "</div>\n");
    add_secret(&page, enrollment->secret);
    text_add(&page, "</li>\n<li>\n<p>Type in the code it shows.</p>\n");
    part_form(&page, session, "/enroll");
    add_code(&page, verdict, verdict != NULL);
    text_add(&page, "<button>Confirm</button>\n</form>\n</li>\n</ol>\n");
    part_button(&page, session, "/logout", "Start again", "quiet");
    return part_end(page);
}

struct text page_code(const struct session *session, const struct verdict *verdict) {
    struct text page = part_begin("Enter your code", verdict != NULL);

    add_verdict(&page, verdict);
    part_form(&page, session, "/code");
    add_code(&page, verdict, 1);
    text_add(&page, "<button>Log in</button>\n</form>\n"
                    "<p class=\"more\"><a href=\"/recovery\">I lost my phone</a></p>\n");
    part_button(&page, session, "/logout", "Start again", "quiet");
    return part_end(page);
}

static void add_remaining(struct text *page, long remaining) {
    char text[160];

    if (remaining == 0)
        strcpy(text, "You have no recovery codes: without the phone you cannot log in.");
    else
        snprintf(text, sizeof text, "You have %ld recovery %s left, for when the phone is lost.%s",
                 remaining, remaining == 1 ? "code" : "codes",
                 remaining <= 3 ? " Make new ones soon." : "");
    text_add(page, "<p>");
    text_add_escaped(page, text);
    text_add(page, "</p>\n");
}

struct text page_home(const struct session *session, long remaining) {
    struct text page = part_begin("You are logged in", 0);

    part_notice(&page, session);
    text_add(&page, "<p>Hello, <strong>");
    text_add_escaped(&page, session->user->name);
    text_add(&page,
             "</strong>. Your password and a code that was used once brought you here.</p>\n");
    add_remaining(&page, remaining);
    part_button(&page, session, "/logout", "Log out", NULL);
    part_button(&page, session, "/recovery-codes", "Make new recovery codes", "quiet");
    return part_end(page);
}

struct text page_message(const char *title, const char *message) {
    struct text page = part_begin(title, 1);

    part_error(&page, message);
    text_add(&page, "<p class=\"more\"><a href=\"/\">To the start</a></p>\n");
    return part_end(page);
}
