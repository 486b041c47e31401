#pragma once

/*
 * Notes that runs without a database leave in the directory: one line per run,
 * "<modules> <saved_ns> <path of a file of keys>".
 */
#define LWB_NOTES_FILE "uses"
enum { LWB_NOTES_MAX = 256 * 1024 };

struct lwb_cache;

/* Take the notes in: counters and touches, to be written with the next commit. */
void lwb_notes_fold(struct lwb_cache *cache);
