#include "steps.h"

#include "pages.h"

int step_is_at(const struct request *request, enum stage stage) {
    return request->session != NULL && request->session->stage == stage;
}

int step_has_codes(const struct request *request) {
    return request->session != NULL && request->session->codes.count > 0;
}

const char *step_next_page(const struct request *request) {
    if (step_has_codes(request))
        return "/recovery-codes";
    switch (request->session != NULL ? request->session->stage : SESSION_FREE) {
    case SESSION_ENROLLING: return "/enroll";
    case SESSION_PASSWORD: return "/code";
    case SESSION_LOGGED_IN: return "/";
    default: return "/login";
    }
}

int step_move_to(struct request *request, enum stage stage, const struct user *user) {
    if (request->session != NULL)
        session_end(request->session);
    request->session = sessions_new(&request->site->sessions, stage, user, request->from);
    return request->session != NULL;
}

enum MHD_Result step_fail(struct request *request, unsigned status, const char *title,
                          const char *message) {
    struct text page = page_message(title, message);

    return http_page(request, status, &page, 0);
}

enum MHD_Result step_not_now(struct request *request) {
    return step_fail(request, 500, "Not now", "Something went wrong here. Try again later.");
}
