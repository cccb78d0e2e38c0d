#define _DEFAULT_SOURCE /* explicit_bzero */

#include "flow.h"

#include <string.h>

#include "factor.h"
#include "pages.h"

static enum MHD_Result fail(struct request *request, unsigned status, const char *title,
                            const char *message) {
    struct text page = page_message(title, message);

    return http_page(request, status, &page, 0);
}

/*
 * Moves the session on: new id, new token, nothing kept of the stage before. Whoever knew the old id, or
 * planted it, has nothing. Gives 0 if that cannot be.
 */
static int move_to(struct request *request, enum stage stage, const struct user *user) {
    if (request->session != NULL)
        session_end(request->session);
    request->session = sessions_new(&request->site->sessions, stage, user, request->from);
    return request->session != NULL;
}

static enum MHD_Result not_now(struct request *request) {
    return fail(request, 500, "Not now", "Something went wrong here. Try again later.");
}

/* A form needs a session for its token. */
static int have_session(struct request *request) {
    return request->session != NULL || move_to(request, SESSION_ANONYMOUS, NULL);
}

/* The password's hash is made, and then the same handler runs again, with request->hash. */
static enum MHD_Result hash_first(struct request *request, char password[PASSWORD_SIZE],
                                  const char *like) {
    int queued = http_hash(request, password, like);
    struct text page;

    explicit_bzero(password, PASSWORD_SIZE);
    if (queued)
        return MHD_YES;
    page = page_message("Busy", "Too many people are here. Try again in a few seconds.");
    return http_page(request, 503, &page, 2);
}

/* Where a session stands: the page that comes next for it. */
static const char *next_page(const struct request *request) {
    switch (request->session != NULL ? request->session->stage : SESSION_FREE) {
    case SESSION_ENROLLING: return "/enroll";
    case SESSION_PASSWORD: return "/code";
    case SESSION_LOGGED_IN: return "/";
    default: return "/login";
    }
}

static int is_at(const struct request *request, enum stage stage) {
    return request->session != NULL && request->session->stage == stage;
}

static enum MHD_Result get_home(struct request *request) {
    struct text page;

    if (!is_at(request, SESSION_LOGGED_IN))
        return http_redirect(request, next_page(request));
    page = page_home(request->session);
    return http_page(request, 200, &page, 0);
}

static enum MHD_Result get_style(struct request *request) { return http_style(request, style_css); }

/* ---- Sign up */

static enum MHD_Result signup_page(struct request *request, unsigned status, const char *name,
                                   const char *error) {
    struct text page = page_signup(request->session, name, error);

    return http_page(request, status, &page, 0);
}

static enum MHD_Result get_signup(struct request *request) {
    if (!have_session(request))
        return not_now(request);
    if (!is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, next_page(request));
    return signup_page(request, 200, "", NULL);
}

/* Makes the secret. It stays in the session until a code confirms it. */
static enum MHD_Result begin_enrollment(struct request *request, struct user *user) {
    strcpy(user->hash, request->hash);
    if (!factor_create(request->site->authenticator, user))
        return signup_page(request, 400, user->name,
                           "A user name may hold nothing that cannot be seen.");
    if (user->hash[0] == '\0' || !move_to(request, SESSION_ENROLLING, NULL))
        return not_now(request);
    request->session->pending = *user;
    return http_redirect(request, "/enroll");
}

static enum MHD_Result post_signup(struct request *request) {
    struct user user;
    char password[PASSWORD_SIZE];
    enum MHD_Result result;

    if (!is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, next_page(request));
    memset(&user, 0, sizeof user);
    if (!http_field(request, "name", user.name, sizeof user.name) || user.name[0] == '\0')
        return signup_page(request, 400, "", "Give a user name of 1 to 64 bytes.");
    if (!http_field(request, "password", password, sizeof password) ||
        strlen(password) < PASSWORD_MIN)
        result = signup_page(request, 400, user.name, "Give a password of 8 to 128 characters.");
    else if (request->site->users.count == USERS_MAX)
        result = fail(request, 503, "Full", "This demo takes 100 users.");
    else if (users_find(&request->site->users, user.name) != NULL)
        result = signup_page(request, 409, user.name, "This user name is taken.");
    else if (request->hash == NULL)
        result = hash_first(request, password, "");
    else
        result = begin_enrollment(request, &user);
    explicit_bzero(password, sizeof password);
    explicit_bzero(&user, sizeof user);
    return result;
}

static enum MHD_Result enroll_page(struct request *request, const struct verdict *verdict) {
    char qr[QR_SIZE];
    struct text page;

    if (!factor_qr(request->site->authenticator, &request->session->pending, qr))
        return fail(request, 500, "Not now", "The QR code could not be drawn. Try again later.");
    page = page_enroll(request->session, qr, verdict);
    explicit_bzero(qr, sizeof qr);
    return http_page(request, verdict != NULL ? (unsigned)verdict->http : 200, &page,
                     verdict != NULL && verdict->locked ? verdict->wait_s : 0);
}

static enum MHD_Result get_enroll(struct request *request) {
    if (!is_at(request, SESSION_ENROLLING))
        return http_redirect(request, next_page(request));
    return enroll_page(request, NULL);
}

/* Checks the code of a form. One that does not even fit is no code. */
static struct verdict check_code(const struct request *request, const char *secret) {
    char code[32];
    struct verdict verdict;

    if (!http_field(request, "code", code, sizeof code))
        code[0] = '\0';
    verdict = factor_verify(request->site->authenticator, secret, code);
    explicit_bzero(code, sizeof code);
    return verdict;
}

static enum MHD_Result post_enroll(struct request *request) {
    struct verdict verdict;
    int added;

    if (!is_at(request, SESSION_ENROLLING))
        return http_redirect(request, next_page(request));
    verdict = check_code(request, request->session->pending.secret);
    if (verdict.http != 200)
        return enroll_page(request, &verdict);
    added = users_add(&request->site->users, &request->session->pending);
    if (!move_to(request, SESSION_ANONYMOUS, NULL))
        return not_now(request);
    if (!added) /* somebody else confirmed this name first */
        return signup_page(request, 409, "", "This user name is taken.");
    request->session->notice =
        "Your second factor is set up. Log in with it now: the code that you "
        "just typed is used up, so wait until the app shows the next one.";
    return http_redirect(request, "/login");
}

/* ---- Log in. A real program slows down guesses of passwords, too; this one shows the second factor. */

static enum MHD_Result get_login(struct request *request) {
    struct text page;

    if (!have_session(request))
        return not_now(request);
    if (!is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, next_page(request));
    page = page_login(request->session, "", NULL);
    request->session->notice = NULL;
    return http_page(request, 200, &page, 0);
}

static enum MHD_Result post_login(struct request *request) {
    char name[NAME_SIZE] = "", password[PASSWORD_SIZE];
    const struct user *user = NULL;
    const char *hash;
    struct text page;

    if (!is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, next_page(request));
    if (http_field(request, "name", name, sizeof name) &&
        http_field(request, "password", password, sizeof password)) {
        user = users_find(&request->site->users, name);
        hash = users_hash(&request->site->users, user);
        if (request->hash == NULL)
            return hash_first(request, password, hash);
        if (!text_equal_secretly(request->hash, hash))
            user = NULL;
    }
    explicit_bzero(password, sizeof password);
    if (user == NULL) {
        page = page_login(request->session, name, "The user name or the password is wrong.");
        return http_page(request, 401, &page, 0);
    }
    if (!move_to(request, SESSION_PASSWORD, user))
        return not_now(request);
    return http_redirect(request, "/code");
}

static enum MHD_Result get_code(struct request *request) {
    struct text page;

    if (!is_at(request, SESSION_PASSWORD))
        return http_redirect(request, next_page(request));
    page = page_code(request->session, NULL);
    return http_page(request, 200, &page, 0);
}

static enum MHD_Result post_code(struct request *request) {
    const struct user *user;
    struct verdict verdict;
    struct text page;

    if (!is_at(request, SESSION_PASSWORD))
        return http_redirect(request, next_page(request));
    user = request->session->user;
    verdict = check_code(request, user->secret);
    if (verdict.http != 200) {
        page = page_code(request->session, &verdict);
        return http_page(request, (unsigned)verdict.http, &page,
                         verdict.locked ? verdict.wait_s : 0);
    }
    if (!move_to(request, SESSION_LOGGED_IN, user))
        return not_now(request);
    return http_redirect(request, "/");
}

static enum MHD_Result post_logout(struct request *request) {
    session_end(request->session);
    request->session = NULL;
    return http_redirect(request, "/login");
}

const struct route *flow_route(const char *path) {
    static const struct route routes[] = {
        {"/", get_home, NULL},
        {"/style.css", get_style, NULL},
        {"/signup", get_signup, post_signup},
        {"/enroll", get_enroll, post_enroll},
        {"/login", get_login, post_login},
        {"/code", get_code, post_code},
        {"/logout", NULL, post_logout},
    };
    size_t i;

    for (i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}
