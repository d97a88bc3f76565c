/*
 * kube-probe: does with libkube what a test tells it on standard input, a line at a time, and says what came of it on
 * standard output, a JSON document a line.
 *
 *   call ID METHOD TARGET [TYPE BODY]   one request of the client, with its retries; TYPE is a media type or "-"
 *   watch ID TARGET                     a stream of the transport, until it ends
 *   cancel ID                           ends a watch
 *   increment ID TARGET LABEL           adds 1 to a label of a node, whatever others do meanwhile (kube/update.h)
 *   event ID REASON NOTE                an Event about the namespace "default" (kube/events.h)
 *   flush ID                            sends what Events have counted; "done" at once
 *
 * Answers: {"id", "event", "ms", …}, ms being the milliseconds since the probe's start. Events: "done" (with "status",
 * "json" or "error"), "head" and "line" of a watch, and "warning" (without an id). The end of the input ends it.
 */
#ifndef TEST_PROBE_PROBE_H
#define TEST_PROBE_PROBE_H

#include <kube/client.h>

#define PROBE_MAX_LINE_BYTES ((size_t)1 << 20)

struct probe;

int probe_new(struct kube_client *client, struct probe **ret_probe, struct kube_err *err);
void probe_free(struct probe *probe); /* NULL is fine */
/* Says what is wrong with a line by an answer, too. */
void probe_command(struct probe *probe, char *line);

#endif
