/*
 * What this process remembers of a policy or rollout that it works on: its fencing number, and when its status was last
 * written. By queue key.
 */
#ifndef CMD_TRACK_H
#define CMD_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct track {
	char *key;
	char *uid;
	int64_t epoch;        /* ours for this rollout; 0: none yet */
	bool epoch_written;   /* and the server has said so to us */
	int64_t status_at_ms; /* mono time of the last status write; INT64_MIN: none */
	UT_hash_handle hh;
};

struct tracks {
	struct track *table;
};

/* The one for this key and UID, new when there is none yet (another UID is another object). NULL when out of memory. */
struct track *tracks_get(struct tracks *tracks, const char *key, const char *uid);
void tracks_drop(struct tracks *tracks, const char *key);
void tracks_finish(struct tracks *tracks);

/*
 * The fencing number to work with, given what the status says: one more than that until we have written ours, then the
 * same. 0: the status carries a higher one than ours, so another controller has taken over. What the status says before
 * our write may be old, and the same number may be another one's: only an answer to our own write makes it ours.
 */
int64_t track_epoch(struct track *track, int64_t status_epoch);
/* The server has written a status of ours that carries this number. NULL is fine. */
void track_wrote_epoch(struct track *track, int64_t epoch);
struct track *tracks_find(const struct tracks *tracks, const char *key); /* NULL: none */

#endif
