/*
 * What this process remembers of a policy or rollout that it works on: its fencing number, and when its status was last
 * written. By queue key.
 */
#ifndef CMD_TRACK_H
#define CMD_TRACK_H

#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct track {
	char *key;
	char *uid;
	int64_t epoch;        /* ours for this rollout; 0: none yet */
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
 * The fencing number to work with, given what the status says: at first one more than that, later the same. 0: the
 * status carries a higher one than ours, so another controller has taken over.
 */
int64_t track_epoch(struct track *track, int64_t status_epoch);

#endif
