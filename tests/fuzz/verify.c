/* factor2_verify: nothing is accepted but the right code for the secret in the request. */
#include "fuzz.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define MOST_STEPS 3

/* Windows of steps whose codes for this secret are published: RFC 4226 appendix D, RFC 6238 appendix B.
 * One code begins with a zero. Each clock shows one of the steps: together they tell any secret's codes. */
static struct window {
    const char *settings;
    int digits, steps;
    long long first_step, current_step;
    const char *codes[MOST_STEPS];
    factor2_authenticator *verifier, *clocks[MOST_STEPS];
} windows[] = {
    {"\"fixed_time\":59", 6, 3, 0, 1, {"755224", "287082", "359152"}, NULL, {NULL}},
    {"\"fixed_time\":1111111109,\"window\":{\"past\":0}",
     8,
     2,
     37037036,
     37037036,
     {"07081804", "14050471"},
     NULL,
     {NULL}},
};

const char *const never_in_an_error[] = {"GY3TQOJQ", "755224",   "287082", "359152",
                                         "7081804",  "14050471", NULL};

static void code_for(const struct window *in, int step, const char *secret, char code[16]) {
    char request[SECRET_ROOM + 32];
    snprintf(request, sizeof request, "{\"totpsecret\":\"%s\"}", secret);
    result got = succeed(factor2_generate, in->clocks[step], request);
    slice otp = text_of(json_object_get(got.json, "otp"));
    must(otp.len == (size_t)in->digits);
    strcpy(code, otp.at);
    done(&got);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    for (struct window *each = windows; each < windows + 2; each++) {
        char config[192], code[16];
        snprintf(config, sizeof config,
                 "{\"issuer\":\"X\",\"digits\":%d,\"guard\":{\"store\":\"none\"},%s}", each->digits,
                 each->settings);
        each->verifier = authenticator_for(config);
        for (int step = 0; step < each->steps; step++) {
            snprintf(config, sizeof config, "{\"issuer\":\"X\",\"digits\":%d,\"fixed_time\":%lld}",
                     each->digits, (each->first_step + step) * 30 + 15);
            each->clocks[step] = authenticator_for(config);
            code_for(each, step, SECRET, code);
            must(!strcmp(code, each->codes[step]));
        }
    }
    return 0;
}

/* The place in the window of the newest step whose code this is, or -1. */
static int step_of(const char *code, const struct window *in, const char *secret) {
    char right[16];
    for (int step = in->steps - 1; step >= 0; step--) {
        if (!strcmp(secret, SECRET))
            strcpy(right, in->codes[step]);
        else
            code_for(in, step, secret, right);
        if (!strcmp(code, right))
            return step;
    }
    return -1;
}

static void check_accepted(const json_t *request, const struct window *in, result *got,
                           const char *only_secret) {
    static const char *const members[] = {"totpsecret", "otp",   "username", "bind",
                                          "last_step",  "drift", NULL};
    char secret[SECRET_ROOM], code[16];
    only_members(request, members);
    json_t *stored = json_object_get(request, "totpsecret");
    json_t *last = json_object_get(request, "last_step");
    json_t *index = json_object_get(got->json, "index");
    must(json_is_array(stored) == (index != NULL));
    if (index) {
        must(in_range(index, 0, (long long)json_array_size(stored) - 1));
        stored = json_array_get(stored, (size_t)json_integer_value(index));
        if (json_is_array(last))
            last = json_array_get(last, (size_t)json_integer_value(index));
    }
    /* Codes of other steps, and of counters, have judges in other tests. */
    json_t *drift = json_object_get(request, "drift");
    if (is_uri(text_of(stored)) || (drift && !in_range(drift, 0, 0)))
        return;
    int dropped = read_secret(stored, secret);
    must(!only_secret || !strcmp(secret, only_secret));

    must(typed_code(text_of(json_object_get(request, "otp")), in->digits, code));
    int place = step_of(code, in, secret);
    must(place >= 0);
    long long step = in->first_step + place, off = step - in->current_step;
    must(json_is_true(json_object_get(got->json, "accepted")));
    must(in_range(json_object_get(got->json, "step"), step, step));
    must(in_range(json_object_get(got->json, "drift"), off, off));
    must((strlen(secret) < 26 || dropped) == (json_object_get(got->json, "warnings") != NULL));

    json_t *username = json_object_get(request, "username");
    must(!last || in_range(last, -1, step - 1));
    must(!username || json_is_string(username));
}

/* The same text for the other operations that look at codes. */
static void ask_others(slice sent, const struct window *in) {
    result found = call(factor2_resync, in->verifier, sent);
    if (found.status == FACTOR2_OK) {
        must(json_is_true(json_object_get(found.json, "accepted")));
        must(!json_object_get(found.json, "drift") ||
             in_range(json_object_get(found.json, "drift"), -1000, 1000));
    }
    done(&found);
    found = call(factor2_diagnose, in->verifier, sent);
    if (found.status == FACTOR2_OK) {
        must(json_is_boolean(json_object_get(found.json, "right")));
        must(json_is_array(json_object_get(found.json, "findings")));
        must(!json_object_get(found.json, "accepted"));
    }
    done(&found);
}

/* A right code with a part of it replaced by the input, whose first byte says which code and which part. */
static slice almost_right(slice input, const struct window *in) {
    static char typed[MAX_REQUEST];
    int choice = input.len ? (unsigned char)*input.at : 0, replaced = choice / 32 % 3;
    int kept = choice / MOST_STEPS % (in->digits + 1);
    const char *code = in->codes[choice % in->steps];
    const char *tail = kept + replaced < in->digits ? code + kept + replaced : "";
    slice middle = input.len ? (slice){input.at + 1, input.len - 1} : input;
    memcpy(typed, code, (size_t)kept);
    memcpy(typed + kept, middle.at, middle.len);
    strcpy(typed + kept + middle.len, tail);
    return (slice){typed, (size_t)kept + middle.len + strlen(tail)};
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char request[MAX_REQUEST], quoted[MAX_REQUEST];
    char code[16];
    if (!size || size > MAX_REQUEST / 8)
        return 0;
    int mode = (unsigned char)(*data - '0') % 5;
    const struct window *in = &windows[(unsigned char)(*data - '0') / 5 % 2];
    slice input = {(const char *)data + 1, size - 1},
          typed = mode == 2 ? almost_right(input, in) : input;
    slice sent = {request, 0};

    switch (mode) {
    case 0: /* the request itself */ sent = input; break;
    case 1: /* a typed code, put into JSON as it should be */
    case 2:
        quote(typed, quoted, sizeof quoted);
        sent.len = (size_t)sprintf(request, "{\"totpsecret\":\"" SECRET "\",\"otp\":%s}", quoted);
        break;
    case 3: /* a typed code, put into JSON by snprintf alone; the secret before or after it */
        sent.len = (size_t)sprintf(request, "{\"totpsecret\":\"" SECRET "\",\"otp\":\"%.*s\"}",
                                   (int)input.len, input.at);
        break;
    default:
        sent.len = (size_t)sprintf(request, "{\"otp\":\"%.*s\",\"totpsecret\":\"" SECRET "\"}",
                                   (int)input.len, input.at);
    }

    result got = call(factor2_verify, in->verifier, sent);
    int judged = got.status == FACTOR2_OK || got.status == FACTOR2_TOKEN_REUSED;
    json_t *taken = judged ? read_accepted(sent) : NULL;
    if (taken && got.status == FACTOR2_OK)
        check_accepted(taken, in, &got, mode == 0 ? NULL : SECRET);
    if (taken && got.status == FACTOR2_TOKEN_REUSED)
        must(json_object_get(taken, "last_step"));
    json_decref(taken);
    if (mode == 0)
        ask_others(sent, in);
    if (mode == 0 && !memchr(sent.at, 0, sent.len))
        must(status_nul_terminated(factor2_verify, in->verifier, sent) == got.status);
    if (mode == 1 || mode == 2) {
        int right = utf8_valid(typed) && typed_code(typed, in->digits, code) &&
                    step_of(code, in, SECRET) >= 0;
        must(got.status == (right               ? FACTOR2_OK
                            : utf8_valid(typed) ? FACTOR2_INVALID_TOKEN
                                                : FACTOR2_BAD_REQUEST));
    }
    done(&got);
    return 0;
}
