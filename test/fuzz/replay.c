/* Runs a fuzz target on the files of its corpus, in place of libFuzzer: any compiler will do. */
#include "test/fuzz/fuzz.h"

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t size = 0;

	if (!file) {
		perror(path);
		return EXIT_FAILURE;
	}
	if (fseek(file, 0, SEEK_END) == 0 && ftell(file) > 0)
		size = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(size ? size : 1);
	bool whole = bytes && fread(bytes, 1, size, file) == size;
	fclose(file);
	if (whole)
		LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		fprintf(stderr, "%s\n", argv[i]); /* before it runs: the last one is to blame */
		if (replay(argv[i]) != EXIT_SUCCESS)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
