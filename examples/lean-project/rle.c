#include <stdio.h>
#include <stdlib.h>

/* Codec.encode and Codec.decode in C: usage: rle TEXT; prints the runs, and what they stand for. */
struct run {
    size_t count;
    char letter;
};

static size_t encode(struct run *runs, const char *text)
{
    size_t n_runs = 0;

    for (; *text; text++) {
        if (n_runs && runs[n_runs - 1].letter == *text)
            runs[n_runs - 1].count++;
        else
            runs[n_runs++] = (struct run){ .count = 1, .letter = *text };
    }
    return n_runs;
}

static void decode(char *text, const struct run *runs, size_t n_runs)
{
    for (size_t i = 0; i < n_runs; i++)
        for (size_t k = 0; k < runs[i].count; k++)
            *text++ = runs[i].letter;
    *text = '\0';
}

int main(int argc, char **argv)
{
    struct run runs[100];
    char text[101];
    size_t n_runs;

    if (argc != 2 || snprintf(text, sizeof(text), "%s", argv[1]) >= (int)sizeof(text)) {
        fprintf(stderr, "usage: rle TEXT (at most 100 letters)\n");
        return EXIT_FAILURE;
    }
    n_runs = encode(runs, text);
    decode(text, runs, n_runs);
    for (size_t i = 0; i < n_runs; i++)
        printf("%zu%c", runs[i].count, runs[i].letter);
    printf(" %s\n", text);
    return EXIT_SUCCESS;
}
