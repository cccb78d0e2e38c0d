/* What people paste, read by code of its own: codes, secrets and names. The text is valid UTF-8. */
#include "fuzz.h"

static unsigned long next_point(slice *rest) {
    const unsigned char *at = (const unsigned char *)rest->at;
    unsigned more = *at < 0x80 ? 0 : *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : 3;
    unsigned long point = more ? *at & (0x3Fu >> more) : *at;
    for (unsigned i = 1; i <= more; i++)
        point = point << 6 | (at[i] & 0x3Fu);
    *rest = (slice){rest->at + more + 1, rest->len - more - 1};
    return point;
}

struct range {
    unsigned long first, last;
};

#define COUNT(table) (sizeof table / sizeof *table)

static int within(unsigned long point, const struct range *table, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (point >= table[i].first && point <= table[i].last)
            return 1;
    return 0;
}

static const struct range blanks[] = {
    {9, 0xD},         {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
static const struct range dashes[] = {
    {0x2D, 0x2D},      {0x58A, 0x58A},   {0x5BE, 0x5BE},   {0x1400, 0x1400}, {0x1806, 0x1806},
    {0x2010, 0x2015},  {0x2212, 0x2212}, {0x2E17, 0x2E17}, {0x2E1A, 0x2E1A}, {0x2E3A, 0x2E3B},
    {0x2E40, 0x2E40},  {0x2E5D, 0x2E5D}, {0x301C, 0x301C}, {0x3030, 0x3030}, {0x30A0, 0x30A0},
    {0xFE31, 0xFE32},  {0xFE58, 0xFE58}, {0xFE63, 0xFE63}, {0xFF0D, 0xFF0D}, {0x10D6E, 0x10D6E},
    {0x10EAD, 0x10EAD}};
static const struct range unseen[] = {
    {0xAD, 0xAD},     {0x61C, 0x61C},   {0x180E, 0x180E}, {0x200B, 0x200F},   {0x202A, 0x202E},
    {0x2060, 0x2064}, {0x2066, 0x206F}, {0xFEFF, 0xFEFF}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F}};
static const struct range controls[] = {{0, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x2029}};
static const struct range undrawn[] = {{0x34F, 0x34F},   {0x115F, 0x1160},  {0x17B4, 0x17B5},
                                       {0x2800, 0x2800}, {0x3164, 0x3164},  {0xFE00, 0xFE0F},
                                       {0xFFA0, 0xFFA0}, {0xE0100, 0xE01EF}};

static int means_nothing(unsigned long point) {
    return within(point, blanks, COUNT(blanks)) || within(point, dashes, COUNT(dashes)) ||
           within(point, unseen, COUNT(unseen));
}

int typed_code(slice typed, int digits, char code[16]) {
    static const unsigned long zeros[] = {'0', 0x660, 0x6F0, 0x966, 0xFF10};
    int len = 0;
    while (typed.len) {
        unsigned long point = next_point(&typed);
        size_t script = 0;
        if (means_nothing(point))
            continue;
        while (script < COUNT(zeros) && (point < zeros[script] || point > zeros[script] + 9))
            script++;
        if (script == COUNT(zeros) || len == digits)
            return 0;
        code[len++] = (char)('0' + point - zeros[script]);
    }
    code[len] = 0;
    return len == digits;
}

int typed_recovery(slice typed, char code[RECOVERY_ROOM]) {
    int len = 0;
    while (typed.len) {
        unsigned long point = next_point(&typed);
        if (means_nothing(point))
            continue;
        if (point >= 'a' && point <= 'z')
            point -= 'a' - 'A';
        if (!point || point > 'Z' || len == RECOVERY_ROOM - 1 ||
            !strchr("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", (int)point))
            return 0;
        code[len++] = (char)point;
    }
    code[len] = 0;
    return len == RECOVERY_ROOM - 1;
}

/* RFC 4648 section 6: 10 to 512 bytes, not all zero; padding at the end only. */
int base32_secret(slice text, char secret[SECRET_ROOM]) {
    static const char symbols[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t len = 0;
    int padded = 0, any = 0, last = 0, rest;
    while (text.len) {
        unsigned long point = next_point(&text);
        if (means_nothing(point))
            continue;
        if (point >= 'a' && point <= 'z')
            point -= 'a' - 'A';
        const char *symbol = point && point < 0x80 ? strchr(symbols, (int)point) : NULL;
        if (point == '=' && len)
            padded = 1;
        else if (!symbol || padded || len == SECRET_ROOM - 1)
            return 0;
        else
            secret[len++] = *symbol, last = (int)(symbol - symbols);
    }
    secret[len] = 0;
    if (len * 5 % 8 >= 5 || len * 5 / 8 < 10)
        return 0;
    rest = last & ((1 << len * 5 % 8) - 1);
    secret[len - 1] = symbols[last - rest];
    for (; *secret; secret++)
        any |= *secret != 'A';
    return !any ? 0 : rest ? 2 : 1;
}

slice trimmed(slice name) {
    slice rest = name;
    while (rest.len && within(next_point(&rest), blanks, COUNT(blanks)))
        name = rest;
    for (size_t len = name.len; len--;) {
        slice end = {name.at + len, name.len - len};
        if (((unsigned char)*end.at & 0xC0) == 0x80)
            continue;
        if (!within(next_point(&end), blanks, COUNT(blanks)))
            break;
        name.len = len;
    }
    return name;
}

int name_valid(slice name) {
    int drawn = 0;
    if (!utf8_valid(name))
        return 0;
    name = trimmed(name);
    if (name.len > 255)
        return 0;
    while (name.len) {
        unsigned long point = next_point(&name);
        if (within(point, controls, COUNT(controls)) || within(point, unseen, COUNT(unseen)))
            return 0;
        drawn |= !within(point, blanks, COUNT(blanks)) && !within(point, undrawn, COUNT(undrawn));
    }
    return drawn;
}
