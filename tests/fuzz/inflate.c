/* zlib's format, RFC 1950 and 1951, read strictly and without hurry. */
#include "fuzz.h"

enum { LONGEST_CODE = 15, LITERALS = 288, DISTANCES = 30 };

typedef struct {
    const unsigned char *at, *end;
    unsigned bits;
    int count;
} stream;

/* How many codes there are of each length, and their symbols in the order of the codes. */
typedef struct {
    unsigned short counts[LONGEST_CODE + 1], symbols[LITERALS];
} code;

static unsigned take(stream *in, int count) {
    while (in->count < count) {
        must(in->at < in->end);
        in->bits |= (unsigned)*in->at++ << in->count;
        in->count += 8;
    }
    unsigned value = in->bits & ((1u << count) - 1);
    in->bits >>= count;
    in->count -= count;
    return value;
}

static void make_code(code *made, const unsigned char *lengths, int symbols) {
    int next[LONGEST_CODE + 2] = {0}, unused = 1, used = 0;
    memset(made, 0, sizeof *made);
    for (int i = 0; i < symbols; i++)
        made->counts[lengths[i]]++;
    used = symbols - made->counts[0];
    made->counts[0] = 0;
    for (int length = 1; length <= LONGEST_CODE; length++) {
        unused = unused * 2 - made->counts[length];
        must(unused >= 0);
        next[length + 1] = next[length] + made->counts[length];
    }
    must(unused == 0 || used <= 1);
    for (int i = 0; i < symbols; i++)
        if (lengths[i])
            made->symbols[next[lengths[i]]++] = (unsigned short)i;
}

static int take_symbol(stream *in, const code *from) {
    int value = 0, first = 0, index = 0;
    for (int length = 1; length <= LONGEST_CODE; length++) {
        value |= (int)take(in, 1);
        if (value - first < from->counts[length])
            return from->symbols[index + value - first];
        index += from->counts[length];
        first = (first + from->counts[length]) * 2;
        value *= 2;
    }
    must(!"a code of this stream");
    return 0;
}

static void take_codes(stream *in, code *literals, code *distances) {
    static const unsigned char order[] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                          11, 4,  12, 3, 13, 2, 14, 1, 15};
    unsigned char lengths[LITERALS + DISTANCES] = {0}, of_lengths[19] = {0};
    int literal_count = (int)take(in, 5) + 257, distance_count = (int)take(in, 5) + 1,
        count = (int)take(in, 4) + 4;
    must(literal_count <= 286 && distance_count <= DISTANCES);
    for (int i = 0; i < count; i++)
        of_lengths[order[i]] = (unsigned char)take(in, 3);
    make_code(literals, of_lengths, 19);
    for (int i = 0; i < literal_count + distance_count;) {
        int symbol = take_symbol(in, literals), times = 1;
        unsigned char length = (unsigned char)symbol;
        if (symbol >= 16) {
            must(symbol != 16 || i > 0);
            length = symbol == 16 ? lengths[i - 1] : 0;
            times = symbol == 16   ? 3 + (int)take(in, 2)
                    : symbol == 17 ? 3 + (int)take(in, 3)
                                   : 11 + (int)take(in, 7);
        }
        must(i + times <= literal_count + distance_count);
        while (times--)
            lengths[i++] = length;
    }
    must(lengths[256]);
    make_code(literals, lengths, literal_count);
    make_code(distances, lengths + literal_count, distance_count);
}

static void fixed_codes(code *literals, code *distances) {
    unsigned char lengths[LITERALS];
    for (int i = 0; i < LITERALS; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    make_code(literals, lengths, LITERALS);
    memset(lengths, 5, sizeof lengths);
    make_code(distances, lengths, 32);
}

/* What the symbols `first` and up stand for: groups of `group` symbols, each group with one extra bit more. */
static unsigned take_size(stream *in, int symbol, int group, unsigned least) {
    int extra = symbol < group * 2 ? 0 : symbol / group - 1;
    for (int i = 0; i < symbol; i++)
        least += 1u << (i < group * 2 ? 0 : i / group - 1);
    return least + take(in, extra);
}

static size_t take_block(stream *in, unsigned kind, unsigned char *out, size_t len, size_t room) {
    code literals, distances;
    must(kind == 1 || kind == 2);
    if (kind == 1)
        fixed_codes(&literals, &distances);
    else
        take_codes(in, &literals, &distances);
    for (;;) {
        int symbol = take_symbol(in, &literals);
        if (symbol == 256)
            return len;
        if (symbol < 256) {
            must(len < room);
            out[len++] = (unsigned char)symbol;
            continue;
        }
        must(symbol <= 285);
        unsigned length = symbol == 285 ? 258 : take_size(in, symbol - 257, 4, 3);
        int distance_symbol = take_symbol(in, &distances);
        must(distance_symbol < DISTANCES);
        unsigned distance = take_size(in, distance_symbol, 2, 1);
        must(distance <= len && length <= room - len);
        for (; length; length--, len++)
            out[len] = out[len - distance];
    }
}

static size_t take_stored(stream *in, unsigned char *out, size_t len, size_t room) {
    take(in, in->count % 8);
    unsigned size = take(in, 16), check = take(in, 16);
    must((size ^ check) == 0xFFFF && size <= room - len);
    while (size--)
        out[len++] = (unsigned char)take(in, 8);
    return len;
}

size_t inflate_zlib(const unsigned char *packed, size_t packed_len, unsigned char *out,
                    size_t room) {
    stream in = {.at = packed + 2, .end = packed + packed_len};
    unsigned low = 1, high = 0, last;
    size_t len = 0;
    must(packed_len > 6 && (packed[0] & 15) == 8 && (packed[0] << 8 | packed[1]) % 31 == 0 &&
         !(packed[1] & 32));
    do {
        last = take(&in, 1);
        unsigned kind = take(&in, 2);
        len = kind ? take_block(&in, kind, out, len, room) : take_stored(&in, out, len, room);
    } while (!last);
    take(&in, in.count % 8);
    for (size_t i = 0; i < len; i++) {
        low = (low + out[i]) % 65521;
        high = (high + low) % 65521;
    }
    for (int shift = 24; shift >= 0; shift -= 8)
        must(take(&in, 8) == ((high << 16 | low) >> shift & 255));
    must(in.at == in.end && !in.count);
    return len;
}
