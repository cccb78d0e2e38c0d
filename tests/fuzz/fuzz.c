#include "fuzz.h"

#include <strings.h>

slice slice_of(const char *text) { return (slice){text, strlen(text)}; }

static char *copy_to_the_end_of_its_memory(slice text) {
    char *copy = malloc(text.len ? text.len : 1);
    memcpy(copy, text.at, text.len);
    return copy;
}

static int contains(slice text, const char *needle) {
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++)
        if (!strncasecmp(text.at + i, needle, len))
            return 1;
    return 0;
}

static int never_for_any_text(factor2_status status) {
    return status == FACTOR2_NULL_POINTER || status == FACTOR2_INVALID_HANDLE ||
           status == FACTOR2_UNKNOWN_ERROR || status == FACTOR2_OUT_OF_MEMORY ||
           status == FACTOR2_RANDOM_UNAVAILABLE;
}

static answer checked(factor2_status status, factor2_response *response) {
    answer got = {.status = status, .response = response};
    must(!never_for_any_text(status));
    must(response != NULL);
    got.json.at = factor2_response_json(response, &got.json.len);
    got.data = factor2_response_data(response, &got.data_len);
    must(got.json.at != NULL && strlen(got.json.at) == got.json.len);
    must(json_strict(got.json));
    must((got.data == NULL) == (got.data_len == 0));

    slice error = json_member(got.json, "error"), message = json_member(error, "message");
    must((status == FACTOR2_OK) == (error.at == NULL));
    if (status != FACTOR2_OK) {
        long http = factor2_status_http(status);
        must(json_is_string(json_member(error, "code"), factor2_status_name(status)));
        must(json_in_range(json_member(error, "http_status"), http, http));
        must(message.len > 2 && *message.at == '"');
        must(got.data == NULL);
        must(json_member(got.json, "accepted").at == NULL);
        for (const char *const *text = never_in_an_error; *text; text++)
            must(!contains(got.json, *text));
    }
    return got;
}

static factor2_response *const poison = (factor2_response *)1;

answer call(operation op, const factor2_authenticator *authenticator, slice request) {
    factor2_response *response = poison;
    char *text = copy_to_the_end_of_its_memory(request);
    factor2_status status = op(authenticator, text, request.len, &response);
    free(text);
    return checked(status, response);
}

answer new_authenticator(slice config, factor2_authenticator **authenticator) {
    factor2_response *response = poison;
    *authenticator = (factor2_authenticator *)poison;
    char *text = copy_to_the_end_of_its_memory(config);
    factor2_status status = factor2_authenticator_new(text, config.len, authenticator, &response);
    free(text);
    must((status == FACTOR2_OK) == (*authenticator != NULL));
    return checked(status, response);
}

answer succeed(operation op, const factor2_authenticator *authenticator, const char *request) {
    answer got = call(op, authenticator, slice_of(request));
    must(got.status == FACTOR2_OK);
    return got;
}

factor2_authenticator *authenticator_for(const char *config) {
    factor2_authenticator *authenticator;
    answer got = new_authenticator(slice_of(config), &authenticator);
    must(got.status == FACTOR2_OK);
    done(&got);
    return authenticator;
}

factor2_status status_nul_terminated(operation op, const factor2_authenticator *authenticator,
                                     slice request) {
    char *text = malloc(request.len + 1);
    memcpy(text, request.at, request.len);
    text[request.len] = 0;
    factor2_status status = op(authenticator, text, FACTOR2_NUL_TERMINATED, NULL);
    free(text);
    return status;
}

void done(answer *got) {
    factor2_response_free(got->response);
    *got = (answer){0};
}

slice read_text(slice json_string) {
    static char texts[8][MAX_REQUEST];
    static unsigned next;
    char *text = texts[next++ % 8];
    long len = json_decode(json_string, text, MAX_REQUEST);
    must(len >= 0);
    return (slice){text, (size_t)len};
}

int read_secret(slice json_string, char secret[SECRET_ROOM]) {
    int read = base32_secret(read_text(json_string), secret);
    must(read);
    return read == 2;
}

void only_members(slice object, const char *const *names) {
    slice name, value;
    while (json_next(&object, &name, &value)) {
        const char *const *known = names;
        while (*known && !json_is_string(name, *known))
            known++;
        must(*known != NULL);
    }
}
