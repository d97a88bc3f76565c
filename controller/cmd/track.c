#include "controller/cmd/track.h"
#include <stdlib.h>
#include <string.h>

static void free_track(struct track *track)
{
	free(track->key);
	free(track->uid);
	free(track);
}

struct track *tracks_find(const struct tracks *tracks, const char *key)
{
	struct track *track;
	HASH_FIND_STR(tracks->table, key, track);
	return track;
}

static struct track *add(struct tracks *tracks, const char *key, const char *uid)
{
	struct track *track = calloc(1, sizeof(*track));
	if (!track)
		return NULL;
	track->status_at_ms = INT64_MIN;
	track->key = strdup(key);
	track->uid = strdup(uid);
	if (track->key && track->uid) {
		HASH_ADD_KEYPTR(hh, tracks->table, track->key, strlen(track->key), track);
		if (track->hh.tbl)
			return track;
	}
	free_track(track);
	return NULL;
}

struct track *tracks_get(struct tracks *tracks, const char *key, const char *uid)
{
	struct track *track = tracks_find(tracks, key);
	if (track && strcmp(track->uid, uid) == 0)
		return track;
	tracks_drop(tracks, key);
	return add(tracks, key, uid);
}

void tracks_drop(struct tracks *tracks, const char *key)
{
	struct track *track = tracks_find(tracks, key);
	if (!track)
		return;
	HASH_DEL(tracks->table, track);
	free_track(track);
}

void tracks_finish(struct tracks *tracks)
{
	while (tracks->table) {
		struct track *track = tracks->table;
		HASH_DEL(tracks->table, track);
		free_track(track);
	}
}

int64_t track_epoch(struct track *track, int64_t status_epoch)
{
	if (!track->epoch_written && track->epoch <= status_epoch)
		track->epoch = status_epoch + 1;
	return status_epoch <= track->epoch ? track->epoch : 0;
}

void track_wrote_epoch(struct track *track, int64_t epoch)
{
	if (track && track->epoch == epoch)
		track->epoch_written = true;
}
