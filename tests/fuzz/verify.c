/* factor2_verify and factor2_resync: nothing is accepted but the right codes for the secret in the request;
 * factor2_diagnose: it agrees with factor2_verify, and changes nothing. */
#include "fuzz.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define MOST_STEPS 3
#define LOOK_AHEAD 10
#define FAR 1000 /* steps or counters, for factor2_resync */

/* Windows of steps whose codes for this secret are published: RFC 4226 appendix D, RFC 6238 appendix B.
 * One code begins with a zero. Each clock shows one of the steps: together they tell any secret's codes. */
static struct window {
    const char *settings;
    int digits, steps;
    long long now, first_step, current_step;
    const char *codes[MOST_STEPS];
    factor2_authenticator *verifier, *clocks[MOST_STEPS];
} windows[] = {
    {"\"fixed_time\":59", 6, 3, 59, 0, 1, {"755224", "287082", "359152"}, NULL, {NULL}},
    {"\"fixed_time\":1111111109,\"window\":{\"past\":0}",
     8,
     2,
     1111111109,
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

/* What a stored secret says of codes, with the settings where it says nothing. */
static void read_stored(const json_t *stored, const struct window *in, struct otpauth *read) {
    *read =
        (struct otpauth){.algorithm = "SHA1", .digits = in->digits, .period = 30, .counter = -1};
    if (is_uri(text_of(stored)))
        must(otpauth_uri(text_of(stored), read));
    else
        read_secret(stored, read->secret);
}

/* What was typed is the code that an app shows at this step or counter. */
static void must_be_shown(const json_t *otp, const struct otpauth *read, long long number) {
    char config[128], request[SECRET_ROOM + 128], code[16];
    int is_totp = read->counter < 0;
    sprintf(config, "{\"issuer\":\"X\",\"guard\":{\"store\":\"none\"},\"fixed_time\":%lld}",
            is_totp ? number * read->period : 0);
    sprintf(request,
            "{\"totpsecret\":\"otpauth://%s/a?secret=%s&algorithm=%s&digits=%lld&%s=%lld\"}",
            is_totp ? "totp" : "hotp", read->secret, read->algorithm, read->digits,
            is_totp ? "period" : "counter", is_totp ? read->period : number);
    factor2_authenticator *app = authenticator_for(config);
    result shown = succeed(factor2_generate, app, request);
    must(typed_code(text_of(otp), (int)read->digits, code));
    must(is_text(json_object_get(shown.json, "otp"), code));
    done(&shown);
    factor2_authenticator_free(app);
}

/* Where an accepted code was found, which is as near as `reach` says and newer than the last one; gives its number. */
static long long check_place(const json_t *answer, const struct otpauth *read, long long last,
                             const struct window *in, long long clock_is_off, int reach) {
    json_t *step = json_object_get(answer, "step"), *drift = json_object_get(answer, "drift");
    json_t *counter = json_object_get(answer, "counter");
    must(json_is_true(json_object_get(answer, "accepted")));
    if (read->counter >= 0) {
        long long first = last < read->counter ? read->counter : last + 1;
        must(!step && !drift && in_range(counter, first, first + reach));
        return json_integer_value(counter);
    }
    must(!counter && in_range(step, last + 1, (long long)1 << 40));
    must(json_integer_value(step) - json_integer_value(drift) == in->now / read->period);
    must(in_range(drift, clock_is_off - reach, clock_is_off + reach));
    return json_integer_value(step);
}

static long long integer_or(const json_t *number, long long otherwise) {
    return number ? json_integer_value(number) : otherwise;
}

static void check_accepted(const json_t *request, const struct window *in, result *got,
                           const char *only_secret) {
    static const char *const members[] = {"totpsecret", "otp",   "username", "bind",
                                          "last_step",  "drift", NULL};
    char secret[SECRET_ROOM], code[16];
    only_members(request, members);
    json_t *stored = json_object_get(request, "totpsecret");
    json_t *last = json_object_get(request, "last_step");
    json_t *off = json_object_get(request, "drift");
    json_t *index = json_object_get(got->json, "index");
    must(json_is_array(stored) == (index != NULL));
    if (index) {
        must(in_range(index, 0, (long long)json_array_size(stored) - 1));
        stored = json_array_get(stored, (size_t)json_integer_value(index));
        if (json_is_array(last))
            last = json_array_get(last, (size_t)json_integer_value(index));
        if (json_is_array(off))
            off = json_array_get(off, (size_t)json_integer_value(index));
    }
    if (is_uri(text_of(stored)) || integer_or(off, 0)) {
        struct otpauth read;
        read_stored(stored, in, &read);
        int reach = read.counter < 0 ? 1 : LOOK_AHEAD - 1;
        must_be_shown(
            json_object_get(request, "otp"), &read,
            check_place(got->json, &read, integer_or(last, -1), in, integer_or(off, 0), reach));
        return;
    }
    int dropped = read_secret(stored, secret);
    must(!only_secret || !strcmp(secret, only_secret));

    must(typed_code(text_of(json_object_get(request, "otp")), in->digits, code));
    int place = step_of(code, in, secret);
    must(place >= 0);
    long long step = in->first_step + place, drift = step - in->current_step;
    must(json_is_true(json_object_get(got->json, "accepted")));
    must(in_range(json_object_get(got->json, "step"), step, step));
    must(in_range(json_object_get(got->json, "drift"), drift, drift));
    must((strlen(secret) < 26 || dropped) == (json_object_get(got->json, "warnings") != NULL));

    json_t *username = json_object_get(request, "username");
    must(!last || in_range(last, -1, step - 1));
    must(!username || json_is_string(username));
}

static void check_resynced(const json_t *request, const struct window *in, const result *got) {
    static const char *const members[] = {"totpsecret", "otp",       "next_otp", "username",
                                          "bind",       "last_step", NULL};
    struct otpauth read;
    only_members(request, members);
    read_stored(json_object_get(request, "totpsecret"), in, &read);
    long long last = integer_or(json_object_get(request, "last_step"), -1);
    long long number = check_place(got->json, &read, last, in, 0, FAR);
    must(number - 1 > last && number > read.counter);
    must_be_shown(json_object_get(request, "otp"), &read, number - 1);
    must_be_shown(json_object_get(request, "next_otp"), &read, number);
}

/* The record of the secret in a request. */
static result record_for(const factor2_authenticator *guard, const json_t *request) {
    static char text[MAX_REQUEST];
    json_t *asked = json_copy((json_t *)request);
    const char *const others[] = {"otp", "next_otp", "last_step", "drift"};
    for (int i = 0; i < 4; i++)
        json_object_del(asked, others[i]);
    text[json_dumpb(asked, text, sizeof text - 1, 0)] = 0;
    json_decref(asked);
    return succeed(factor2_inspect, guard, text);
}

/* A code is right if it would be accepted, and no longer once it was tried. */
static void check_diagnosed(slice sent, const json_t *request, const struct window *in,
                            const result *got) {
    char config[128];
    json_t *finding, *right = json_object_get(got->json, "right");
    json_t *findings = json_object_get(got->json, "findings");
    size_t i;
    must(json_is_boolean(right) && json_is_array(findings));
    must(!json_object_get(got->json, "accepted"));
    json_array_foreach(findings, i, finding) {
        double chance = json_real_value(json_object_get(finding, "chance"));
        must(text_of(json_object_get(finding, "what")).len && chance > 0 && chance < 1);
    }
    if (json_object_get(request, "next_otp"))
        return;
    must(json_is_true(right) ==
         (status_nul_terminated(factor2_verify, in->verifier, sent) == FACTOR2_OK));
    snprintf(config, sizeof config,
             "{\"issuer\":\"X\",\"digits\":%d,\"guard\":{\"store\":\"memory\"},%s}", in->digits,
             in->settings);
    factor2_authenticator *guard = authenticator_for(config);
    result tried = call(factor2_verify, guard, sent), before = record_for(guard, request);
    result again = call(factor2_diagnose, guard, sent), after = record_for(guard, request);
    must(again.status == FACTOR2_OK && json_equal(before.json, after.json));
    must(json_is_false(json_object_get(again.json, "right")));
    done(&tried), done(&before), done(&again), done(&after);
    factor2_authenticator_free(guard);
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

/* factor2_resync or factor2_diagnose: the request itself, or a right code, and the next one that was typed. */
static void two_codes(factor2_operation operation, const struct window *in, int mode, slice input) {
    static char request[MAX_REQUEST], quoted[MAX_REQUEST];
    slice typed = mode == 2 ? almost_right(input, in) : input, sent = input;
    int first = mode % 2;
    if (mode) {
        quote(typed, quoted, sizeof quoted);
        sent.at = request;
        sent.len = (size_t)sprintf(request,
                                   "{\"totpsecret\":\"" SECRET "\",\"otp\":\"%s\",\"next_otp\":%s}",
                                   in->codes[first], quoted);
    }
    if (memchr(sent.at, 0, sent.len))
        return;
    result got = call(operation, in->verifier, sent);
    json_t *taken = got.status == FACTOR2_OK ? read_accepted(sent) : NULL;
    if (taken && operation == factor2_resync)
        check_resynced(taken, in, &got);
    if (taken && operation == factor2_diagnose)
        check_diagnosed(sent, taken, in, &got);
    char code[16];
    if (mode && utf8_valid(typed) && typed_code(typed, in->digits, code) &&
        step_of(code, in, SECRET) == first + 1)
        must(got.status == FACTOR2_OK);
    json_decref(taken);
    done(&got);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char request[MAX_REQUEST], quoted[MAX_REQUEST];
    char code[16];
    if (!size || size > MAX_REQUEST / 8)
        return 0;
    int mode = (unsigned char)(*data - '0') % 5;
    const struct window *in = &windows[(unsigned char)(*data - '0') / 5 % 2];
    int operation = (unsigned char)(*data - '0') / 10 % 3;
    slice input = {(const char *)data + 1, size - 1};
    if (mode && operation) {
        two_codes(operation == 1 ? factor2_resync : factor2_diagnose, in, mode, input);
        return 0;
    }
    slice typed = mode == 2 ? almost_right(input, in) : input;
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
    if (mode == 0) {
        two_codes(factor2_resync, in, mode, input);
        two_codes(factor2_diagnose, in, mode, input);
    }
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
