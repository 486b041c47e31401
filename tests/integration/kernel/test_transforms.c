#include "tests/support/test.h"

#include "lwbuild/base/alloc.h"
#include "tests/integration/kernel/export_lines.h"
#include "tests/integration/kernel/verdict.h"

/*
 * Changes that must not matter, and changes that must. The fixtures come from
 * the .lean sources beside them.
 */
static const char *const fixtures[] = { "accept/small.ndjson", "accept/basic.ndjson",
                                        "accept/nested.ndjson", "accept/division.ndjson" };

typedef void (*transform)(struct export_lines *lines);

static enum lwb_kernel_verdict transformed(const char *fixture, transform fn, unsigned threads)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 24);
    const struct verdict_options options = { .threads = threads, .time_ms = 60000 };
    struct lwb_kernel_summary summary;
    struct export_lines lines;

    read_fixture(&file, fixture);
    export_parse(&lines, lwb_bytes(file.ptr, file.len));
    fn(&lines);
    export_print(&lines, &out);
    export_release(&lines);
    assert_true(lwb_buf_ok(&out));
    (void)verdict_with(lwb_bytes(out.ptr, out.len), &options, &summary);
    if (summary.verdict != LWB_KERNEL_ACCEPT)
        print_message("%s: line %u %s: %s\n", fixture, summary.line, summary.name, summary.reason);
    return summary.verdict;
}

static void check_harmless(transform fn)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(fixtures); i++) {
        assert_int_equal(transformed(fixtures[i], fn, 1), LWB_KERNEL_ACCEPT);
        assert_int_equal(transformed(fixtures[i], fn, 2), LWB_KERNEL_ACCEPT);
    }
}

static void leave(struct export_lines *lines)
{
    (void)lines;
}

static void fixtures_are_accepted(void **state)
{
    (void)state;
    check_harmless(leave);
}

/*
 * Renumbering: gaps, numbers far beyond 32 bits, falling numbers.
 * --------------------------------
 */

static void renumber_one(cJSON *value, const char *key, void *data)
{
    enum space space = space_of(key);
    double n = value->valuedouble;

    (void)data;
    if (space == NO_SPACE || !cJSON_IsNumber(value) || (n == 0 && space != EXPRS))
        return;
    cJSON_SetNumberHelper(value, space == NAMES ? n * 1000003 + 5 : 3 * n + 7);
}

static void renumber(struct export_lines *lines)
{
    size_t i;

    for (i = 1; i < lines->n; i++)
        export_visit(lines->lines[i], renumber_one, NULL);
}

static void numbers_may_have_gaps(void **state)
{
    (void)state;
    check_harmless(renumber);
}

static void turn_around_one(cJSON *value, const char *key, void *data)
{
    enum space space = space_of(key);

    (void)data;
    if (space == NO_SPACE || !cJSON_IsNumber(value) || (value->valuedouble == 0 && space != EXPRS))
        return;
    cJSON_SetNumberHelper(value, 100000 - value->valuedouble);
}

static void turn_around(struct export_lines *lines)
{
    size_t i;

    for (i = 1; i < lines->n; i++)
        export_visit(lines->lines[i], turn_around_one, NULL);
}

static void numbers_may_fall(void **state)
{
    (void)state;
    check_harmless(turn_around);
}

/*
 * Keys in another order.
 * ------------------------------------------------------------------------
 */

static void reverse(cJSON *object)
{
    cJSON *child, *reversed = NULL, *last = NULL;

    for (child = object->child; child; child = child->next)
        reverse(child);
    if (!cJSON_IsObject(object))
        return;
    while ((child = object->child) != NULL) {
        (void)cJSON_DetachItemViaPointer(object, child);
        child->next = reversed;
        if (reversed)
            reversed->prev = child;
        else
            last = child;
        reversed = child;
    }
    object->child = reversed;
    if (reversed)
        reversed->prev = last;
}

static void reverse_keys(struct export_lines *lines)
{
    size_t i;

    for (i = 1; i < lines->n; i++)
        reverse(lines->lines[i]);
}

static void keys_may_stand_in_any_order(void **state)
{
    (void)state;
    check_harmless(reverse_keys);
}

/*
 * Every expression twice, and each use of the other copy.
 * ---------------------------------------
 */

static void use_copy(cJSON *value, const char *key, void *data)
{
    const double offset = *(double *)data;

    if (space_of(key) == EXPRS && strcmp(key, "ie") != 0 && cJSON_IsNumber(value))
        cJSON_SetNumberHelper(value, value->valuedouble + offset);
}

static void duplicate(struct export_lines *lines)
{
    struct export_lines all = { malloc(2 * lines->n * sizeof(cJSON *)), 0 };
    double offset = 100000;
    size_t i;

    assert_non_null(all.lines);
    for (i = 0; i < lines->n; i++) {
        cJSON *line = lines->lines[i], *copy;

        all.lines[all.n++] = line;
        if (!cJSON_GetObjectItemCaseSensitive(line, "ie")) {
            if (is_declaration(line))
                export_visit(line, use_copy, &offset);
            continue;
        }
        copy = cJSON_Duplicate(line, true);
        cJSON_SetNumberHelper(cJSON_GetObjectItemCaseSensitive(copy, "ie"),
                              cJSON_GetObjectItemCaseSensitive(line, "ie")->valuedouble + offset);
        if (i & 1)
            export_visit(copy, use_copy, &offset);
        all.lines[all.n++] = copy;
    }
    lwb_free(lines->lines);
    lines->lines = lwb_alloc_array(all.n, sizeof(cJSON *));
    memcpy(lines->lines, all.lines, all.n * sizeof(cJSON *));
    lines->n = all.n;
    free(all.lines);
}

static void expressions_may_stand_there_twice(void **state)
{
    (void)state;
    check_harmless(duplicate);
}

/*
 * Names of bound variables, kinds of binders and hints are nothing to the kernel.
 * ---------------
 */

static void rename_binder(cJSON *line, const char *kind)
{
    cJSON *binder = cJSON_GetObjectItemCaseSensitive(line, kind);

    if (!binder)
        return;
    cJSON_SetNumberHelper(cJSON_GetObjectItemCaseSensitive(binder, "name"), 1);
    (void)cJSON_ReplaceItemInObjectCaseSensitive(binder, "binderInfo",
                                                 cJSON_CreateString("instImplicit"));
}

static void rename_binders(struct export_lines *lines)
{
    static const char *const hints[] = { "opaque", "abbrev" };
    size_t i;

    for (i = 1; i < lines->n; i++) {
        cJSON *def = cJSON_GetObjectItemCaseSensitive(lines->lines[i], "def");

        rename_binder(lines->lines[i], "lam");
        rename_binder(lines->lines[i], "forallE");
        if (def)
            (void)cJSON_ReplaceItemInObjectCaseSensitive(def, "hints",
                                                         cJSON_CreateString(hints[i & 1]));
    }
}

static void bound_names_and_hints_do_not_matter(void **state)
{
    (void)state;
    check_harmless(rename_binders);
}

/*
 * Declarations in another order, as far as they do not use each other.
 * --------------------------
 */

/* The name is a constant somewhere in the lines that declaration i can see: asked loosely. */
static bool mentions(const cJSON *value, const bool *used_exprs, double name)
{
    const cJSON *child;

    if (cJSON_IsNumber(value)) {
        enum space space = value->string ? space_of(value->string) : NO_SPACE;
        size_t e = (size_t)value->valuedouble;

        if (space == EXPRS)
            return used_exprs[e];
        return space == NAMES && value->valuedouble == name;
    }
    for (child = value->child; child; child = child->next) {
        if (mentions(child, used_exprs, name))
            return true;
    }
    return false;
}

/* Whether declaration `later` reaches one of the names that `earlier` declares. */
static bool depends(const struct export_lines *lines, const cJSON *later, double name)
{
    bool *used = calloc(lines->n + 1, sizeof(*used));
    bool out;
    size_t i;

    assert_non_null(used);
    for (i = 1; i < lines->n; i++) {
        const cJSON *index = cJSON_GetObjectItemCaseSensitive(lines->lines[i], "ie");
        cJSON *child;

        if (!index)
            continue;
        cJSON_ArrayForEach(child, lines->lines[i])
        {
            if (child != index && mentions(child, used, name))
                used[(size_t)index->valuedouble] = true;
        }
    }
    out = mentions(later, used, name);
    free(used);
    return out;
}

static double declared_name(const cJSON *line)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(line->child, "name");

    return name ? name->valuedouble : -1;
}

/* The four lines of the quotients are one package. */
static bool are_one_package(const cJSON *a, const cJSON *b)
{
    return cJSON_GetObjectItemCaseSensitive(a, "quot") &&
           cJSON_GetObjectItemCaseSensitive(b, "quot");
}

/* All parts first; then neighbours among the theorems change places where they can. */
static void permute(struct export_lines *lines)
{
    cJSON **sorted = calloc(lines->n, sizeof(cJSON *));
    size_t n = 0, i, moved = 0;

    assert_non_null(sorted);
    for (i = 0; i < lines->n; i++) {
        if (!is_declaration(lines->lines[i]))
            sorted[n++] = lines->lines[i];
    }
    for (i = 0; i < lines->n; i++) {
        if (is_declaration(lines->lines[i]))
            sorted[n++] = lines->lines[i];
    }
    memcpy(lines->lines, sorted, n * sizeof(cJSON *));
    free(sorted);
    for (i = 1; i + 1 < lines->n; i++) {
        cJSON *a = lines->lines[i], *b = lines->lines[i + 1];

        if (!is_declaration(a) || are_one_package(a, b) || declared_name(a) < 0 ||
            depends(lines, b, declared_name(a)))
            continue;
        lines->lines[i] = b;
        lines->lines[i + 1] = a;
        moved++;
        i++;
    }
    assert_true(moved > 3);
}

static void independent_declarations_may_change_places(void **state)
{
    (void)state;
    check_harmless(permute);
}

/*
 * Without caches, with little stack or memory
 * ----------------------------------------------------
 */

static void limits_decline_and_caches_only_save_time(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    struct lwb_kernel_summary summary;
    size_t memory;

    (void)state;
    read_fixture(&file, fixtures[1]);
    assert_int_equal(verdict_with(lwb_bytes(file.ptr, file.len),
                                  &(struct verdict_options){ .no_caches = true }, &summary),
                     LWB_KERNEL_ACCEPT);
    for (memory = 1; memory < (size_t)8 << 20; memory = memory * 3 / 2 + 1000) {
        const struct verdict_options options = { .threads = 2, .memory_bytes = memory };
        enum lwb_kernel_verdict verdict =
            verdict_with(lwb_bytes(file.ptr, file.len), &options, &summary);

        if (verdict != LWB_KERNEL_DECLINE && verdict != LWB_KERNEL_ACCEPT)
            print_message("%zu bytes: line %u %s: %s\n", memory, summary.line, summary.name,
                          summary.reason);
        assert_true(verdict == LWB_KERNEL_DECLINE || verdict == LWB_KERNEL_ACCEPT);
    }
    assert_int_equal(summary.verdict, LWB_KERNEL_ACCEPT);
}

/*
 * Mutations: one number or flag of a declaration is wrong
 * ----------------------------------------
 */

struct mutation {
    size_t at, target; /* numbers seen so far, the one to change */
    double by, from;
    char key[40];
    bool done;
};

static void mutate_one(cJSON *value, const char *key, void *data)
{
    struct mutation *m = data;

    if (m->at++ != m->target)
        return;
    m->done = true;
    (void)snprintf(m->key, sizeof(m->key), "%s", key);
    m->from = value->valuedouble;
    if (cJSON_IsBool(value))
        value->type ^= cJSON_True | cJSON_False;
    else
        cJSON_SetNumberHelper(value, value->valuedouble + m->by);
}

/*
 * By rule: lists of what was declared together inform only, hints steer the
 * order of work, and what nothing uses may have any name and, if it is no
 * proof of anything, any type that fits.
 */
static bool is_harmless(const cJSON *line, const char *key)
{
    return strcmp(key, "all") == 0 || strcmp(key, "regular") == 0 ||
           (strcmp(key, "name") == 0 && !cJSON_GetObjectItemCaseSensitive(line, "inductive") &&
            !cJSON_GetObjectItemCaseSensitive(line, "quot"));
}

static const cJSON *expression(const struct export_lines *lines, double number)
{
    size_t i;

    for (i = 1; i < lines->n; i++) {
        const cJSON *index = cJSON_GetObjectItemCaseSensitive(lines->lines[i], "ie");

        if (index && index->valuedouble == number)
            return lines->lines[i];
    }
    return NULL;
}

static void forget_names(cJSON *value, const char *key, void *data)
{
    (void)data;
    if (strcmp(key, "ie") == 0)
        cJSON_SetNumberHelper(value, 0);
}

/* The lines are the same but for the names of bound variables: so is what they define. */
static bool are_same(const cJSON *x, const cJSON *y)
{
    cJSON *a = cJSON_Duplicate(x, true), *b = cJSON_Duplicate(y, true);
    const char *const binders[] = { "lam", "forallE" };
    bool same;
    size_t i;

    export_visit(a, forget_names, NULL);
    export_visit(b, forget_names, NULL);
    for (i = 0; i < LWB_COUNT(binders); i++) {
        rename_binder(a, binders[i]);
        rename_binder(b, binders[i]);
    }
    same = cJSON_Compare(a, b, true);
    cJSON_Delete(a);
    cJSON_Delete(b);
    return same;
}

static bool changes_nothing(const struct export_lines *lines, const struct mutation *m)
{
    const cJSON *from, *to;

    if (space_of(m->key) != EXPRS)
        return false;
    from = expression(lines, m->from);
    to = expression(lines, m->from + m->by);
    return from && to && are_same(from, to);
}

static enum lwb_kernel_verdict mutated(const struct export_lines *lines, size_t line,
                                       struct mutation *m)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1 << 24);
    struct lwb_kernel_summary summary;
    cJSON *original = lines->lines[line];

    lines->lines[line] = cJSON_Duplicate(original, true);
    export_visit(lines->lines[line], mutate_one, m);
    if (m->done)
        export_print(lines, &out);
    cJSON_Delete(lines->lines[line]);
    lines->lines[line] = original;
    return m->done ? verdict_of(lwb_bytes(out.ptr, out.len), &summary) : LWB_KERNEL_REJECT;
}

static void check_mutations(const char *fixture)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 24);
    struct export_lines lines;
    size_t i, tried = 0, accepted = 0;

    read_fixture(&file, fixture);
    export_parse(&lines, lwb_bytes(file.ptr, file.len));
    for (i = 1; i < lines.n; i++) {
        struct mutation m = { .done = true };

        for (m.target = 0; is_declaration(lines.lines[i]) && m.done; m.target++) {
            m.at = 0;
            m.done = false;
            m.by = (m.target + i) % 3 == 0 ? -1 : 1;
            if (mutated(&lines, i, &m) == LWB_KERNEL_ACCEPT &&
                !is_harmless(lines.lines[i], m.key) && !changes_nothing(&lines, &m)) {
                char *text = cJSON_PrintUnformatted(lines.lines[i]);

                print_message("accepted: line %zu, number %zu, %s: %.200s\n", i + 1, m.target,
                              m.key, text);
                cJSON_free(text);
                accepted++;
            }
            tried += m.done;
        }
    }
    export_release(&lines);
    assert_true(tried > 500);
    assert_int_equal(accepted, 0);
}

static void a_wrong_field_is_never_accepted(void **state)
{
    (void)state;
    check_mutations("accept/small.ndjson");
    check_mutations("accept/nested.ndjson");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixtures_are_accepted),
        cmocka_unit_test(numbers_may_have_gaps),
        cmocka_unit_test(numbers_may_fall),
        cmocka_unit_test(keys_may_stand_in_any_order),
        cmocka_unit_test(expressions_may_stand_there_twice),
        cmocka_unit_test(bound_names_and_hints_do_not_matter),
        cmocka_unit_test(independent_declarations_may_change_places),
        cmocka_unit_test(limits_decline_and_caches_only_save_time),
        cmocka_unit_test(a_wrong_field_is_never_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
