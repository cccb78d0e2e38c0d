/*
 * The tests' second opinion on sealed secrets, by libsodium; HKDF (RFC 5869) by hand, over its HMAC-SHA256.
 *
 * second_seal FILE  for each line "seal KEY BASE64 BOUND TEXT": TEXT sealed by the key of this name, for whom
 *                   BOUND names in hex; for each line "open KEY BASE64 BOUND SEALED": the text, or "-"
 */
#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define COMMIT 32
#define BEGIN (NONCE + COMMIT)
#define ROOM 8192

#define must(condition) ((condition) ? (void)0 : failed(#condition))

struct derived {
    unsigned char enc[32], commit[COMMIT];
};

static void failed(const char *condition) {
    fprintf(stderr, "second_seal: must hold: %s\n", condition);
    exit(1);
}

static void hmac(unsigned char out[32], const unsigned char *key, size_t key_len,
                 const unsigned char *before, size_t before_len, const unsigned char *text,
                 size_t text_len) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, before, before_len);
    crypto_auth_hmacsha256_update(&state, text, text_len);
    crypto_auth_hmacsha256_final(&state, out);
}

static struct derived derive(const unsigned char key[32], const char *name,
                             const unsigned char nonce[NONCE]) {
    struct derived derived;
    unsigned char prk[32], info[64] = "factor2 seal 1";
    size_t len = strlen("factor2 seal 1") + 1;
    memcpy(info + len, name, strlen(name));
    len += strlen(name);
    hmac(prk, nonce, NONCE, NULL, 0, key, 32);
    info[len] = 1;
    hmac(derived.enc, prk, sizeof prk, NULL, 0, info, len + 1);
    info[len] = 2;
    hmac(derived.commit, prk, sizeof prk, derived.enc, sizeof derived.enc, info, len + 1);
    return derived;
}

static size_t add(unsigned char *aad, size_t at, const void *text, size_t len) {
    aad[at] = (unsigned char)(len >> 8);
    aad[at + 1] = (unsigned char)len;
    memcpy(aad + at + 2, text, len);
    return at + 2 + len;
}

/* What is authenticated beside the text. */
static size_t beside(unsigned char aad[ROOM], const char *name, const char *bound_hex) {
    unsigned char bound[ROOM];
    size_t len, at = add(aad, 0, "f2s1", 4);
    must(sodium_hex2bin(bound, sizeof bound, bound_hex, strlen(bound_hex), NULL, &len, NULL) == 0);
    at = add(aad, at, name, strlen(name));
    return add(aad, at, bound, len);
}

static void seal(const char *name, const unsigned char key[32], const char *bound,
                 const char *text) {
    unsigned char bytes[ROOM], aad[ROOM];
    char encoded[2 * ROOM];
    unsigned long long len;
    struct derived derived;
    randombytes_buf(bytes, NONCE);
    derived = derive(key, name, bytes);
    memcpy(bytes + NONCE, derived.commit, COMMIT);
    must(strlen(text) < ROOM - BEGIN - TAG);
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + BEGIN, &len, (const unsigned char *)text,
                                               strlen(text), aad, beside(aad, name, bound), NULL,
                                               bytes, derived.enc);
    sodium_bin2base64(encoded, sizeof encoded, bytes, BEGIN + (size_t)len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    printf("f2s1.%s.%s\n", name, encoded);
}

static int opens(const char *name, const unsigned char key[32], const char *bound,
                 const char *sealed, unsigned char *text, unsigned long long *text_len) {
    unsigned char bytes[ROOM], aad[ROOM];
    struct derived derived;
    size_t len, name_len = strlen(name);
    const char *end;
    if (strncmp(sealed, "f2s1.", 5) || strncmp(sealed + 5, name, name_len) ||
        sealed[5 + name_len] != '.')
        return 0;
    sealed += 5 + name_len + 1;
    if (sodium_base642bin(bytes, sizeof bytes, sealed, strlen(sealed), NULL, &len, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        *end || len < BEGIN + TAG)
        return 0;
    derived = derive(key, name, bytes);
    return memcmp(bytes + NONCE, derived.commit, COMMIT) == 0 &&
           crypto_aead_xchacha20poly1305_ietf_decrypt(text, text_len, NULL, bytes + BEGIN,
                                                      len - BEGIN, aad, beside(aad, name, bound),
                                                      bytes, derived.enc) == 0;
}

static void answer(char *line) {
    unsigned char key[32], text[ROOM];
    unsigned long long text_len;
    size_t key_len;
    const char *task = strtok(line, " "), *name = strtok(NULL, " "), *base64 = strtok(NULL, " ");
    const char *bound = strtok(NULL, " "), *given = strtok(NULL, "\n");
    must(given != NULL);
    must(sodium_base642bin(key, sizeof key, base64, strlen(base64), NULL, &key_len, NULL,
                           sodium_base64_VARIANT_ORIGINAL) == 0);
    must(key_len == sizeof key && strlen(name) <= 32);
    if (!strcmp(task, "seal"))
        seal(name, key, bound, given);
    else if (opens(name, key, bound, given, text, &text_len))
        printf("%.*s\n", (int)text_len, (const char *)text);
    else
        puts("-");
}

int main(int count, char **arguments) {
    static char line[ROOM];
    FILE *lines = count == 2 ? fopen(arguments[1], "r") : NULL;
    must(lines != NULL && sodium_init() >= 0);
    while (fgets(line, sizeof line, lines))
        answer(line);
    return 0;
}
