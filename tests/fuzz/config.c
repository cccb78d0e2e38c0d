/* factor2_authenticator_new: what it accepts is within every limit, and works. */
#include "fuzz.h"

#include <limits.h>

const char *const never_in_an_error[] = {PART_OF_CANARY, NULL};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    return 0;
}

static int within(const json_t *object, const char *name, long long min, long long max) {
    json_t *value = json_object_get(object, name);
    return !value || in_range(value, min, max);
}

static int colour(const json_t *object, const char *name) {
    json_t *value = json_object_get(object, name);
    if (!value)
        return 1;
    slice text = text_of(value);
    return text.len == 7 && *text.at == '#' && strspn(text.at + 1, "0123456789abcdefABCDEF") == 6;
}

static int one_of(const json_t *object, const char *name, const char *const *words) {
    json_t *value = json_object_get(object, name);
    if (!value)
        return 1;
    while (*words && !is_text(value, *words))
        words++;
    return *words != NULL;
}

static long long number(const json_t *object, const char *name, long long otherwise) {
    json_t *value = json_object_get(object, name);
    return value ? json_integer_value(value) : otherwise;
}

static void check_keys(const json_t *seal) {
    static const char *const members[] = {"keys", "use", "plain", NULL};
    static const char *const plain[] = {"accept", "refuse", NULL};
    const char *name;
    json_t *key, *keys = json_object_get(seal, "keys");
    if (!seal)
        return;
    only_members(seal, members);
    must(json_object_size(keys) >= 1 && json_object_size(keys) <= 16);
    json_object_foreach(keys, name, key) {
        must(*name && strlen(name) <= 32);
        must(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             strlen(name));
        must(text_of(key).len == 44 && text_of(key).at[43] == '=' && text_of(key).at[42] != '=');
    }
    must(json_object_get(keys, text_of(json_object_get(seal, "use")).at));
    must(one_of(seal, "plain", plain));
}

static void check_guard(const json_t *guard) {
    static const char *const alone[] = {"store", NULL}, *const stores[] = {"none", "memory", NULL};
    static const char *const members[] = {"store",       "soft",        "hard",  "base_delay_s",
                                          "max_delay_s", "max_records", "retry", NULL};
    static const char *const retry_members[] = {"ttl_s", "limit", NULL};
    json_t *retry = json_object_get(guard, "retry");
    if (!guard)
        return;
    only_members(guard, is_text(json_object_get(guard, "store"), "none") ? alone : members);
    must(json_object_get(guard, "store") && one_of(guard, "store", stores));
    must(within(guard, "hard", 1, 100) && within(guard, "soft", 1, number(guard, "hard", 100)));
    must(within(guard, "max_delay_s", 1, 86400));
    must(within(guard, "base_delay_s", 1, number(guard, "max_delay_s", 86400)));
    must(within(guard, "max_records", 1, 1000000000));
    if (retry)
        only_members(retry, retry_members);
    must(within(retry, "ttl_s", 1, 3600) && within(retry, "limit", 1, 100));
}

static void check_limits(const json_t *config) {
    static const char *const members[] = {
        "issuer",     "factor_name", "friendly_name", "algorithm", "digits",
        "period",     "window",      "secret_bytes",  "qr",        "guard",
        "fixed_time", "seal",        "look_ahead",    NULL};
    static const char *const window_members[] = {"past", "future", NULL};
    static const char *const qr_members[] = {
        "module_px", "quiet_zone", "error_correction", "dark", "light", "logo", NULL};
    static const char *const algorithms[] = {"SHA1", "SHA256", "SHA512", NULL};
    static const char *const levels[] = {"L", "M", "Q", "H", NULL};
    json_t *window = json_object_get(config, "window"), *qr = json_object_get(config, "qr");
    slice issuer = text_of(json_object_get(config, "issuer"));
    must(name_valid(issuer) && !memchr(issuer.at, ':', issuer.len));
    only_members(config, members);
    must(one_of(config, "algorithm", algorithms));
    must(within(config, "digits", 6, 8) && within(config, "period", 15, 120));
    must(within(config, "secret_bytes", 16, 64) && within(config, "look_ahead", 1, 50));
    if (window)
        only_members(window, window_members);
    must(within(window, "past", 0, 2) && within(window, "future", 0, 2));
    if (qr)
        only_members(qr, qr_members);
    must(within(qr, "module_px", 1, 32) && within(qr, "quiet_zone", 0, 16));
    must(one_of(qr, "error_correction", levels) && colour(qr, "dark") && colour(qr, "light"));
    must(within(config, "fixed_time", 0, LLONG_MAX));
    check_guard(json_object_get(config, "guard"));
    check_keys(json_object_get(config, "seal"));
}

static void check_picture(const json_t *config, result *made) {
    json_t *qr = json_object_get(config, "qr");
    long long pixels = number(qr, "module_px", 10), quiet = number(qr, "quiet_zone", 5);
    unsigned side = png_side(made->data, made->data_len);
    must(side % pixels == 0);
    long long modules = side / pixels - 2 * quiet;
    must(modules >= 21 && modules <= 177 && (modules - 17) % 4 == 0);
    must_be_data_uri(json_object_get(made->json, "qr"), made->data, made->data_len);
}

static factor2_status verify(const factor2_authenticator *authenticator, const char *secret,
                             const char *otp) {
    char request[512];
    snprintf(request, sizeof request,
             "{\"username\":\"alice\",\"totpsecret\":\"%s\",\"otp\":\"%s\"}", secret, otp);
    result got = call(factor2_verify, authenticator, slice_of(request));
    factor2_status status = got.status;
    done(&got);
    return status;
}

static void check_codes(const factor2_authenticator *authenticator, const json_t *config,
                        const char *secret) {
    char request[512], code[16], longer[24];
    json_t *store = json_object_get(json_object_get(config, "guard"), "store");
    snprintf(request, sizeof request, "{\"username\":\"alice\",\"totpsecret\":\"%s\"}", secret);
    result generated = succeed(factor2_generate, authenticator, request);
    slice otp = text_of(json_object_get(generated.json, "otp"));
    must((long long)otp.len == number(config, "digits", 6));
    strcpy(code, otp.at);
    must(in_range(json_object_get(generated.json, "valid_for_s"), 1, number(config, "period", 30)));
    done(&generated);

    factor2_status first = verify(authenticator, secret, code);
    factor2_status second = verify(authenticator, secret, code);
    if (json_object_get(config, "fixed_time")) {
        must(first == FACTOR2_OK && (second == FACTOR2_OK || second == FACTOR2_TOKEN_REUSED));
        must(second == FACTOR2_OK || !is_text(store, "none"));
        must(second != FACTOR2_OK || !is_text(store, "memory"));
    }
    snprintf(longer, sizeof longer, "%s0", code);
    must(verify(authenticator, secret, longer) == FACTOR2_INVALID_TOKEN);
}

static void check_works(const factor2_authenticator *authenticator, const json_t *config) {
    char secret[SECRET_ROOM];
    long long digits = number(config, "digits", 6);
    result described = succeed(factor2_describe, authenticator, "{}");
    must(in_range(json_object_get(described.json, "digits"), digits, digits));
    done(&described);

    result made = call(factor2_create_secret, authenticator, slice_of("{\"username\":\"alice\"}"));
    if (made.status == FACTOR2_OK) {
        long long bytes = number(config, "secret_bytes", 20);
        read_secret(json_object_get(made.json, "totpsecret"), secret);
        must((long long)strlen(secret) * 5 / 8 == bytes);
        check_picture(config, &made);
        json_t *sealed = json_object_get(made.json, "sealed");
        must((sealed != NULL) == (json_object_get(config, "seal") != NULL));
        check_codes(authenticator, config, sealed ? text_of(sealed).at : secret);
    } else {
        /* The issuer makes the URI too long for the level. */
        must(made.status == FACTOR2_BAD_REQUEST);
    }
    done(&made);

    slice user = slice_of("{\"user\":{\"username\":\"alice\"}}");
    result prepared = call(factor2_prepare_configuration, authenticator, user);
    must((prepared.status == FACTOR2_CONFIGURATION) == !json_object_get(config, "factor_name"));
    done(&prepared);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    slice config = {(const char *)data, size};
    factor2_authenticator *authenticator;
    if (size > MAX_REQUEST)
        return 0;
    result got = new_authenticator(config, &authenticator);
    json_t *taken = authenticator ? read_accepted(config) : NULL;
    if (taken) {
        check_limits(taken);
        check_works(authenticator, taken);
    }
    json_decref(taken);
    factor2_authenticator_free(authenticator);
    done(&got);
    return 0;
}
