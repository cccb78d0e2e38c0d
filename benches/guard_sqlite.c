/* The sqlite guard: beside the same transaction by SQLite's own C interface, and with many credentials. */
#include <sqlite3.h>
#include <string.h>

#include "crowd.h"
#include "themes.h"

static crowd thousand = {.credentials = 1000}, million = {.credentials = 1000000};

static void prepare_thousand(size_t calls) { prepare_guesses(&thousand, calls); }
static void prepare_million(size_t calls) { prepare_guesses(&million, calls); }
static void among_thousand(size_t calls) { guess(&thousand, calls); }
static void among_million(size_t calls) { guess(&million, calls); }

static sqlite3 *bare;
static sqlite3_stmt *begin, *find, *keep, *commit;

static void prepare_statement(sqlite3_stmt **statement, const char *text) {
    CHECK(sqlite3_prepare_v3(bare, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) ==
          SQLITE_OK);
}

static void done(sqlite3_stmt *statement) {
    CHECK(sqlite3_step(statement) == SQLITE_DONE);
    CHECK(sqlite3_reset(statement) == SQLITE_OK);
}

static void write_id(uint64_t id[2], uint64_t credential) {
    id[0] = scrambled(2 * credential);
    id[1] = scrambled(2 * credential + 1);
}

/* A credential's record. */
typedef struct {
    long long last_step, last_code, locked_until;
    unsigned failures, lock_s, disabled;
    unsigned long long attempt;
} record;

static const record new_record = {.last_step = -1, .last_code = -1};

/* The text that src/guard/record.rs describes. */
#define RECORD_FORM "1 %lld %lld %u %lld %u %u %llu 0 -"
enum { RECORD_SIZE = 128, RECORD_FIELDS = 7 };

/* All but the id of the next row, which is bound. What is written changes each time by `turn`, or SQLite would not
   write it. */
static void keep_row(const uint64_t id[2], const record *row, int turn) {
    char text[RECORD_SIZE];
    int length =
        snprintf(text, sizeof text, RECORD_FORM, row->last_step, row->last_code, row->failures,
                 row->locked_until, row->lock_s, row->disabled, row->attempt);
    sqlite3_bind_blob(keep, 1, id, 2 * sizeof *id, SQLITE_STATIC);
    sqlite3_bind_text(keep, 3, text, length, SQLITE_STATIC);
    sqlite3_bind_int(keep, 4, turn);
    sqlite3_bind_int64(keep, 5, (sqlite3_int64)scrambled(id[0] ^ row->failures));
    done(keep);
}

/* Counts a wrong code as the library does: the same statements on the same table, which src/guard/sqlite/table.rs
   explains. */
static void change(uint64_t credential) {
    uint64_t id[2];
    write_id(id, credential);
    done(begin);
    sqlite3_bind_blob(find, 1, id, sizeof id, SQLITE_STATIC);
    CHECK(sqlite3_step(find) == SQLITE_ROW);
    const void *nearest = sqlite3_column_blob(find, 0);
    CHECK(nearest && sqlite3_column_bytes(find, 0) == sizeof id);
    record row = new_record;
    int turn = 0;
    if (memcmp(nearest, id, sizeof id) == 0) {
        const char *text = (const char *)sqlite3_column_text(find, 2);
        CHECK(sscanf(text, RECORD_FORM, &row.last_step, &row.last_code, &row.failures,
                     &row.locked_until, &row.lock_s, &row.disabled, &row.attempt) == RECORD_FIELDS);
        turn = sqlite3_column_int(find, 3);
    }
    row.failures = (row.failures + 1) % 100;
    CHECK(sqlite3_column_blob(find, 1));
    sqlite3_bind_blob(keep, 2, sqlite3_column_blob(find, 1), sizeof id, SQLITE_TRANSIENT);
    CHECK(sqlite3_reset(find) == SQLITE_OK);
    keep_row(id, &row, !turn);
    done(commit);
}

static void change_bare(size_t calls) {
    static uint64_t changes;
    while (calls--)
        change(changes++ % thousand.credentials);
}

static void open_bare(const char *path) {
    static const uint64_t end[2];
    CHECK(sqlite3_open_v2(path, &bare,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          NULL) == SQLITE_OK);
    CHECK(sqlite3_exec(bare,
                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                       "CREATE TABLE credential_1 (id BLOB PRIMARY KEY, next BLOB NOT NULL,"
                       "record TEXT NOT NULL, turn INTEGER NOT NULL, checksum INTEGER NOT NULL)"
                       "WITHOUT ROWID, STRICT",
                       NULL, NULL, NULL) == SQLITE_OK);
    prepare_statement(&begin, "BEGIN IMMEDIATE");
    prepare_statement(&find, "SELECT id, next, record, turn, checksum FROM credential_1 "
                             "WHERE id <= ?1 ORDER BY id DESC LIMIT 1");
    prepare_statement(&keep, "REPLACE INTO credential_1 VALUES (?1, ?2, ?3, ?4, ?5)");
    prepare_statement(&commit, "COMMIT");
    sqlite3_bind_blob(keep, 2, end, sizeof end, SQLITE_STATIC);
    keep_row(end, &new_record, 0);
    for (uint64_t i = 0; i < thousand.credentials; i++)
        change(i);
}

static bench_case small = {.prepare = prepare_thousand, .run = among_thousand},
                  large = {.prepare = prepare_million, .run = among_million},
                  transaction = {.run = change_bare};

static void gather_in(crowd *crowd, const char *folder, const char *name) {
    char guard[512];
    snprintf(guard, sizeof guard,
             "{\"store\":\"sqlite\",\"path\":\"%s/%s\",\"create\":true,"
             "\"synchronous\":\"NORMAL\"," PATIENT "}",
             folder, name);
    gather(crowd, guard);
}

void compare_sqlite_guard(const char *folder) {
    char path[512];
    gather_in(&thousand, folder, "thousand");
    gather_in(&million, folder, "million");
    snprintf(path, sizeof path, "%s/bare", folder);
    open_bare(path);
    compare("verify, sqlite guard (NORMAL)", &small, "the same transaction by bare C sqlite3",
            &transaction, TIME, 1.3);
    compare("verify, sqlite guard, 1,000,000 credentials", &large, "1,000 credentials", &small,
            TIME, 1.5);
}
