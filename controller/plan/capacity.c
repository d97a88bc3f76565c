/*
 * drain.requireCapacity: a node is started only when the pods that its drain evicts fit on other nodes.
 *
 * A scheduler in small: what pods request of CPU and memory and their number, node selectors and taints; the largest
 * pod first, each to the first node with room. Pods that are looking for a place already come before: those without a
 * node, and those on nodes in work. What else a scheduler looks at (affinity, spread, volumes, other resources) is not
 * considered.
 */
#include "controller/plan/budget.h"
#include <string.h>

#define MAX_TRIES 20        /* nodes that are tried in one pass */
#define LOOK_AGAIN_MS 10000 /* pods come and go everywhere, and nobody tells a rollout that waits for room */
#define MIB (INT64_C(1) << 20)

static int64_t memory_of(const struct pod *pod)
{
	return (int64_t)pod->memory_kib * 1024;
}

/* An eviction sends it somewhere else: it is not the node's own, has not ended, and somebody starts it again. */
static bool moves(const struct pass *pass, const struct pod *pod)
{
	const struct drain_rules *drain = &pass->rules->drain;

	if (pod->mirror || pod_finished(pod) || pod->object.deleted_ms != KUBE_TIME_NONE || !*pod->owner_kind ||
	    !strcmp(pod->owner_kind, "DaemonSet"))
		return false;
	return !drain->pod_selector || kube_selector_matches(drain->pod_selector, &pod->labels);
}

/* ---- where a pod may run ---- */

/* k8s.io/api/core/v1 Toleration.ToleratesTaint(). */
static bool tolerates(const struct toleration *toleration, const struct taint *taint)
{
	if (*toleration->effect && strcmp(toleration->effect, taint->effect) != 0)
		return false;
	if (*toleration->key && strcmp(toleration->key, taint->key) != 0)
		return false;
	return !strcmp(toleration->operator_, "Exists") || !strcmp(toleration->value, taint->value ? taint->value : "");
}

static bool taint_tolerated(const struct pod *pod, const struct taint *taint)
{
	if (!strcmp(taint->effect, "PreferNoSchedule"))
		return true;
	for (size_t i = 0; pod->place && i < pod->place->tolerations.count; i++)
		if (tolerates(&pod->place->tolerations.items[i], taint))
			return true;
	return false;
}

static bool admits(const struct node *node, const struct pod *pod)
{
	for (size_t i = 0; i < node->taints.count; i++)
		if (!taint_tolerated(pod, &node->taints.items[i]))
			return false;
	for (size_t i = 0; pod->place && i < pod->place->node_selector.count; i++) {
		const struct kube_str_pair *wanted = &pod->place->node_selector.items[i];
		const char *label = kube_strmap_get(&node->labels, wanted->key);
		if (!label || strcmp(label, wanted->value) != 0)
			return false;
	}
	return true;
}

/* ---- room ---- */

static void use(struct room *room, const struct pod *pod, int times)
{
	room->left.cpu_m -= times * (int64_t)pod->cpu_m;
	room->left.memory -= times * memory_of(pod);
	room->left.pods -= times;
}

static bool has_room(const struct room *room, const struct pod *pod)
{
	return room->left.pods >= 1 && room->left.cpu_m >= (int64_t)pod->cpu_m && room->left.memory >= memory_of(pod);
}

static struct room *place(struct capacity *capacity, const struct pod *pod)
{
	for (size_t i = 0; i < capacity->count; i++) {
		struct room *room = &capacity->rooms[i];
		if (!room->open || !has_room(room, pod) || !admits(room->node, pod))
			continue;
		use(room, pod, 1);
		return room;
	}
	return NULL;
}

static int largest_first(const void *a, const void *b)
{
	const struct pod *x = *(const struct pod *const *)a, *y = *(const struct pod *const *)b;

	if (x->memory_kib != y->memory_kib)
		return x->memory_kib < y->memory_kib ? 1 : -1;
	if (x->cpu_m != y->cpu_m)
		return x->cpu_m < y->cpu_m ? 1 : -1;
	return strcmp(x->object.key, y->object.key);
}

/* Those of a node that an eviction sends elsewhere, with what was given a place on it (room NULL: nothing was). */
static const struct pod **moving(const struct pass *pass, const struct capacity *capacity, const struct node_load *load,
                                 const struct room *room, size_t *ret_count)
{
	const struct pod **pods = plan_alloc(pass->arena, (load->count + capacity->guest_count) * sizeof(*pods));
	size_t count = 0;

	for (size_t i = 0; i < load->count; i++)
		if (moves(pass, load->pods[i]))
			pods[count++] = load->pods[i];
	for (size_t i = 0; room && i < capacity->guest_count; i++)
		if (capacity->guests[i].room == room)
			pods[count++] = capacity->guests[i].pod;
	qsort(pods, count, sizeof(*pods), largest_first);
	*ret_count = count;
	return pods;
}

static void add_guest(const struct pass *pass, struct capacity *capacity, const struct pod *pod, struct room *room)
{
	if (capacity->guest_count == capacity->guest_room) {
		size_t wanted = capacity->guest_room ? 2 * capacity->guest_room : 64;
		struct guest *more = plan_alloc(pass->arena, wanted * sizeof(*more));
		if (capacity->guest_count)
			memcpy(more, capacity->guests, capacity->guest_count * sizeof(*more));
		capacity->guests = more;
		capacity->guest_room = wanted;
	}
	capacity->guests[capacity->guest_count++] = (struct guest){.pod = pod, .room = room};
}

/* What finds no place now finds none whatever is drained. */
static void place_homeless(const struct pass *pass, struct capacity *capacity, const struct node_load *load)
{
	size_t count;
	const struct pod **pods = moving(pass, capacity, load, NULL, &count);

	for (size_t i = 0; i < count; i++) {
		struct room *room = place(capacity, pods[i]);
		if (room)
			add_guest(pass, capacity, pods[i], room);
	}
}

static struct room room_now(const struct node *node, const struct node_load *load, bool granted)
{
	struct room room = {.node = node, .left = node->allocatable};

	room.open = node->ready && !node->unschedulable && !granted && node->object.deleted_ms == KUBE_TIME_NONE;
	for (size_t i = 0; i < load->count; i++)
		if (!pod_finished(load->pods[i]))
			use(&room, load->pods[i], 1);
	return room;
}

bool capacity_asked(const struct pass *pass)
{
	return pass->rules->drain.enabled && pass->rules->drain.require_capacity && pass->s->loads;
}

void capacity_begin(const struct pass *pass, const bool *granted, struct capacity *ret_capacity)
{
	const struct rollout_snapshot *s = pass->s;
	struct capacity capacity = {.count = s->node_count};

	capacity.rooms = plan_alloc(pass->arena, s->node_count * sizeof(*capacity.rooms));
	for (size_t i = 0; i < s->node_count; i++)
		capacity.rooms[i] = room_now(s->nodes[i], &s->loads[i], granted[i]);
	place_homeless(pass, &capacity, &s->unscheduled);
	for (size_t i = 0; i < s->node_count; i++)
		if (granted[i])
			place_homeless(pass, &capacity, &s->loads[i]);
	*ret_capacity = capacity;
}

/* ---- one node more ---- */

static const char *shortage(const struct pass *pass, const struct capacity *capacity, const struct node *node,
                            const struct pod *pod)
{
	struct resources most = {0};
	size_t admitting = 0;

	for (size_t i = 0; i < capacity->count; i++) {
		const struct room *room = &capacity->rooms[i];
		if (!room->open || !admits(room->node, pod))
			continue;
		admitting++;
		most.cpu_m = room->left.cpu_m > most.cpu_m ? room->left.cpu_m : most.cpu_m;
		most.memory = room->left.memory > most.memory ? room->left.memory : most.memory;
		most.pods = room->left.pods > most.pods ? room->left.pods : most.pods;
	}
	const char *needs = plan_printf(pass->arena, "pod %s of node %s requests %lldm CPU and %lldMi", pod->object.key,
	                                node->object.name, (long long)pod->cpu_m, (long long)(memory_of(pod) / MIB));
	if (admitting == 0)
		return plan_printf(
		    pass->arena,
		    "drain.requireCapacity: %s, and no other node that is Ready and schedulable has its labels and "
		    "taints for it",
		    needs);
	return plan_printf(pass->arena,
	                   "drain.requireCapacity: %s, and of the %zu other nodes that may take it none has room: at most "
	                   "%lldm CPU, %lldMi and %lld pods are left on one",
	                   needs, admitting, (long long)most.cpu_m, (long long)(most.memory / MIB), (long long)most.pods);
}

static struct room *room_of(struct capacity *capacity, const struct node *node)
{
	for (size_t i = 0; i < capacity->count; i++)
		if (capacity->rooms[i].node == node)
			return &capacity->rooms[i];
	return NULL;
}

/* How many of them have a place now: all, or those before the first that has none. */
static size_t place_all(struct capacity *capacity, const struct pod **pods, size_t count, struct room **rooms)
{
	size_t placed = 0;

	while (placed < count && (rooms[placed] = place(capacity, pods[placed])) != NULL)
		placed++;
	return placed;
}

/* Who had been given a place there has another one now. */
static void move_in(const struct pass *pass, struct capacity *capacity, const struct room *left,
                    const struct pod **pods, struct room **rooms, size_t count)
{
	for (size_t i = 0; i < capacity->guest_count; i++)
		if (capacity->guests[i].room == left)
			capacity->guests[i].room = NULL;
	for (size_t i = 0; i < count; i++)
		add_guest(pass, capacity, pods[i], rooms[i]);
}

const char *capacity_refusal(struct pass *pass, struct capacity *capacity, const struct node *node)
{
	struct room *own = capacity->rooms ? room_of(capacity, node) : NULL;
	size_t count;

	if (!own)
		return NULL;
	if (capacity->tries++ >= MAX_TRIES)
		return "drain.requireCapacity: further nodes are looked at when those before them have found room";
	bool was_open = own->open;
	own->open = false;
	const struct pod **pods = moving(pass, capacity, &pass->s->loads[own - capacity->rooms], own, &count);
	struct room **rooms = plan_alloc(pass->arena, count * sizeof(struct room *));
	size_t placed = place_all(capacity, pods, count, rooms);
	if (placed == count) {
		move_in(pass, capacity, own, pods, rooms, count);
		return NULL;
	}
	look_again_at(pass->out, pass->s->now_ms + LOOK_AGAIN_MS);
	const char *text = shortage(pass, capacity, node, pods[placed]);
	while (placed-- > 0)
		use(rooms[placed], pods[placed], -1);
	own->open = was_open;
	return text;
}
