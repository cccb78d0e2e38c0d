#define _DEFAULT_SOURCE /* explicit_bzero */

#include "recovery.h"

#include <string.h>

#include "pages.h"
#include "pages_recovery.h"
#include "steps.h"

/* ---- In the place of a code */

enum MHD_Result recovery_get(struct request *request) {
    struct text page;

    if (!step_is_at(request, SESSION_PASSWORD))
        return http_redirect(request, step_next_page(request));
    page = page_recovery(request->session, NULL);
    return http_page(request, 200, &page, 0);
}

enum MHD_Result recovery_post(struct request *request) {
    char code[128];
    const struct user *user;
    struct verdict verdict;
    struct text page;

    if (!step_is_at(request, SESSION_PASSWORD))
        return http_redirect(request, step_next_page(request));
    user = request->session->user;
    if (!http_field(request, "recovery", code, sizeof code))
        code[0] = '\0';
    verdict = factor_recover(request->site->authenticator, user, code);
    explicit_bzero(code, sizeof code);
    if (verdict.http != 200) {
        page = page_recovery(request->session, &verdict);
        return http_page(request, (unsigned)verdict.http, &page,
                         verdict.locked ? verdict.wait_s : 0);
    }
    if (!step_move_to(request, SESSION_LOGGED_IN, user))
        return step_not_now(request);
    request->session->notice = "That recovery code is used up: cross it out.";
    return http_redirect(request, "/");
}

/* ---- New codes. The first ones are in force at once; others, once the user has saved them. */

enum MHD_Result recovery_get_codes(struct request *request) {
    struct text page;

    if (!step_has_codes(request))
        return http_redirect(request, step_next_page(request));
    page = page_recovery_codes(request->session, NULL);
    return http_page(request, 200, &page, 0);
}

enum MHD_Result recovery_get_file(struct request *request) {
    struct text file;

    if (!step_has_codes(request))
        return http_redirect(request, step_next_page(request));
    file = page_recovery_file(request->session);
    return http_file(request, &file, "factor2-recovery-codes.txt");
}

enum MHD_Result recovery_post_codes(struct request *request) {
    if (step_is_at(request, SESSION_LOGGED_IN) && !step_has_codes(request) &&
        !factor_make_codes(request->site->authenticator, &request->session->codes))
        return step_not_now(request);
    return http_redirect(request, step_next_page(request));
}

enum MHD_Result recovery_post_saved(struct request *request) {
    struct session *session = request->session;
    char saved[8];
    struct text page;

    if (!step_has_codes(request))
        return http_redirect(request, step_next_page(request));
    if (!http_field(request, "saved", saved, sizeof saved)) {
        page = page_recovery_codes(session,
                                   "Save the codes first. You need them if the phone is lost.");
        return http_page(request, 400, &page, 0);
    }
    if (session->stage == SESSION_LOGGED_IN) {
        users_set_recovery(&request->site->users, session->user, session->codes.recovery);
        explicit_bzero(&session->codes, sizeof session->codes);
        session->notice = "Your new recovery codes are in force. The old ones are void.";
        return http_redirect(request, "/");
    }
    if (!step_move_to(request, SESSION_ANONYMOUS, NULL))
        return step_not_now(request);
    request->session->notice =
        "Your second factor is set up. Log in with it now: the code that you "
        "just typed is used up, so wait until the app shows the next one.";
    return http_redirect(request, "/login");
}
