#pragma once

#include "lwbuild/base/json.h"
#include "lwbuild/protocol/message.h"

/*
 * What the codecs share. A writer puts one frame straight into the buffer it
 * is sent from: length (patched at the end), head members, attachment.
 */
struct lwb_writer {
    struct lwb_buf *out;
    size_t start;
    uint32_t limit;
    bool first;
};

void lwb_writer_begin(struct lwb_writer *writer, struct lwb_buf *out,
                      const struct lwb_message_head *head, uint32_t limit);

/* Members that say nothing are not written: NULL texts and lists, and numbers equal to `silent`. */
void lwb_writer_text(struct lwb_writer *writer, const char *key, const char *value);
void lwb_writer_bytes(struct lwb_writer *writer, const char *key, struct lwb_bytes value);
void lwb_writer_count(struct lwb_writer *writer, const char *key, uint64_t value);
void lwb_writer_int(struct lwb_writer *writer, const char *key, int64_t value, int64_t silent);
void lwb_writer_flag(struct lwb_writer *writer, const char *key, bool value);
void lwb_writer_strings(struct lwb_writer *writer, const char *key, const struct lwb_strvec *list);
void lwb_writer_streams(struct lwb_writer *writer, const struct lwb_stream_count *streams,
                        size_t n_streams);

/* Lists of objects: begin, then per item open and close, then end. */
void lwb_writer_list(struct lwb_writer *writer, const char *key);
void lwb_writer_open(struct lwb_writer *writer, bool first);
void lwb_writer_close(struct lwb_writer *writer);
void lwb_writer_list_end(struct lwb_writer *writer);

/* attachment.ptr NULL: none. */
int lwb_writer_end(struct lwb_writer *writer, struct lwb_bytes attachment, struct lwb_error *err);

/* Memory that lives as long as the message; NULL when there is none. */
void *lwb_message_alloc(struct lwb_message *message, size_t count, size_t size);

/* A list of strings that are borrowed from the message; an absent one is empty. */
int lwb_message_strings(struct lwb_message *message, const char *key, struct lwb_strvec *out,
                        struct lwb_error *err);

/*
 * Read head and members without a tree, which is what nearly all messages
 * allow: a head as the encoders write it, with texts that need no escapes,
 * counts and flags behind it. Returns 1, or 0 when it has to be read as a
 * tree; that means the same.
 */
int lwb_message_scan(struct lwb_message *message, struct lwb_error *err);

/*
 * Members by key, as the getters of base/json.h are: typed, absent or null
 * only where a fallback is given. `opt_array` returns 1, or 0 when there is none.
 */
bool lwb_message_has(const struct lwb_message *message, const char *key);
int lwb_message_get_text(struct lwb_message *message, const char *key, const char **out,
                         struct lwb_error *err);
int lwb_message_opt_text(struct lwb_message *message, const char *key, const char *fallback,
                         const char **out, struct lwb_error *err);
int lwb_message_get_count(struct lwb_message *message, const char *key, uint64_t *out,
                          struct lwb_error *err);
int lwb_message_opt_int(struct lwb_message *message, const char *key, int64_t fallback,
                        int64_t *out, struct lwb_error *err);
int lwb_message_get_bool(struct lwb_message *message, const char *key, bool *out,
                         struct lwb_error *err);
int lwb_message_opt_bool(struct lwb_message *message, const char *key, bool fallback, bool *out,
                         struct lwb_error *err);
int lwb_message_get_array(struct lwb_message *message, const char *key, const cJSON **out,
                          struct lwb_error *err);
int lwb_message_opt_array(struct lwb_message *message, const char *key, const cJSON **out,
                          struct lwb_error *err);

/* A count that may be absent: 0. */
int lwb_message_count(struct lwb_message *message, const char *key, uint64_t *out,
                      struct lwb_error *err);

/* Returns 0, or -1 for a word that is no type. */
int lwb_message_type_parse(enum lwb_message_type *out, struct lwb_bytes name);

/* What a typed getter or a word that is not known failed with, as a protocol error. */
int lwb_message_bad(const struct lwb_message *message, struct lwb_error *err);
int lwb_message_bad_word(const struct lwb_message *message, const char *key, const char *word,
                         struct lwb_error *err);
