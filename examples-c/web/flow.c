#define _DEFAULT_SOURCE /* explicit_bzero */

#include "flow.h"

#include <string.h>

#include "factor.h"
#include "pages.h"
#include "recovery.h"
#include "steps.h"

/* A form needs a session for its token. */
static int have_session(struct request *request) {
    return request->session != NULL || step_move_to(request, SESSION_ANONYMOUS, NULL);
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

static enum MHD_Result get_home(struct request *request) {
    struct text page;

    if (!step_is_at(request, SESSION_LOGGED_IN) || step_has_codes(request))
        return http_redirect(request, step_next_page(request));
    page = page_home(request->session,
                     factor_remaining(request->site->authenticator, request->session->user));
    request->session->notice = NULL;
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
        return step_not_now(request);
    if (!step_is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, step_next_page(request));
    return signup_page(request, 200, "", NULL);
}

/* Makes the secret. It stays in the session until a code confirms it. */
static enum MHD_Result begin_enrollment(struct request *request, struct user *user) {
    strcpy(user->hash, request->hash);
    if (!factor_create(request->site->authenticator, user))
        return signup_page(request, 400, user->name,
                           "A user name may hold nothing that cannot be seen.");
    if (user->hash[0] == '\0' || !step_move_to(request, SESSION_ENROLLING, NULL))
        return step_not_now(request);
    request->session->pending = *user;
    return http_redirect(request, "/enroll");
}

static enum MHD_Result post_signup(struct request *request) {
    struct user user;
    char password[PASSWORD_SIZE];
    enum MHD_Result result;

    if (!step_is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, step_next_page(request));
    memset(&user, 0, sizeof user);
    if (!http_field(request, "name", user.name, sizeof user.name) || user.name[0] == '\0')
        return signup_page(request, 400, "", "Give a user name of 1 to 64 bytes.");
    if (!http_field(request, "password", password, sizeof password) ||
        strlen(password) < PASSWORD_MIN)
        result = signup_page(request, 400, user.name, "Give a password of 8 to 128 characters.");
    else if (request->site->users.count == USERS_MAX)
        result = step_fail(request, 503, "Full", "This demo takes 100 users.");
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
    struct enrollment enrollment;
    struct text page;

    if (!factor_show(request->site->authenticator, &request->session->pending, &enrollment))
        return step_fail(request, 500, "Not now",
                         "The QR code could not be drawn. Try again later.");
    page = page_enroll(request->session, &enrollment, verdict);
    explicit_bzero(&enrollment, sizeof enrollment);
    return http_page(request, verdict != NULL ? (unsigned)verdict->http : 200, &page,
                     verdict != NULL && verdict->locked ? verdict->wait_s : 0);
}

static enum MHD_Result get_enroll(struct request *request) {
    if (!step_is_at(request, SESSION_ENROLLING))
        return http_redirect(request, step_next_page(request));
    return enroll_page(request, NULL);
}

/* Checks the code of a form. One that does not even fit is no code. */
static struct verdict check_code(const struct request *request, const struct user *user) {
    char code[32];
    struct verdict verdict;

    if (!http_field(request, "code", code, sizeof code))
        code[0] = '\0';
    verdict = factor_verify(request->site->authenticator, user, code);
    explicit_bzero(code, sizeof code);
    return verdict;
}

/* The user counts from now on. What is left is to save the recovery codes. */
static enum MHD_Result add_user(struct request *request, const struct user *user,
                                const struct recovery_codes *codes) {
    struct users *users = &request->site->users;

    if (!users_add(users, user)) /* somebody else confirmed this name first */
        return step_move_to(request, SESSION_ANONYMOUS, NULL)
                   ? signup_page(request, 409, "", "This user name is taken.")
                   : step_not_now(request);
    if (!step_move_to(request, SESSION_SAVING, users_find(users, user->name)))
        return step_not_now(request);
    request->session->codes = *codes;
    return http_redirect(request, step_next_page(request));
}

static enum MHD_Result end_enrollment(struct request *request) {
    struct user user = request->session->pending;
    struct recovery_codes codes;
    enum MHD_Result result;

    if (!factor_make_codes(request->site->authenticator, &codes))
        return step_not_now(request);
    strcpy(user.recovery, codes.recovery);
    result = add_user(request, &user, &codes);
    explicit_bzero(&user, sizeof user);
    explicit_bzero(&codes, sizeof codes);
    return result;
}

static enum MHD_Result post_enroll(struct request *request) {
    struct verdict verdict;

    if (!step_is_at(request, SESSION_ENROLLING))
        return http_redirect(request, step_next_page(request));
    verdict = check_code(request, &request->session->pending);
    return verdict.http == 200 ? end_enrollment(request) : enroll_page(request, &verdict);
}

/* ---- Log in. A real program slows down guesses of passwords, too; this one shows the second factor. */

static enum MHD_Result get_login(struct request *request) {
    struct text page;

    if (!have_session(request))
        return step_not_now(request);
    if (!step_is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, step_next_page(request));
    page = page_login(request->session, "", NULL);
    request->session->notice = NULL;
    return http_page(request, 200, &page, 0);
}

static enum MHD_Result post_login(struct request *request) {
    char name[NAME_SIZE] = "", password[PASSWORD_SIZE];
    const struct user *user = NULL;
    const char *hash;
    struct text page;

    if (!step_is_at(request, SESSION_ANONYMOUS))
        return http_redirect(request, step_next_page(request));
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
    if (!step_move_to(request, SESSION_PASSWORD, user))
        return step_not_now(request);
    return http_redirect(request, "/code");
}

static enum MHD_Result get_code(struct request *request) {
    struct text page;

    if (!step_is_at(request, SESSION_PASSWORD))
        return http_redirect(request, step_next_page(request));
    page = page_code(request->session, NULL);
    return http_page(request, 200, &page, 0);
}

static enum MHD_Result post_code(struct request *request) {
    const struct user *user;
    struct verdict verdict;
    struct text page;

    if (!step_is_at(request, SESSION_PASSWORD))
        return http_redirect(request, step_next_page(request));
    user = request->session->user;
    verdict = check_code(request, user);
    if (verdict.http != 200) {
        page = page_code(request->session, &verdict);
        return http_page(request, (unsigned)verdict.http, &page,
                         verdict.locked ? verdict.wait_s : 0);
    }
    if (!step_move_to(request, SESSION_LOGGED_IN, user))
        return step_not_now(request);
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
        {"/recovery", recovery_get, recovery_post},
        {"/recovery-codes", recovery_get_codes, recovery_post_codes},
        {"/recovery-codes.txt", recovery_get_file, NULL},
        {"/recovery-codes/saved", NULL, recovery_post_saved},
        {"/logout", NULL, post_logout},
    };
    size_t i;

    for (i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}
