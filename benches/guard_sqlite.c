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

/* The columns of a record. last_code is NULL as long as there are only wrong codes. */
enum { LAST_STEP, LAST_CODE, FAILURES, LOCKED_UNTIL, LOCK_S, DISABLED, TURN, COLUMNS };

/* All but the name of the next row, which is bound. */
static void keep_row(const uint64_t id[2], const sqlite3_int64 record[COLUMNS]) {
    sqlite3_bind_blob(keep, 1, id, 2 * sizeof *id, SQLITE_STATIC);
    for (int i = 0; i < COLUMNS; i++)
        if (i != LAST_CODE)
            sqlite3_bind_int64(keep, 3 + i, record[i]);
    sqlite3_bind_int64(keep, 3 + COLUMNS,
                       (sqlite3_int64)scrambled(id[0] ^ (uint64_t)record[FAILURES]));
    done(keep);
}

/* Counts a wrong code as the library does: the same statements on the same table, whose columns src/guard/
   sqlite/table.rs explains. What is written changes each time, or SQLite would not write it. */
static void change(uint64_t credential) {
    uint64_t id[2];
    write_id(id, credential);
    done(begin);
    sqlite3_bind_blob(find, 1, id, sizeof id, SQLITE_STATIC);
    CHECK(sqlite3_step(find) == SQLITE_ROW);
    const void *nearest = sqlite3_column_blob(find, 0);
    CHECK(nearest && sqlite3_column_bytes(find, 0) == sizeof id);
    int known = memcmp(nearest, id, sizeof id) == 0;
    sqlite3_int64 record[COLUMNS] = {[LAST_STEP] = -1};
    for (int i = 0; known && i < COLUMNS; i++)
        record[i] = sqlite3_column_int64(find, 2 + i);
    record[FAILURES] = (record[FAILURES] + 1) % 100;
    record[TURN] = !record[TURN];
    CHECK(sqlite3_column_blob(find, 1));
    sqlite3_bind_blob(keep, 2, sqlite3_column_blob(find, 1), sizeof id, SQLITE_TRANSIENT);
    CHECK(sqlite3_reset(find) == SQLITE_OK);
    keep_row(id, record);
    done(commit);
}

static void change_bare(size_t calls) {
    static uint64_t changes;
    while (calls--)
        change(changes++ % thousand.credentials);
}

static void open_bare(const char *path) {
    static const uint64_t end[2];
    static const sqlite3_int64 nothing[COLUMNS];
    CHECK(sqlite3_open_v2(path, &bare,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          NULL) == SQLITE_OK);
    CHECK(sqlite3_exec(bare,
                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                       "CREATE TABLE credential_1 (id BLOB PRIMARY KEY, next BLOB NOT NULL,"
                       "last_step INTEGER NOT NULL, last_code INTEGER, failures INTEGER NOT NULL,"
                       "locked_until INTEGER NOT NULL, lock_s INTEGER NOT NULL,"
                       "disabled INTEGER NOT NULL, turn INTEGER NOT NULL,"
                       "checksum INTEGER NOT NULL) WITHOUT ROWID, STRICT",
                       NULL, NULL, NULL) == SQLITE_OK);
    prepare_statement(&begin, "BEGIN IMMEDIATE");
    prepare_statement(
        &find,
        "SELECT id, next, last_step, last_code, failures, locked_until, lock_s, "
        "disabled, turn, checksum FROM credential_1 WHERE id <= ?1 ORDER BY id DESC LIMIT 1");
    prepare_statement(&keep,
                      "REPLACE INTO credential_1 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    prepare_statement(&commit, "COMMIT");
    sqlite3_bind_blob(keep, 2, end, sizeof end, SQLITE_STATIC);
    keep_row(end, nothing);
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
