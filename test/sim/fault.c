#include "test/sim/world.h"

struct faults {
	struct world *world;
};

struct faults *faults_new(struct world *world)
{
	struct faults *faults = calloc(1, sizeof(*faults));

	faults->world = world;
	return faults;
}

void faults_end(struct faults *faults)
{
	(void)faults;
}

void faults_free(struct faults *faults)
{
	free(faults);
}
