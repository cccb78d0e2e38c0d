/* factor2_authenticator_new: what it accepts is within every limit, and works. */
#include "fuzz.h"

const char *const never_in_an_error[] = {PART_OF_CANARY, NULL};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    return 0;
}

static int within(slice object, const char *name, long long min, long long max) {
    slice value = json_member(object, name);
    return !value.at || json_in_range(value, min, max);
}

static int colour(slice object, const char *name) {
    slice value = json_member(object, name);
    char text[8];
    return !value.at || (json_decode(value, text, sizeof text) == 7 && *text == '#' &&
                         strspn(text + 1, "0123456789abcdefABCDEF") == 6);
}

static void object_of(slice value, const char *const *members) {
    if (!value.at)
        return;
    must(*value.at == '{');
    only_members(value, members);
}

static int one_of(slice object, const char *name, const char *const *words) {
    slice value = json_member(object, name);
    if (!value.at)
        return 1;
    while (*words && !json_is_string(value, *words))
        words++;
    return *words != NULL;
}

static long long number(slice object, const char *name, long long otherwise) {
    slice value = json_member(object, name);
    return value.at ? strtoll(value.at, NULL, 10) : otherwise;
}

static void check_guard(slice guard) {
    static const char *const alone[] = {"store", NULL}, *const stores[] = {"none", "memory", NULL};
    static const char *const members[] = {"store",       "soft",        "hard", "base_delay_s",
                                          "max_delay_s", "max_records", NULL};
    if (!guard.at)
        return;
    object_of(guard, json_is_string(json_member(guard, "store"), "none") ? alone : members);
    must(json_member(guard, "store").at && one_of(guard, "store", stores));
    must(within(guard, "hard", 1, 100) && within(guard, "soft", 1, number(guard, "hard", 100)));
    must(within(guard, "max_delay_s", 1, 86400));
    must(within(guard, "base_delay_s", 1, number(guard, "max_delay_s", 86400)));
    must(within(guard, "max_records", 1, 1000000000));
}

static void check_limits(slice config) {
    static const char *const members[] = {"issuer", "factor_name", "friendly_name", "algorithm",
                                          "digits", "period",      "window",        "secret_bytes",
                                          "qr",     "guard",       "fixed_time",    NULL};
    static const char *const window_members[] = {"past", "future", NULL};
    static const char *const qr_members[] = {
        "module_px", "quiet_zone", "error_correction", "dark", "light", "logo", NULL};
    static const char *const algorithms[] = {"SHA1", "SHA256", "SHA512", NULL};
    static const char *const levels[] = {"L", "M", "Q", "H", NULL};
    slice window = json_member(config, "window"), qr = json_member(config, "qr");
    slice time = json_member(config, "fixed_time");
    slice issuer = read_text(json_member(config, "issuer"));
    must(name_valid(issuer) && !memchr(issuer.at, ':', issuer.len));
    must(json_strict(config));
    only_members(config, members);
    must(one_of(config, "algorithm", algorithms));
    must(within(config, "digits", 6, 8) && within(config, "period", 15, 120));
    must(within(config, "secret_bytes", 16, 64));
    object_of(window, window_members);
    must(within(window, "past", 0, 2) && within(window, "future", 0, 2));
    object_of(qr, qr_members);
    must(within(qr, "module_px", 1, 32) && within(qr, "quiet_zone", 0, 16));
    must(one_of(qr, "error_correction", levels) && colour(qr, "dark") && colour(qr, "light"));
    must(!time.at || (json_is_integer(time) && *time.at != '-'));
    check_guard(json_member(config, "guard"));
}

static void check_picture(slice config, answer *made) {
    slice qr = json_member(config, "qr");
    long long pixels = number(qr, "module_px", 10), quiet = number(qr, "quiet_zone", 5);
    unsigned side = png_side(made->data, made->data_len);
    must(side % pixels == 0);
    long long modules = side / pixels - 2 * quiet;
    must(modules >= 21 && modules <= 177 && (modules - 17) % 4 == 0);
    must_be_data_uri(json_member(made->json, "qr"), made->data, made->data_len);
}

static factor2_status verify(const factor2_authenticator *authenticator, const char *secret,
                             const char *otp) {
    char request[192];
    snprintf(request, sizeof request, "{\"totpsecret\":\"%s\",\"otp\":\"%s\"}", secret, otp);
    answer got = call(factor2_verify, authenticator, slice_of(request));
    factor2_status status = got.status;
    done(&got);
    return status;
}

static void check_codes(const factor2_authenticator *authenticator, slice config,
                        const char *secret) {
    char request[192], code[16], longer[24];
    slice store = json_member(json_member(config, "guard"), "store");
    snprintf(request, sizeof request, "{\"totpsecret\":\"%s\"}", secret);
    answer generated = succeed(factor2_generate, authenticator, request);
    must(json_decode(json_member(generated.json, "otp"), code, sizeof code) ==
         number(config, "digits", 6));
    must(
        json_in_range(json_member(generated.json, "valid_for_s"), 1, number(config, "period", 30)));
    done(&generated);

    factor2_status first = verify(authenticator, secret, code);
    factor2_status second = verify(authenticator, secret, code);
    if (json_member(config, "fixed_time").at) {
        must(first == FACTOR2_OK && (second == FACTOR2_OK || second == FACTOR2_TOKEN_REUSED));
        must(second == FACTOR2_OK || !json_is_string(store, "none"));
        must(second != FACTOR2_OK || !json_is_string(store, "memory"));
    }
    snprintf(longer, sizeof longer, "%s0", code);
    must(verify(authenticator, secret, longer) == FACTOR2_INVALID_TOKEN);
}

static void check_works(const factor2_authenticator *authenticator, slice config) {
    char secret[SECRET_ROOM];
    long long digits = number(config, "digits", 6);
    answer described = succeed(factor2_describe, authenticator, "{}");
    must(json_in_range(json_member(described.json, "digits"), digits, digits));
    done(&described);

    answer made = call(factor2_create_secret, authenticator, slice_of("{\"username\":\"alice\"}"));
    if (made.status == FACTOR2_OK) {
        long long bytes = number(config, "secret_bytes", 20);
        read_secret(json_member(made.json, "totpsecret"), secret);
        must((long long)strlen(secret) * 5 / 8 == bytes);
        check_picture(config, &made);
        check_codes(authenticator, config, secret);
    } else {
        /* The issuer makes the URI too long for the level. */
        must(made.status == FACTOR2_BAD_REQUEST);
    }
    done(&made);

    slice user = slice_of("{\"user\":{\"username\":\"alice\"}}");
    answer prepared = call(factor2_prepare_configuration, authenticator, user);
    must((prepared.status == FACTOR2_CONFIGURATION) == !json_member(config, "factor_name").at);
    done(&prepared);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    slice config = {(const char *)data, size};
    factor2_authenticator *authenticator;
    if (size > MAX_REQUEST)
        return 0;
    answer got = new_authenticator(config, &authenticator);
    if (authenticator) {
        check_limits(config);
        check_works(authenticator, config);
    }
    factor2_authenticator_free(authenticator);
    done(&got);
    return 0;
}
