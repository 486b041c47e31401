#pragma once

/*
 * Notes that runs without a database leave in the directory: one line per run,
 * "<modules> <saved_ns> <path of a file of keys>".
 */
#define LWB_NOTES_FILE "uses"
enum { LWB_NOTES_MAX = 256 * 1024, LWB_NOTES_MANY = 16 * 1024 };

struct lwb_cache;

/*
 * Take the notes in: counters and touches, to be written with the next commit.
 * A note stands for as many touches as the project has modules, so this is for
 * those who want to know: what is used least, what is to be counted.
 */
void lwb_notes_fold(struct lwb_cache *cache);

/* For everybody else: when so many have come together that it is time. */
void lwb_notes_fold_if_many(struct lwb_cache *cache);
