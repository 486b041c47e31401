#include "child/kernel/prim.h"

#include "child/kernel/cases.h"
#include "child/kernel/conv.h"
#include "child/kernel/infer.h"
#include "child/kernel/quot.h"
#include "child/kernel/reduce.h"

static kn_ref known(struct kn_ctx *ctx, enum kn_known name)
{
    return kn_const(ctx, ctx->env->known[name], ctx->nil);
}

static const struct kn_decl *find(const struct kn_ctx *ctx, enum kn_known name)
{
    return kn_env_find(ctx->env, ctx->env->known[name]);
}

/* A type in Type without parameters, with exactly these two constructors in this order. */
static bool has_shape(const struct kn_ctx *ctx, kn_ref sort, enum kn_known type,
                      enum kn_known first, enum kn_known second)
{
    const struct kn_decl *decl = find(ctx, type);
    const kn_name *names = ctx->env->known;

    return decl && decl->kind == KN_INDUCTIVE && decl->admitted && decl->n_levels == 0 &&
           decl->n_params == 0 && decl->n_indices == 0 && decl->type == sort &&
           decl->n_ctors == 2 && decl->ctors[0] == names[first] && decl->ctors[1] == names[second];
}

static kn_ref type_sort(struct kn_ctx *ctx)
{
    return kn_sort(ctx, kn_make(ctx, KN_SUCC, ctx->zero, 0, 0));
}

static void license_nat(struct kn_ctx *ctx, uint32_t item)
{
    kn_ref nat = known(ctx, KN_NAME_NAT);
    kn_ref arrow = kn_pi(ctx, nat, nat);
    struct kn_decl *succ = kn_env_find(ctx->env, ctx->env->known[KN_NAME_NAT_SUCC]);

    if (!has_shape(ctx, type_sort(ctx), KN_NAME_NAT, KN_NAME_NAT_ZERO, KN_NAME_NAT_SUCC) ||
        find(ctx, KN_NAME_NAT_ZERO)->type != nat || succ->type != arrow)
        return;
    ctx->env->nat_item = item;
    succ->op = KN_OP_SUCC;
}

static void license_bool(struct kn_ctx *ctx, uint32_t item)
{
    kn_ref type = known(ctx, KN_NAME_BOOL);

    if (has_shape(ctx, type_sort(ctx), KN_NAME_BOOL, KN_NAME_FALSE, KN_NAME_TRUE) &&
        find(ctx, KN_NAME_FALSE)->type == type && find(ctx, KN_NAME_TRUE)->type == type)
        ctx->env->bool_item = item;
}

void kn_license_block(struct kn_ctx *ctx, const struct kn_item *item)
{
    struct kn_env *env = ctx->env;
    const uint32_t index = (uint32_t)(item - env->items);
    const kn_name name = item->block->types[0].name;

    if (name == env->known[KN_NAME_NAT])
        license_nat(ctx, index);
    else if (name == env->known[KN_NAME_BOOL])
        license_bool(ctx, index);
    else if (name == env->known[KN_NAME_EQ] && kn_is_real_eq(ctx))
        env->eq_item = index;
}

/* Equations ----------------------------------------------------------------------------------- */

/*
 * What an equation is written in, in Polish notation: x and y are any
 * naturals, 0, 1, 2 literals, T and F the truth values, S successor, f the
 * operation itself, and a, m, s, p, d, r the licensed add, mul, sub, pred,
 * div and mod. In conditions L is the order and E equality.
 *
 * The equations of an operation determine it: each either has no f on its
 * right side or one whose arguments are smaller, in a way that the table makes
 * plain. Where two conditions decide, right[A + 2 B] belongs to their truth
 * values A and B, and the left side is taken apart by cases (cases.h).
 */
struct equations {
    const char *name;
    enum kn_op op;
    const char *needs; /* letters of operations that must be licensed */
    bool unary, truth, by_cases;
    const char *left[5], *right[5];
    const char *last; /* one more left side, with conditions */
    const char *when[2];
    const char *then[4];
};

/* Bit by bit: r + r or r + r + 1, where r is the operation on the halves. */
#define EVEN "afdSx2dSy2fdSx2dSy2"
#define ODD "S" EVEN
#define ODD_X "ErSx21"
#define ODD_Y "ErSy21"

static const struct equations table[] = {
    { .name = "Nat.pred",
      .op = KN_OP_PRED,
      .needs = "",
      .unary = true,
      .left = { "f0", "fSx" },
      .right = { "0", "x" } },
    { .name = "Nat.add",
      .op = KN_OP_ADD,
      .needs = "",
      .left = { "fx0", "fxSy" },
      .right = { "x", "Sfxy" } },
    { .name = "Nat.sub",
      .op = KN_OP_SUB,
      .needs = "p",
      .left = { "fx0", "fxSy" },
      .right = { "x", "pfxy" } },
    { .name = "Nat.mul",
      .op = KN_OP_MUL,
      .needs = "a",
      .left = { "fx0", "fxSy" },
      .right = { "0", "afxyx" } },
    { .name = "Nat.pow",
      .op = KN_OP_POW,
      .needs = "am",
      .left = { "fx0", "fxSy" },
      .right = { "1", "mfxyx" } },
    { .name = "Nat.beq",
      .op = KN_OP_BEQ,
      .needs = "",
      .truth = true,
      .left = { "f00", "f0Sy", "fSx0", "fSxSy" },
      .right = { "T", "F", "F", "fxy" } },
    { .name = "Nat.ble",
      .op = KN_OP_BLE,
      .needs = "",
      .truth = true,
      .left = { "f00", "f0Sy", "fSx0", "fSxSy" },
      .right = { "T", "T", "F", "fxy" } },
    { .name = "Nat.shiftLeft",
      .op = KN_OP_SHL,
      .needs = "am",
      .left = { "fx0", "fxSy" },
      .right = { "x", "fm2xy" } },
    { .name = "Nat.shiftRight",
      .op = KN_OP_SHR,
      .needs = "d",
      .left = { "fx0", "fxSy" },
      .right = { "x", "dfxy2" } },
    { .name = "Nat.div",
      .op = KN_OP_DIV,
      .needs = "sL",
      .by_cases = true,
      .last = "fxy",
      .when = { "L1y", "Lyx" },
      .then = { "0", "0", "0", "Sfsxyy" } },
    { .name = "Nat.mod",
      .op = KN_OP_MOD,
      .needs = "sL",
      .by_cases = true,
      .last = "fxy",
      .when = { "L1y", "Lyx" },
      .then = { "x", "x", "x", "fsxyy" } },
    { .name = "Nat.gcd",
      .op = KN_OP_GCD,
      .needs = "r",
      .by_cases = true,
      .left = { "f0y", "fSxy" },
      .right = { "y", "frySxSx" } },
    { .name = "Nat.land",
      .op = KN_OP_LAND,
      .needs = "adrE",
      .by_cases = true,
      .left = { "f0y", "fSx0" },
      .right = { "0", "0" },
      .last = "fSxSy",
      .when = { ODD_X, ODD_Y },
      .then = { EVEN, EVEN, EVEN, ODD } },
    { .name = "Nat.lor",
      .op = KN_OP_LOR,
      .needs = "adrE",
      .by_cases = true,
      .left = { "f0y", "fSx0" },
      .right = { "y", "Sx" },
      .last = "fSxSy",
      .when = { ODD_X, ODD_Y },
      .then = { EVEN, ODD, ODD, ODD } },
    { .name = "Nat.xor",
      .op = KN_OP_XOR,
      .needs = "adrE",
      .by_cases = true,
      .left = { "f0y", "fSx0" },
      .right = { "y", "Sx" },
      .last = "fSxSy",
      .when = { ODD_X, ODD_Y },
      .then = { EVEN, ODD, ODD, EVEN } },
};

static const struct {
    char letter;
    const char *name;
    enum kn_op op;
} helpers[] = {
    { 'a', "Nat.add", KN_OP_ADD },   { 'm', "Nat.mul", KN_OP_MUL }, { 's', "Nat.sub", KN_OP_SUB },
    { 'p', "Nat.pred", KN_OP_PRED }, { 'd', "Nat.div", KN_OP_DIV }, { 'r', "Nat.mod", KN_OP_MOD },
    { 'b', "Nat.ble", KN_OP_BLE },
};

struct reader {
    struct kn_ctx *ctx;
    const struct equations *eq;
    kn_ref self, x, y;
    const char *at;
    const char *const *right; /* by the truth values of the conditions */
};

static const struct kn_decl *helper(struct kn_ctx *ctx, char letter)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(helpers); i++) {
        if (helpers[i].letter == letter) {
            const struct kn_decl *decl = kn_env_find(
                ctx->env, kn_name_find(&ctx->env->names, KN_ANONYMOUS, helpers[i].name));

            return decl && decl->op == helpers[i].op ? decl : NULL;
        }
    }
    return NULL;
}

/* Conditions ---------------------------------------------------------------------------------- */

static kn_ref apply2(struct kn_ctx *ctx, kn_ref f, kn_ref a, kn_ref b)
{
    return kn_app(ctx, kn_app(ctx, f, a), b);
}

static kn_ref var(struct kn_ctx *ctx, uint32_t index)
{
    return kn_make(ctx, KN_BVAR, index, 0, 0);
}

static kn_ref prop(struct kn_ctx *ctx)
{
    return kn_sort(ctx, ctx->zero);
}

/* The inductive type of this name with so many constructors. */
static const struct kn_decl *inductive(struct kn_ctx *ctx, const char *name, uint32_t n_ctors)
{
    const struct kn_decl *decl =
        kn_env_find(ctx->env, kn_name_find(&ctx->env->names, KN_ANONYMOUS, name));

    return decl && decl->kind == KN_INDUCTIVE && decl->admitted && decl->n_levels == 0 &&
                   decl->n_ctors == n_ctors
               ? decl
               : NULL;
}

static bool ctor_is(struct kn_ctx *ctx, const struct kn_decl *of, uint32_t i, kn_ref type)
{
    const struct kn_decl *ctor = kn_env_find(ctx->env, of->ctors[i]);

    return ctor && type != KN_NONE && ctor->type == type;
}

/* Nat -> Nat -> Prop with refl : n <= n and step : n <= m -> n <= m + 1. */
static kn_ref real_le(struct kn_ctx *ctx)
{
    const struct kn_decl *decl = inductive(ctx, "Nat.le", 2);
    kn_ref nat = known(ctx, KN_NAME_NAT), self, from, to;

    if (!decl || decl->type != kn_pi(ctx, nat, kn_pi(ctx, nat, prop(ctx))))
        return KN_NONE;
    self = kn_const(ctx, decl->name, ctx->nil);
    from = apply2(ctx, self, var(ctx, 1), var(ctx, 0));
    to = apply2(ctx, self, var(ctx, 2), kn_app(ctx, known(ctx, KN_NAME_NAT_SUCC), var(ctx, 1)));
    if (!ctor_is(ctx, decl, 0, kn_pi(ctx, nat, apply2(ctx, self, var(ctx, 0), var(ctx, 0)))) ||
        !ctor_is(ctx, decl, 1, kn_pi(ctx, nat, kn_pi(ctx, nat, kn_pi(ctx, from, to)))))
        return KN_NONE;
    return self;
}

/* Prop -> Prop -> Prop with intro : a -> b -> And a b. */
static kn_ref real_and(struct kn_ctx *ctx)
{
    const struct kn_decl *decl = inductive(ctx, "And", 1);
    kn_ref self, type;

    if (!decl || decl->type != kn_pi(ctx, prop(ctx), kn_pi(ctx, prop(ctx), prop(ctx))))
        return KN_NONE;
    self = kn_const(ctx, decl->name, ctx->nil);
    type = kn_pi(ctx, var(ctx, 1), apply2(ctx, self, var(ctx, 3), var(ctx, 2)));
    type = kn_pi(ctx, prop(ctx), kn_pi(ctx, prop(ctx), kn_pi(ctx, var(ctx, 1), type)));
    return ctor_is(ctx, decl, 0, type) ? self : KN_NONE;
}

static kn_ref equation(struct kn_ctx *ctx, kn_ref type, kn_ref a, kn_ref b)
{
    kn_ref level = kn_make(ctx, KN_SUCC, ctx->zero, 0, 0);
    kn_ref eq =
        kn_const(ctx, ctx->env->known[KN_NAME_EQ], kn_make(ctx, KN_CONS, level, ctx->nil, 0));

    return apply2(ctx, kn_app(ctx, eq, type), a, b);
}

/* a <= b: the inductive proposition of today, or Nat.ble a b = true as it was in 2021. */
static kn_ref order(struct kn_ctx *ctx, kn_ref a, kn_ref b)
{
    const struct kn_decl *ble;
    kn_ref le = real_le(ctx);

    if (le != KN_NONE)
        return apply2(ctx, le, a, b);
    ble = helper(ctx, 'b');
    if (!ble || ctx->env->eq_item == KN_NONE)
        return KN_NONE;
    return equation(ctx, known(ctx, KN_NAME_BOOL),
                    apply2(ctx, kn_const(ctx, ble->name, ctx->nil), a, b),
                    known(ctx, KN_NAME_TRUE));
}

/* Can what the letter stands for be relied on? */
static bool is_there(struct kn_ctx *ctx, char letter)
{
    switch (letter) {
    case 'L':
        return real_le(ctx) != KN_NONE || (helper(ctx, 'b') && ctx->env->eq_item != KN_NONE);
    case 'E':
        return ctx->env->eq_item != KN_NONE;
    default:
        return helper(ctx, letter) != NULL;
    }
}

static kn_ref read_term(struct reader *r)
{
    struct kn_ctx *ctx = r->ctx;
    const char c = *r->at++;
    const struct kn_decl *decl;
    kn_ref f, a;

    switch (c) {
    case 'x':
        return r->x;
    case 'y':
        return r->y;
    case '0':
    case '1':
    case '2':
        return kn_nat(ctx, (uint64_t)(c - '0'));
    case 'T':
        return known(ctx, KN_NAME_TRUE);
    case 'F':
        return known(ctx, KN_NAME_FALSE);
    case 'S':
        a = read_term(r);
        return kn_app(ctx, known(ctx, KN_NAME_NAT_SUCC), a);
    case 'f':
        f = r->self;
        break;
    default:
        decl = helper(ctx, c);
        f = decl ? kn_const(ctx, decl->name, ctx->nil) : KN_NONE;
        break;
    }
    a = read_term(r);
    if (c == 'p' || (c == 'f' && r->eq->unary))
        return kn_app(ctx, f, a);
    return apply2(ctx, f, a, read_term(r));
}

static kn_ref read_side(struct reader *r, const char *text)
{
    r->at = text;
    return read_term(r);
}

static kn_ref read_condition(struct reader *r, const char *text)
{
    const kn_ref nat = known(r->ctx, KN_NAME_NAT);
    kn_ref a, b;

    r->at = text + 1;
    a = read_term(r);
    b = read_term(r);
    return *text == 'L' ? order(r->ctx, a, b) : equation(r->ctx, nat, a, b);
}

/* Bits: the truth values A + 2 B of the two conditions that this fact allows; 0: unknown fact. */
static unsigned allowed_by(struct reader *r, const struct kn_fact *fact)
{
    struct kn_ctx *ctx = r->ctx;
    kn_ref a = read_condition(r, r->eq->when[0]), b = read_condition(r, r->eq->when[1]);
    kn_ref both = real_and(ctx);

    if (a == KN_NONE || b == KN_NONE)
        return 0;
    if (kn_equal(ctx, fact->prop, a) == KN_YES)
        return fact->holds ? 1U << 1 | 1U << 3 : 1U << 0 | 1U << 2;
    if (kn_equal(ctx, fact->prop, b) == KN_YES)
        return fact->holds ? 1U << 2 | 1U << 3 : 1U << 0 | 1U << 1;
    if (both != KN_NONE && kn_equal(ctx, fact->prop, apply2(ctx, both, a, b)) == KN_YES)
        return fact->holds ? 1U << 3 : 1U << 0 | 1U << 1 | 1U << 2;
    return 0;
}

/* Is the value what the equation says, for all truth values that the path allows? */
static bool case_fits(struct kn_ctx *ctx, const struct kn_case *c, void *data)
{
    struct reader *r = data;
    unsigned allowed = 0xf, i;

    for (i = 0; i < c->n; i++) {
        unsigned here = r->eq->when[0] ? allowed_by(r, &c->facts[i]) : 0;

        if (here == 0 || ctx->fault)
            return false;
        allowed &= here;
    }
    for (i = 0; i < LWB_COUNT(r->eq->then); i++) {
        kn_ref right;

        if (!(allowed & 1U << i))
            continue;
        right = read_side(r, r->right[i]);
        if (right == KN_NONE || kn_equal(ctx, c->value, right) != KN_YES)
            return false;
    }
    return true;
}

static bool equation_holds(struct reader *r, const char *left, const char *const *right)
{
    kn_ref term = read_side(r, left), other;

    r->right = right;
    if (r->eq->by_cases)
        return kn_all_cases(r->ctx, term, case_fits, r);
    other = read_side(r, right[0]);
    return term != KN_NONE && other != KN_NONE && kn_equal(r->ctx, term, other) == KN_YES;
}

static bool equations_hold(struct kn_ctx *ctx, const struct equations *eq,
                           const struct kn_decl *decl)
{
    kn_ref nat = known(ctx, KN_NAME_NAT);
    kn_ref result = eq->truth ? known(ctx, KN_NAME_BOOL) : nat;
    kn_ref type = kn_pi(ctx, nat, eq->unary ? result : kn_pi(ctx, nat, result));
    struct reader r = {
        .ctx = ctx,
        .eq = eq,
        .self = kn_const(ctx, decl->name, ctx->nil),
        .x = kn_local(ctx, 0, nat),
        .y = kn_local(ctx, 1, nat),
    };
    kn_ref own;
    size_t i;

    if (type == KN_NONE || decl->type != type)
        return false;
    own = kn_check(ctx, decl->value);
    if (own == KN_NONE || kn_equal(ctx, own, type) != KN_YES)
        return false;
    for (i = 0; i < LWB_COUNT(eq->left) && eq->left[i]; i++) {
        const char *const same[] = { eq->right[i], eq->right[i], eq->right[i], eq->right[i] };

        if (!equation_holds(&r, eq->left[i], same))
            return false;
    }
    return !eq->last || equation_holds(&r, eq->last, eq->then);
}

void kn_license_operation(struct kn_ctx *ctx, struct kn_decl *decl)
{
    struct kn_env *env = ctx->env;
    const char *need;
    size_t i;

    if (env->nat_item == KN_NONE || decl->value == KN_NONE || decl->n_levels)
        return;
    for (i = 0; i < LWB_COUNT(table); i++) {
        if (decl->name == kn_name_find(&env->names, KN_ANONYMOUS, table[i].name))
            break;
    }
    if (i == LWB_COUNT(table) || (table[i].truth && env->bool_item == KN_NONE))
        return;
    for (need = table[i].needs; *need; need++) {
        if (!is_there(ctx, *need))
            return;
    }
    if (equations_hold(ctx, &table[i], decl) && ctx->fault == KN_FINE)
        decl->op = (uint8_t)table[i].op;
    ctx->fault = KN_FINE;
}

static bool is_string(struct kn_ctx *ctx, kn_ref e)
{
    kn_ref type = e == KN_NONE ? KN_NONE : kn_check(ctx, e);

    return type != KN_NONE && kn_equal(ctx, type, known(ctx, KN_NAME_STRING)) == KN_YES;
}

static const struct kn_decl *declared_before(const struct kn_ctx *ctx, enum kn_known name,
                                             uint32_t item)
{
    const struct kn_decl *decl = find(ctx, name);

    return decl && decl->admitted && decl->item < item ? decl : NULL;
}

/* String.ofList [] or String.mk []: there is a value of the type. */
static bool license_type(struct kn_ctx *ctx, uint32_t item)
{
    const struct kn_decl *maker = declared_before(ctx, KN_NAME_STRING_OF_LIST, item);
    kn_ref level0 = kn_make(ctx, KN_CONS, ctx->zero, ctx->nil, 0);
    kn_ref nil;

    if (!maker)
        maker = declared_before(ctx, KN_NAME_STRING_MK, item);
    if (!maker || !declared_before(ctx, KN_NAME_CHAR, item) ||
        !declared_before(ctx, KN_NAME_LIST_NIL, item) ||
        !declared_before(ctx, KN_NAME_STRING, item) || level0 == KN_NONE)
        return false;
    nil = kn_app(ctx, kn_const(ctx, ctx->env->known[KN_NAME_LIST_NIL], level0),
                 known(ctx, KN_NAME_CHAR));
    if (!is_string(ctx, kn_app(ctx, kn_const(ctx, maker->name, ctx->nil), nil)))
        return false;
    ctx->env->string_maker = maker->name;
    ctx->env->string_item = item;
    return true;
}

static void license_list(struct kn_ctx *ctx, uint32_t item)
{
    struct kn_env *env = ctx->env;

    if (!declared_before(ctx, KN_NAME_CHAR_OF_NAT, item) ||
        !declared_before(ctx, KN_NAME_LIST_CONS, item))
        return;
    env->string_list_item = item;
    if (!is_string(ctx, kn_string_as_list(ctx, kn_make(ctx, KN_STR, env->sample_text, 0, 0))))
        env->string_list_item = KN_NONE;
    if (ctx->fault == KN_REJECT)
        ctx->fault = KN_FINE;
}

bool kn_license_strings(struct kn_ctx *ctx, uint32_t item)
{
    struct kn_env *env = ctx->env;

    if (env->string_item == KN_NONE && (env->nat_item == KN_NONE || !license_type(ctx, item)))
        (void)kn_reject(ctx, "a string literal, but no String is declared that fits");
    if (ctx->fault == KN_FINE && env->string_list_item == KN_NONE) {
        license_list(ctx, item);
        kn_ctx_forget(ctx);
    }
    return ctx->fault == KN_FINE;
}
