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

/* Each member of the response, one level deep, is the same as text. */
static void must_be_told_as_text(const factor2_response *response, json_t *object) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        size_t len;
        const char *told = factor2_response_text(response, name, &len);
        must(told != NULL && told[len] == 0);
        if (json_is_string(value))
            must(len == json_string_length(value) && !memcmp(told, json_string_value(value), len));
        else
            must(*told != '"');
    }
    must(factor2_response_text(response, "nothing", NULL) == NULL);
}

static result checked(factor2_status status, factor2_response *response) {
    result got = {.status = status, .response = response};
    int unsure;
    must(!never_for_any_text(status));
    must(response != NULL);
    got.text.at = factor2_response_json(response, &got.text.len);
    got.data = factor2_response_data(response, &got.data_len);
    must(got.text.at != NULL && strlen(got.text.at) == got.text.len);
    got.json = read_json(got.text, &unsure);
    must(got.json != NULL);
    must_be_told_as_text(got.response, got.json);
    must((got.data == NULL) == (got.data_len == 0));

    json_t *error = json_object_get(got.json, "error");
    must((status == FACTOR2_OK) == (error == NULL));
    if (status != FACTOR2_OK) {
        long http = factor2_status_http(status);
        must(is_text(json_object_get(error, "code"), factor2_status_name(status)));
        must(in_range(json_object_get(error, "http_status"), http, http));
        must(text_of(json_object_get(error, "message")).len > 0);
        must(got.data == NULL);
        must(json_object_get(got.json, "accepted") == NULL);
        for (const char *const *text = never_in_an_error; *text; text++)
            must(!contains(got.text, *text));
    }
    return got;
}

static factor2_response *const poison = (factor2_response *)1;

result call(factor2_operation operation, const factor2_authenticator *authenticator,
            slice request) {
    factor2_response *response = poison;
    char *text = copy_to_the_end_of_its_memory(request);
    factor2_status status = operation(authenticator, text, request.len, &response);
    free(text);
    return checked(status, response);
}

result new_authenticator(slice config, factor2_authenticator **authenticator) {
    factor2_response *response = poison;
    *authenticator = (factor2_authenticator *)poison;
    char *text = copy_to_the_end_of_its_memory(config);
    factor2_status status = factor2_authenticator_new(text, config.len, authenticator, &response);
    free(text);
    must((status == FACTOR2_OK) == (*authenticator != NULL));
    return checked(status, response);
}

result succeed(factor2_operation operation, const factor2_authenticator *authenticator,
               const char *request) {
    result got = call(operation, authenticator, slice_of(request));
    must(got.status == FACTOR2_OK);
    return got;
}

factor2_authenticator *authenticator_for(const char *config) {
    factor2_authenticator *authenticator;
    result got = new_authenticator(slice_of(config), &authenticator);
    must(got.status == FACTOR2_OK);
    done(&got);
    return authenticator;
}

factor2_status status_nul_terminated(factor2_operation operation,
                                     const factor2_authenticator *authenticator, slice request) {
    char *text = malloc(request.len + 1);
    memcpy(text, request.at, request.len);
    text[request.len] = 0;
    factor2_status status = operation(authenticator, text, FACTOR2_NUL_TERMINATED, NULL);
    free(text);
    return status;
}

void done(result *got) {
    json_decref(got->json);
    factor2_response_free(got->response);
    *got = (result){0};
}

int read_secret(const json_t *string, char secret[SECRET_ROOM]) {
    int read = base32_secret(text_of(string), secret);
    must(read);
    return read == 2;
}

void only_members(const json_t *object, const char *const *names) {
    const char *name;
    json_t *value;
    must(json_is_object(object));
    json_object_foreach((json_t *)object, name, value) {
        const char *const *known = names;
        while (*known && strcmp(name, *known))
            known++;
        must(*known != NULL);
    }
}

slice almost(const char *good, slice input, char *text) {
    size_t len = strlen(good), kept = 0, replaced = 0;
    if (input.len >= 2) {
        kept = (unsigned char)input.at[0] % (len + 1);
        replaced = (unsigned char)input.at[1] % 8;
        input = (slice){input.at + 2, input.len - 2};
    }
    size_t behind = kept + replaced < len ? kept + replaced : len;
    memcpy(text, good, kept);
    memcpy(text + kept, input.at, input.len);
    memcpy(text + kept + input.len, good + behind, len - behind);
    return (slice){text, kept + input.len + len - behind};
}
