#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/kernel/export_builder.h"
#include "tests/integration/kernel/verdict.h"

/*
 * Inductive blocks whose constructors break one rule each. They have no
 * recursors, so every one is rejected in the end: what is looked at is that it
 * is for the rule that is broken, which comes before recursors are made.
 */
struct block {
    struct builder b;
    char types[1000], ctors[1000];
    unsigned n_params, level; /* of all types; the universe parameter's name, or 0 */
    unsigned n_indices;
};

static int setup(void **state)
{
    struct block *block = calloc(1, sizeof(*block));

    assert_non_null(block);
    builder_start(&block->b);
    *state = block;
    return 0;
}

static int teardown(void **state)
{
    struct block *block = *state;

    builder_release(&block->b);
    free(block);
    return 0;
}

static unsigned type0(struct block *block)
{
    return b_sort(&block->b, b_level(&block->b, "succ", 0));
}

static void append(char *list, const char *text)
{
    size_t len = strlen(list);

    (void)snprintf(list + len, 1000 - len, "%s%s", len ? "," : "", text);
}

static const char *levels(const struct block *block)
{
    static char text[20];

    text[0] = '\0';
    if (block->level)
        (void)snprintf(text, sizeof(text), "%u", block->level);
    return text;
}

/* A type with one constructor or, if that is NULL, with none. */
static void add_type(struct block *block, const char *name, unsigned type, const char *ctor)
{
    unsigned number = b_name(&block->b, name);
    char text[400], ctors[20] = "";

    if (ctor)
        (void)snprintf(ctors, sizeof(ctors), "%u", b_name(&block->b, ctor));
    (void)snprintf(text, sizeof(text),
                   "{\"all\":[%u],\"ctors\":[%s],\"isRec\":false,\"isReflexive\":false,"
                   "\"isUnsafe\":false,\"levelParams\":[%s],\"name\":%u,\"numIndices\":%u,"
                   "\"numNested\":0,\"numParams\":%u,\"type\":%u}",
                   number, ctors, levels(block), number, block->n_indices, block->n_params, type);
    append(block->types, text);
}

static void add_ctor(struct block *block, const char *name, const char *of, unsigned n_fields,
                     unsigned type)
{
    char text[400];

    (void)snprintf(text, sizeof(text),
                   "{\"cidx\":0,\"induct\":%u,\"isUnsafe\":false,\"levelParams\":[%s],\"name\":%u,"
                   "\"numFields\":%u,\"numParams\":%u,\"type\":%u}",
                   b_name(&block->b, of), levels(block), b_name(&block->b, name), n_fields,
                   block->n_params, type);
    append(block->ctors, text);
}

static void expect(struct block *block, const char *reason)
{
    struct lwb_kernel_summary summary;

    b_line(&block->b, "{\"inductive\":{\"ctors\":[%s],\"recs\":[],\"types\":[%s]}}", block->ctors,
           block->types);
    assert_int_equal(verdict_of(lwb_buf_bytes(&block->b.out), &summary), LWB_KERNEL_REJECT);
    if (!strstr(summary.reason, reason))
        fail_msg("rejected because \"%s\", not because \"%s\"", summary.reason, reason);
}

static void a_good_block_lacks_only_its_recursor(void **state)
{
    struct block *block = *state;

    add_type(block, "A", type0(block), "A.mk");
    add_ctor(block, "A.mk", "A", 0, b_const(&block->b, "A"));
    expect(block, "recursor");
}

static void a_constructor_ends_in_its_own_type(void **state)
{
    struct block *block = *state;

    add_type(block, "A", type0(block), "A.mk");
    add_type(block, "B", type0(block), NULL);
    add_ctor(block, "A.mk", "A", 0, b_const(&block->b, "B"));
    expect(block, "the constructor does not end in its type");
}

static void parameters_are_those_of_the_block(void **state)
{
    struct block *block = *state;
    struct builder *b = &block->b;

    b_axiom(b, "T", type0(block));
    block->n_params = 1;
    add_type(block, "L", b_pi(b, type0(block), type0(block)), "L.mk");
    add_ctor(block, "L.mk", "L", 0,
             b_pi(b, type0(block), b_app(b, b_const(b, "L"), b_const(b, "T"))));
    expect(block, "the constructor does not end in its type");
}

static void universes_are_those_of_the_block(void **state)
{
    struct block *block = *state;
    struct builder *b = &block->b;
    unsigned u;

    block->level = b_name(b, "u");
    u = b_param(b, block->level);
    add_type(block, "U", b_sort(b, b_level(b, "succ", u)), "U.mk");
    add_ctor(block, "U.mk", "U", 0, b_const_at(b, "U", b_level(b, "succ", u)));
    expect(block, "the constructor does not end in its type");
}

static void an_index_does_not_hold_the_type(void **state)
{
    struct block *block = *state;
    struct builder *b = &block->b;
    unsigned self = b_const(b, "I");

    b_axiom(b, "T", type0(block));
    block->n_indices = 1;
    add_type(block, "I", b_pi(b, type0(block), type0(block)), "I.mk");
    add_ctor(block, "I.mk", "I", 0, b_app(b, self, b_app(b, self, b_const(b, "T"))));
    expect(block, "the constructor does not end in its type");
}

static void a_field_does_not_apply_the_type_to_another_parameter(void **state)
{
    struct block *block = *state;
    struct builder *b = &block->b;
    unsigned self = b_const(b, "L"), sort = type0(block);

    b_axiom(b, "T", sort);
    block->n_params = 1;
    add_type(block, "L", b_pi(b, sort, sort), "L.mk");
    add_ctor(block, "L.mk", "L", 1,
             b_pi(b, sort, b_pi(b, b_app(b, self, b_const(b, "T")), b_app(b, self, b_var(b, 1)))));
    expect(block, "the type occurs where it must not");
}

#define ATTACK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(a_good_block_lacks_only_its_recursor),
        ATTACK(a_constructor_ends_in_its_own_type),
        ATTACK(parameters_are_those_of_the_block),
        ATTACK(universes_are_those_of_the_block),
        ATTACK(an_index_does_not_hold_the_type),
        ATTACK(a_field_does_not_apply_the_type_to_another_parameter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
