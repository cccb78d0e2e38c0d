/*
 * A dump of the process holds no secret when all is freed: no key, nothing that was derived from one, no opened
 * secret, no recovery code; not on the heap, not in the library's data, not on the stack below the caller.
 */
#include "calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

/* A key and a secret that look random, and the secret sealed by tests/second_seal.c. */
#define LOOKED_FOR "CM/I5qMC8jkmodeXPXvHWCWpMBYAV9l6ACeIES78yro="
#define SECRET_LOOKED_FOR "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q"
#define SEALED \
    "f2s1.k1.hcZs3uki8iHRM83flgUwi1CMNoborhmzo6-KnM1FE6PByoGsPcRDLoIpibiF5U-43E5CCaAKhYgEEBdK-JNmuZQgXG6HbTnXUAH8GSKjPkYB95IMC-7rjvmvPpu8YIGsVdGiGNjFX4U"
#define HEX_LOOKED_FOR "352621225a31cc18aaab7ca15d66796c8f2b9b70"
#define WHOSE "\"username\":\"alice\""
#define THEIRS "{\"totpsecret\":\"" SEALED "\"," WHOSE "}"

#define BYTES(name, ...) static const unsigned char name[] = {__VA_ARGS__}
BYTES(RAW_KEY, 0x08, 0xcf, 0xc8, 0xe6, 0xa3, 0x02, 0xf2, 0x39, 0x26, 0xa1, 0xd7, 0x97, 0x3d, 0x7b,
      0xc7, 0x58, 0x25, 0xa9, 0x30, 0x16, 0x00, 0x57, 0xd9, 0x7a, 0x00, 0x27, 0x88, 0x11, 0x2e,
      0xfc, 0xca, 0xba);
/* HKDF's, and the cipher's, from it and SEALED's nonce. */
BYTES(EXTRACTED, 0xd8, 0xf2, 0x7d, 0x12, 0xaa, 0x96, 0x4a, 0xa6, 0x55, 0xb8, 0xeb, 0xa0, 0x20, 0xa7,
      0x12, 0x2b, 0xf2, 0xa1, 0xee, 0xcb, 0x02, 0x30, 0x92, 0x45, 0x23, 0xb7, 0xeb, 0x5c, 0xb2,
      0xdf, 0x9f, 0x71);
BYTES(EXPANDED, 0x7b, 0x4b, 0xee, 0x96, 0x50, 0xa7, 0x63, 0x62, 0x7f, 0x59, 0x87, 0x4a, 0x98, 0x6e,
      0x9f, 0x31, 0xf5, 0xf5, 0x2e, 0x88, 0x2e, 0xd4, 0x32, 0x0c, 0xc5, 0x25, 0x0d, 0x82, 0x7c,
      0x29, 0x62, 0xf7);
BYTES(SUBKEY, 0x04, 0x7a, 0x6e, 0xf1, 0x5c, 0x51, 0x56, 0xfe, 0x5e, 0x17, 0x90, 0x58, 0x62, 0x85,
      0xab, 0x00, 0xd9, 0xce, 0x76, 0x8f, 0x2f, 0x40, 0xac, 0x0c, 0xe4, 0x9b, 0x51, 0x62, 0x2b,
      0xdd, 0xef, 0x5d);
BYTES(RAW_SECRET, 0x35, 0x26, 0x21, 0x22, 0x5a, 0x31, 0xcc, 0x18, 0xaa, 0xab, 0x7c, 0xa1, 0x5d,
      0x66, 0x79, 0x6c, 0x8f, 0x2b, 0x9b, 0x70);

/* What is looked for; it must itself be in memory that cannot be written, or be masked. */
struct needle {
    const char *what;
    const void *bytes;
    size_t length;
    unsigned char mask;
};

static const struct needle KEYS[] = {
    {"the key", RAW_KEY, 16, 0},
    {"the key's end", RAW_KEY + 16, 16, 0},
    {"the key's text", LOOKED_FOR, 20, 0},
    {"the key's text's end", &LOOKED_FOR[20], 20, 0},
    {"what HKDF extracts", EXTRACTED, 16, 0},
    {"what HKDF extracts, its end", EXTRACTED + 16, 16, 0},
    {"what HKDF expands", EXPANDED, 16, 0},
    {"what HKDF expands, its end", EXPANDED + 16, 16, 0},
    {"the cipher's key", SUBKEY, 16, 0},
    {"the cipher's key's end", SUBKEY + 16, 16, 0},
    {"the opened secret", SECRET_LOOKED_FOR, 16, 0},
    {"the opened secret's end", &SECRET_LOOKED_FOR[16], 16, 0},
    {"the secret's bytes", RAW_SECRET, sizeof RAW_SECRET, 0},
    {"the secret in hex", HEX_LOOKED_FOR, 20, 0},
    {"the secret in hex, its end", &HEX_LOOKED_FOR[20], 20, 0},
    {"the secret's bytes as HMAC pads them", RAW_SECRET, sizeof RAW_SECRET, 0x36},
    {"the secret's bytes as HMAC pads them", RAW_SECRET, sizeof RAW_SECRET, 0x5c},
};
#define KEY_COUNT (sizeof KEYS / sizeof KEYS[0])

static int is_at(const unsigned char *at, const struct needle *needle) {
    const unsigned char *bytes = needle->bytes;
    size_t i;
    for (i = 0; i < needle->length; i++)
        if ((at[i] ^ needle->mask) != bytes[i])
            return 0;
    return 1;
}

/* How often one of the needles is between two addresses. */
static int found_between(const unsigned char *from, const unsigned char *to, const char *where,
                         const struct needle *needles, size_t count) {
    int found = 0;
    size_t i;
    for (; from < to; from++) {
        for (i = 0; i < count; i++) {
            if (needles[i].length <= (size_t)(to - from) && is_at(from, &needles[i])) {
                printf("%s: %s\n", where, needles[i].what);
                found++;
            }
        }
    }
    return found;
}

/* The same for all memory of the process that can be written. */
static int found(const struct needle *needles, size_t count) {
    static char maps[1 << 18];
    size_t length = 0;
    ssize_t got;
    char *line, *rest = maps;
    int count_found = 0, file = open("/proc/self/maps", O_RDONLY);
    CHECK(file >= 0);
    while ((got = read(file, maps + length, sizeof maps - 1 - length)) > 0)
        length += (size_t)got;
    maps[length] = 0;
    close(file);
    while ((line = strsep(&rest, "\n")) != NULL && *line) {
        unsigned long from, to;
        char rights[8];
        CHECK(sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3);
        if (rights[0] == 'r' && rights[1] == 'w')
            count_found += found_between((const unsigned char *)from, (const unsigned char *)to,
                                         line, needles, count);
    }
    return count_found;
}

/* On a stack of its own, on which nothing is called afterwards that would write over what is left there. The
 * stack of a thread would be given back to the system when it ends. */
#define STACK ((size_t)256 * 1024)
static ucontext_t here, there;
static void *(*work_there)(void *);
static void *argument_there;

static void begin(void) { work_there(argument_there); }

static void run_on_own_stack(void *(*work)(void *), void *argument) {
    void *stack =
        mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(stack != MAP_FAILED);
    work_there = work;
    argument_there = argument;
    CHECK(getcontext(&there) == 0);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = STACK;
    there.uc_link = &here;
    makecontext(&there, begin, 0);
    CHECK(swapcontext(&here, &there) == 0);
    /* It stays mapped, for the search. */
}

/* With so many, a list of keys that grows is moved, and could leave the first ones where it was. */
#define ANOTHER_KEY(name, letter) \
    "\"" name "\":\"" letter "AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\""
#define MORE_KEYS          \
    ANOTHER_KEY("k2", "A") \
    "," ANOTHER_KEY("k3", "B") "," ANOTHER_KEY("k4", "C") "," ANOTHER_KEY("k5", "D")

static const char SEALING[] =
    "{\"issuer\":\"Example\",\"factor_name\":\"totp\",\"fixed_time\":59,"
    "\"guard\":{\"store\":\"memory\"},"
    "\"seal\":{\"keys\":{\"k1\":\"" LOOKED_FOR "\"," MORE_KEYS "},\"use\":\"k1\"}}";

/* The instrument itself: it finds a key on the heap and on a stack that is in use no more. */
static void *leave_key_behind(void *argument) {
    volatile unsigned char left[sizeof RAW_KEY];
    size_t i;
    for (i = 0; i < sizeof left; i++)
        left[i] = RAW_KEY[i];
    return argument;
}

TEST test_the_search_works(void) {
    volatile unsigned char *planted = malloc(sizeof RAW_KEY + 16);
    size_t i;
    CHECK(found(KEYS, KEY_COUNT) == 0);
    for (i = 0; i < sizeof RAW_KEY; i++)
        planted[16 + i] = RAW_KEY[i];
    free((void *)planted); /* which writes over its first 16 bytes at most */
    CHECK(found(KEYS, KEY_COUNT) >= 2);
    planted = malloc(sizeof RAW_KEY + 16);
    for (i = 0; i < sizeof RAW_KEY; i++)
        planted[16 + i] = 0;
    free((void *)planted);
    CHECK(found(KEYS, KEY_COUNT) == 0);
}

TEST test_the_search_looks_at_dead_stacks(void) {
    int before = found(KEYS, KEY_COUNT);
    pid_t child = fork(); /* what is left there stays */
    CHECK(child >= 0);
    if (child == 0) {
        run_on_own_stack(leave_key_behind, NULL);
        _exit(found(KEYS, KEY_COUNT) > before ? 0 : 1);
    }
    {
        int how = 0;
        CHECK(waitpid(child, &how, 0) == child);
        CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    }
}

static const struct {
    const char *what;
    factor2_operation run;
    const char *request;
    factor2_status expected;
} USES[] = {
    {"generate", factor2_generate, THEIRS, FACTOR2_OK},
    {"verify", factor2_verify, "{\"totpsecret\":\"" SEALED "\"," WHOSE ",\"otp\":\"487177\"}",
     FACTOR2_OK},
    {"verify, wrong", factor2_verify,
     "{\"totpsecret\":\"" SEALED "\"," WHOSE ",\"otp\":\"000000\"}", FACTOR2_INVALID_TOKEN},
    {"verify, another's", factor2_verify,
     "{\"totpsecret\":\"" SEALED "\",\"username\":\"bob\",\"otp\":\"000000\"}",
     FACTOR2_INVALID_SECRET},
    {"create_secret", factor2_create_secret, THEIRS, FACTOR2_OK},
    {"qr", factor2_qr, THEIRS, FACTOR2_OK},
    {"seal", factor2_seal, THEIRS, FACTOR2_OK},
    {"resync", factor2_resync,
     "{\"totpsecret\":\"" SEALED "\"," WHOSE ",\"otp\":\"000000\",\"next_otp\":\"000000\"}",
     FACTOR2_INVALID_TOKEN},
    {"read_uri", factor2_read_uri, "{\"uri\":\"otpauth://totp/x?secret=" SECRET_LOOKED_FOR "\"}",
     FACTOR2_OK},
    {"diagnose", factor2_diagnose, "{\"totpsecret\":\"" SEALED "\"," WHOSE ",\"otp\":\"000000\"}",
     FACTOR2_OK},
    {"inspect", factor2_inspect, THEIRS, FACTOR2_OK},
    {"reset", factor2_reset, THEIRS, FACTOR2_OK},
    {"reprepare_configuration", factor2_reprepare_configuration,
     "{" WHOSE ",\"sessionKey\":{\"data\":{\"totpsecret\":\"" SEALED "\",\"factor2\":\"totp\"}}}",
     FACTOR2_OK},
#define IMPORT(format, text) "{\"format\":\"" format "\",\"text\":\"" text "\"}"
    {"import, otpauth", factor2_import,
     IMPORT("otpauth", "x\\notpauth://totp/alice?secret=" SECRET_LOOKED_FOR), FACTOR2_OK},
    {"import, users file", factor2_import,
     IMPORT("users-file",
            "HOTP\\talice\\t-\\t" HEX_LOOKED_FOR "\\t5\\t328482\\t2009-12-07T23:23:49L"),
     FACTOR2_OK},
    {"import, state file", factor2_import,
     "{\"format\":\"google-authenticator\",\"text\":\"" SECRET_LOOKED_FOR "\\n\"," WHOSE "}",
     FACTOR2_OK},
    {"import, privacyIDEA", factor2_import,
     IMPORT("privacyidea-csv", "alice,\\\"" HEX_LOOKED_FOR "\\\",totp"), FACTOR2_OK},
    {"import, Entra", factor2_import,
     IMPORT("entra-csv", "upn,secret key\\nalice," SECRET_LOOKED_FOR), FACTOR2_OK},
    {"import, Keycloak", factor2_import,
     IMPORT("keycloak", "{\\\"users\\\":[{\\\"username\\\":\\\"alice\\\",\\\"credentials\\\":[{"
                        "\\\"type\\\":\\\"otp\\\",\\\"credentialData\\\":\\\"{}\\\","
                        "\\\"secretData\\\":\\\"{\\\\\\\"value\\\\\\\":\\\\\\\"" SECRET_LOOKED_FOR
                        "\\\\\\\"}\\\"}]}]}"),
     FACTOR2_OK},
    {"import, moved accounts", factor2_import,
     IMPORT(
         "otpauth-migration",
         "otpauth-migration://offline?data=CiMKFDUmISJaMcwYqqt8oV1meWyPK5twEgVhbGljZSABKAEwAhAB"),
     FACTOR2_OK},
    {"import, refused", factor2_import,
     IMPORT("otpauth", "otpauth://totp/alice?digits=9&secret=" SECRET_LOOKED_FOR), FACTOR2_OK},
};
#define USE_COUNT (sizeof USES / sizeof USES[0])

static void *use(void *argument) {
    size_t i = *(size_t *)argument;
    factor2_authenticator *auth = authenticator(SEALING);
    CHECK(outcome_of_text(USES[i].run, auth, USES[i].request) == USES[i].expected);
    factor2_authenticator_free(auth);
    return NULL;
}

TEST test_operations_leave_nothing(void) {
    size_t i;
    int left = 0;
    for (i = 0; i < USE_COUNT; i++) {
        int before = left;
        run_on_own_stack(use, &i);
        left = found(KEYS, KEY_COUNT);
        if (left > before)
            printf("left by %s\n", USES[i].what);
    }
    CHECK(left == 0);
}

static void *refuse_settings(void *argument) {
    static const char *const WRONG[] = {
        "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k1\":\"" LOOKED_FOR "\"},\"use\":\"other\"}}",
        "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k1\":\"" LOOKED_FOR
        "\",\"k2\":\"AAAA\"},\"use\":\"k1\"}}",
        "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k1\":\"" LOOKED_FOR "\",\"k2\":\"" LOOKED_FOR
        "\"},\"use\":\"k1\"}}",
        "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"\\u006b1\":\"\\u0043M/I5qMC8jkmodeXPXvHWCWpMBYAV9l6ACeIES78yro="
        "\"},\"use\":\"k2\"}}",
        "{\"issuer\":\":\",\"seal\":{\"keys\":{\"k1\":\"" LOOKED_FOR "\"},\"use\":\"k1\"}}",
    };
    size_t i;
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        factor2_authenticator *made = NULL;
        CHECK(factor2_authenticator_new(WRONG[i], FACTOR2_NUL_TERMINATED, &made, NULL) ==
              FACTOR2_CONFIGURATION);
    }
    return argument;
}

TEST test_refused_settings_leave_nothing(void) {
    run_on_own_stack(refuse_settings, NULL);
    CHECK(found(KEYS, KEY_COUNT) == 0);
}

/* What the response told, masked. */
static unsigned char told[64];
static size_t told_length;
#define TOLD_MASK 0xa5

static void keep_masked(const char *text) {
    for (told_length = 0; text[told_length]; told_length++)
        told[told_length] = (unsigned char)text[told_length] ^ TOLD_MASK;
}

static int told_is_left(void) {
    struct needle needles[2];
    needles[0].what = "what the response told";
    needles[0].bytes = told;
    needles[0].length = told_length / 2;
    needles[0].mask = TOLD_MASK;
    needles[1] = needles[0];
    needles[1].bytes = told + told_length / 2;
    return found(needles, 2);
}

struct telling {
    factor2_operation run;
    const char *request, *path;
};

static void *tell(void *argument) {
    const struct telling *telling = argument;
    factor2_authenticator *auth = authenticator(SEALING);
    factor2_response *response = NULL;
    CHECK(telling->run(auth, telling->request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    keep_masked(text_of(response, telling->path));
    CHECK(told_length > 20);
    factor2_response_free(response);
    factor2_authenticator_free(auth);
    return NULL;
}

TEST test_what_is_made_goes_with_its_response(void) {
    static const struct telling TELLING[] = {
        {factor2_create_secret, "{\"username\":\"alice\"}", "totpsecret"},
        {factor2_prepare_configuration, "{\"user\":{\"username\":\"alice\"}}",
         "userData.totpsecret"},
        {factor2_create_recovery_codes, "{}", "codes.0"},
        {factor2_create_recovery_codes, "{\"count\":32}", "codes.31"},
    };
    size_t i;
    for (i = 0; i < sizeof TELLING / sizeof TELLING[0]; i++) {
        run_on_own_stack(tell, (void *)&TELLING[i]);
        CHECK(told_is_left() == 0);
        CHECK(found(KEYS, KEY_COUNT) == 0);
    }
}

/* A typed recovery code: as it was typed, and the bytes that it stands for. */
BYTES(RAW_CODE, 0x7c, 0x6e, 0x5f, 0xb3, 0x69, 0x29, 0x3c, 0x93, 0x50, 0x3d, 0x15, 0x6f, 0xb7, 0x7c,
      0x17);

static void *use_recovery_code(void *argument) {
    static const char *const CODES[] = {RECOVERY_CODE, "HKR7-ZEVB-76YB-8N3X-4PRV-GZ2S",
                                        RECOVERY_CODE};
    static const factor2_status EXPECTED[] = {FACTOR2_OK, FACTOR2_INVALID_TOKEN,
                                              FACTOR2_TOKEN_REUSED};
    factor2_authenticator *auth = authenticator(SEALING);
    char request[512];
    size_t i;
    for (i = 0; i < 3; i++) {
        CHECK(snprintf(request, sizeof request, "{\"recovery\":\"%s\",\"code\":\"%s\"}", RECOVERY,
                       CODES[i]) < (int)sizeof request);
        CHECK(outcome_of_text(factor2_verify_recovery_code, auth, request) == EXPECTED[i]);
    }
    memset(request, 0, sizeof request);
    __asm__ volatile("" : : "r"(request) : "memory");
    factor2_authenticator_free(auth);
    return argument;
}

TEST test_a_recovery_code_leaves_nothing(void) {
    static const struct needle NEEDLES[] = {
        {"the code", RECOVERY_CODE, 14, 0},
        {"the code's end", &RECOVERY_CODE[15], 14, 0},
        {"the code's bytes", RAW_CODE, sizeof RAW_CODE, 0},
    };
    run_on_own_stack(use_recovery_code, NULL);
    CHECK(found(NEEDLES, sizeof NEEDLES / sizeof NEEDLES[0]) == 0);
}

int main(void) {
    /* Functions are bound here: when they are bound, the registers, with what is in them, go to the stack. */
    {
        factor2_authenticator *auth = authenticator(CONFIG);
        check_every_call(auth);
        factor2_authenticator_free(auth);
    }
    RUN(test_the_search_works);
    RUN(test_the_search_looks_at_dead_stacks);
    RUN(test_operations_leave_nothing);
    RUN(test_refused_settings_leave_nothing);
    RUN(test_what_is_made_goes_with_its_response);
    RUN(test_a_recovery_code_leaves_nothing);
    return 0;
}
