#pragma once

#include "cache/cache_db.h"

/* What the files cache_db*.c share. */
enum { LWB_DB_PAGE_SIZE = 8192 };

/* The first column of the first row of a pragma or query, as text or (text NULL) as a number. */
int lwb_db_ask(struct lwb_db *db, const char *sql, int64_t *number, struct lwb_buf *text,
               struct lwb_error *err);

/* ---- cache_db_open.c: called under the lock ------------------------------------------------ */

/* Open for writing; returns 1 if the file had to be replaced (`notice` may be NULL). */
int lwb_db_connect(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err);

/* Open what is there, change nothing; returns 1 if it is of no use. */
int lwb_db_connect_reader(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err);

/* Back to unconnected; everything is forgotten, damage too. */
void lwb_db_disconnect(struct lwb_db *db);

/* Move cache.db and what belongs to it out of the way. */
int lwb_db_set_aside(struct lwb_db *db, struct lwb_error *err);
