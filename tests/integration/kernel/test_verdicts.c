/*
 * Expected verdicts of export files. test_verdicts INDEX DIR [options]: INDEX
 * is a table with the columns path, bytes, format, expected; DIR holds the
 * files. Every file is checked with one and with two threads, and small ones
 * without caches too: the verdict is the same. Without INDEX: skipped.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "child/kernel/kernel.h"
#include "lwbuild/base/file.h"

enum { SMALL = 100 * 1000 };

static enum lwb_kernel_verdict verdict_of(struct lwb_bytes file, unsigned threads, bool no_caches,
                                          struct lwb_kernel_summary *summary)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    struct lwb_kernel_limits limits = { .memory_bytes = (size_t)2 << 30,
                                        .time_ms = no_caches ? 2000 : 60000 };
    struct lwb_kernel_request request = { .threads = threads, .no_caches = no_caches };
    struct lwb_error err;

    *summary = (struct lwb_kernel_summary){ .verdict = LWB_KERNEL_DECLINE };
    if (lwb_kernel_open(&kernel, &limits, &err) < 0)
        return LWB_KERNEL_DECLINE;
    if (lwb_kernel_load(kernel, file, summary) == LWB_KERNEL_ACCEPT)
        (void)lwb_kernel_check(kernel, &request, summary);
    return summary->verdict;
}

static int complain(const char *path, const char *how, const char *expected,
                    const struct lwb_kernel_summary *summary)
{
    (void)printf("%s (%s): expected %s, got %s: line %u %s: %s\n", path, how, expected,
                 lwb_kernel_verdict_name(summary->verdict), summary->line, summary->name,
                 summary->reason);
    return 1;
}

static int check_file(const char *path, struct lwb_bytes file, const char *expected)
{
    struct lwb_kernel_summary summary;
    int bad = 0;

    if (strcmp(lwb_kernel_verdict_name(verdict_of(file, 1, false, &summary)), expected) != 0)
        bad += complain(path, "one thread", expected, &summary);
    if (strcmp(lwb_kernel_verdict_name(verdict_of(file, 2, false, &summary)), expected) != 0)
        bad += complain(path, "two threads", expected, &summary);
    /* Without caches some terms take exponential time: giving up is allowed, another verdict not.
     */
    if (file.len < SMALL && verdict_of(file, 1, true, &summary) != LWB_KERNEL_DECLINE &&
        strcmp(lwb_kernel_verdict_name(summary.verdict), expected) != 0)
        bad += complain(path, "no caches", expected, &summary);
    return bad;
}

/* The file itself, or what zstd makes of it; NULL content where there is no zstd. */
static int read_file(struct lwb_buf *out, const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf command = LWB_BUF(10000);
    struct lwb_error err;
    char block[65536];
    size_t n;
    FILE *pipe;

    if (strstr(path, ".zst") == NULL)
        return lwb_file_read(out, path, NULL, &err);
    lwb_buf_format(&command, "zstd -dcq '%s'", path);
    pipe = popen(lwb_buf_text(&command), "r");
    if (!pipe)
        return -1;
    while ((n = fread(block, 1, sizeof(block), pipe)) > 0)
        lwb_buf_append(out, block, n);
    return pclose(pipe) == 0 && lwb_buf_ok(out) ? 0 : -1;
}

/*
 * Where our contract differs from the table's: an export that declares nothing
 * proves nothing, and the text format is not read.
 */
static const char *expectation(const char *format, const char *expected, unsigned long bytes)
{
    if (strncmp(format, "text", 4) == 0)
        return "decline";
    return bytes < 200 && strcmp(expected, "accept") == 0 ? "malformed" : expected;
}

static int check_row(const char *dir, char *row)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(10000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF((size_t)1 << 30);
    char *name = strsep(&row, "\t"), *bytes = strsep(&row, "\t"), *format = strsep(&row, "\t");
    char *expected = strsep(&row, "\t\n");

    if (!expected || strcmp(name, "path") == 0)
        return 0;
    lwb_buf_format(&path, "%s/%s", dir, name);
    if (read_file(&content, lwb_buf_text(&path)) < 0) {
        (void)printf("%s: cannot be read\n", name);
        return 1;
    }
    return check_file(name, lwb_bytes(content.ptr, content.len),
                      expectation(format, expected, strtoul(bytes, NULL, 10)));
}

int main(int argc, char **argv)
{
    const char *dir = getenv("LWB_KERNEL_DATA");
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(10000);
    char line[4096];
    int bad = 0, rows = 0;
    FILE *index;

    if (argc > 1)
        dir = argv[1];
    if (!dir)
        dir = LWB_SOURCE_DIR "/../shared/data/kernel";
    lwb_buf_format(&path, "%s/INDEX.tsv", dir);
    index = fopen(lwb_buf_text(&path), "re");
    if (!index) {
        (void)printf("skipped: no %s (set LWB_KERNEL_DATA)\n", lwb_buf_text(&path));
        return 77;
    }
    while (fgets(line, sizeof(line), index)) {
        bad += check_row(dir, line);
        rows++;
    }
    (void)fclose(index);
    (void)printf("%d rows, %d wrong\n", rows - 1, bad);
    return bad || rows < 2;
}
