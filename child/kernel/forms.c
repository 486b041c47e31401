#include "child/kernel/prim.h"

#include "child/kernel/cases.h"
#include "child/kernel/conv.h"
#include "child/kernel/infer.h"

static kn_ref known(struct kn_ctx *ctx, enum kn_known name)
{
    return kn_const(ctx, ctx->env->known[name], ctx->nil);
}

/*
 * What an equation is written in, in Polish notation: x, y and n are any
 * naturals, 0, 1, 2 literals, T and F the truth values, S successor, f the
 * operation itself, and a, m, s, p, d, r the licensed add, mul, sub, pred,
 * div and mod. In conditions L is the order and E equality.
 *
 * The equations of an operation determine it: each either has no f on its
 * right side or one whose arguments are smaller, in a way that the table makes
 * plain. Where two conditions A and B decide, right[A + 2 B] belongs to their
 * truth values, and the left side is taken apart by cases (cases.h).
 *
 * Some definitions recurse over a number of steps that is large enough, their
 * fuel: g is that recursion, of the fuel and the number, and f starts it. Every
 * step takes one off the fuel and at least one off a number that is not above
 * it, so the fuel never ends before the number does. g is a constant of its
 * own, `go`, which has y and proofs for arguments beside these two: the proofs
 * are any, as they are in every use. Or it is the recursor itself, if the
 * definition is one on the number with the number as its fuel.
 */
enum { MOST_EQUATIONS = 5, MOST_CONDITIONS = 2, MOST_CASES = 4 };

struct equation {
    const char *left;
    const char *right[MOST_CASES]; /* only the first: it is the same in all cases */
    const char *when[MOST_CONDITIONS];
};

struct form {
    const char *name;
    enum kn_op op;
    const char *needs; /* letters of operations that must be licensed */
    bool unary, truth, by_cases;
    bool by_recursor; /* g is the recursor */
    const char *go;   /* g is this constant */
    struct equation equations[MOST_EQUATIONS];
};

/* Bit by bit: r + r or r + r + 1, where r is the operation on the halves. */
#define EVEN "afdSx2dSy2fdSx2dSy2"
#define ODD "S" EVEN
#define BOTH_ODD                                                                                   \
    {                                                                                              \
        "ErSx21", "ErSy21"                                                                         \
    }
#define FITS                                                                                       \
    {                                                                                              \
        "L1y", "Lyx"                                                                               \
    }

static const struct form forms[] = {
    { .name = "Nat.pred",
      .op = KN_OP_PRED,
      .needs = "",
      .unary = true,
      .equations = { { .left = "f0", .right = { "0" } }, { .left = "fSx", .right = { "x" } } } },
    { .name = "Nat.add",
      .op = KN_OP_ADD,
      .needs = "",
      .equations = { { .left = "fx0", .right = { "x" } },
                     { .left = "fxSy", .right = { "Sfxy" } } } },
    { .name = "Nat.sub",
      .op = KN_OP_SUB,
      .needs = "p",
      .equations = { { .left = "fx0", .right = { "x" } },
                     { .left = "fxSy", .right = { "pfxy" } } } },
    { .name = "Nat.mul",
      .op = KN_OP_MUL,
      .needs = "a",
      .equations = { { .left = "fx0", .right = { "0" } },
                     { .left = "fxSy", .right = { "afxyx" } } } },
    { .name = "Nat.pow",
      .op = KN_OP_POW,
      .needs = "am",
      .equations = { { .left = "fx0", .right = { "1" } },
                     { .left = "fxSy", .right = { "mfxyx" } } } },
    { .name = "Nat.beq",
      .op = KN_OP_BEQ,
      .needs = "",
      .truth = true,
      .equations = { { .left = "f00", .right = { "T" } },
                     { .left = "f0Sy", .right = { "F" } },
                     { .left = "fSx0", .right = { "F" } },
                     { .left = "fSxSy", .right = { "fxy" } } } },
    { .name = "Nat.ble",
      .op = KN_OP_BLE,
      .needs = "",
      .truth = true,
      .equations = { { .left = "f00", .right = { "T" } },
                     { .left = "f0Sy", .right = { "T" } },
                     { .left = "fSx0", .right = { "F" } },
                     { .left = "fSxSy", .right = { "fxy" } } } },
    { .name = "Nat.shiftLeft",
      .op = KN_OP_SHL,
      .needs = "am",
      .equations = { { .left = "fx0", .right = { "x" } },
                     { .left = "fxSy", .right = { "fm2xy" } } } },
    { .name = "Nat.shiftRight",
      .op = KN_OP_SHR,
      .needs = "d",
      .equations = { { .left = "fx0", .right = { "x" } },
                     { .left = "fxSy", .right = { "dfxy2" } } } },
    { .name = "Nat.div",
      .op = KN_OP_DIV,
      .needs = "sL",
      .by_cases = true,
      .equations = { { .left = "fxy", .right = { "0", "0", "0", "Sfsxyy" }, .when = FITS } } },
    { .name = "Nat.div",
      .op = KN_OP_DIV,
      .needs = "sL",
      .by_cases = true,
      .go = "Nat.div.go",
      .equations = { { .left = "fxy", .right = { "0", "gSxx", "0", "gSxx" }, .when = FITS },
                     { .left = "gSnx",
                       .right = { "0", "0", "Sgnsxy", "Sgnsxy" },
                       .when = FITS } } },
    { .name = "Nat.mod",
      .op = KN_OP_MOD,
      .needs = "sL",
      .by_cases = true,
      .equations = { { .left = "fxy", .right = { "x", "x", "x", "fsxyy" }, .when = FITS } } },
    { .name = "Nat.mod",
      .op = KN_OP_MOD,
      .needs = "sL",
      .by_cases = true,
      .go = "Nat.modCore.go",
      .equations = { { .left = "f0y", .right = { "0" } },
                     { .left = "fSxy",
                       .right = { "Sx", "Sx", "Sx", "gSSxSx" },
                       .when = { "L1y", "LySx" } },
                     { .left = "gSnx", .right = { "x", "x", "gnsxy", "gnsxy" }, .when = FITS } } },
    { .name = "Nat.gcd",
      .op = KN_OP_GCD,
      .needs = "r",
      .by_cases = true,
      .equations = { { .left = "f0y", .right = { "y" } },
                     { .left = "fSxy", .right = { "frySxSx" } } } },
    { .name = "Nat.log2",
      .op = KN_OP_LOG2,
      .needs = "dL",
      .unary = true,
      .by_cases = true,
      .equations = { { .left = "fx",
                       .right = { "0", "Sfdx2", "0", "Sfdx2" },
                       .when = { "L2x" } } } },
    { .name = "Nat.log2",
      .op = KN_OP_LOG2,
      .needs = "d",
      .unary = true,
      .by_recursor = true,
      .equations = { { .left = "fx", .right = { "gxx" } },
                     { .left = "g0x", .right = { "0" } },
                     { .left = "gSn0", .right = { "0" } },
                     { .left = "gSn1", .right = { "0" } },
                     { .left = "gSnSSx", .right = { "SgndSSx2" } } } },
    { .name = "Nat.land",
      .op = KN_OP_LAND,
      .needs = "adrE",
      .by_cases = true,
      .equations = { { .left = "f0y", .right = { "0" } },
                     { .left = "fSx0", .right = { "0" } },
                     { .left = "fSxSy", .right = { EVEN, EVEN, EVEN, ODD }, .when = BOTH_ODD } } },
    { .name = "Nat.lor",
      .op = KN_OP_LOR,
      .needs = "adrE",
      .by_cases = true,
      .equations = { { .left = "f0y", .right = { "y" } },
                     { .left = "fSx0", .right = { "Sx" } },
                     { .left = "fSxSy", .right = { EVEN, ODD, ODD, ODD }, .when = BOTH_ODD } } },
    { .name = "Nat.xor",
      .op = KN_OP_XOR,
      .needs = "adrE",
      .by_cases = true,
      .equations = { { .left = "f0y", .right = { "y" } },
                     { .left = "fSx0", .right = { "Sx" } },
                     { .left = "fSxSy", .right = { EVEN, ODD, ODD, EVEN }, .when = BOTH_ODD } } },
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
    const struct form *form;
    const struct equation *equation; /* the present one */
    kn_ref self, x, y, n;
    kn_ref go;                     /* what g is applied to its two arguments, or */
    const struct kn_decl *go_decl; /* to y and proofs as well */
    const char *at;
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
    return kn_make(ctx, KN_BVAR, index, 0);
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
                   decl->shape->n_ctors == n_ctors
               ? decl
               : NULL;
}

static bool ctor_is(struct kn_ctx *ctx, const struct kn_decl *of, uint32_t i, kn_ref type)
{
    const struct kn_decl *ctor = kn_env_find(ctx->env, of->shape->ctors[i]);

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
    kn_ref level = kn_make(ctx, KN_SUCC, ctx->zero, 0);
    kn_ref eq = kn_const(ctx, ctx->env->known[KN_NAME_EQ], kn_make(ctx, KN_CONS, level, ctx->nil));

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

/* go y _ fuel number _ where _ are any proofs. */
static kn_ref apply_go(struct reader *r, kn_ref fuel, kn_ref number)
{
    enum { FIRST_PROOF = 10 };
    const kn_ref args[] = { r->y, KN_NONE, fuel, number, KN_NONE };
    struct kn_ctx *ctx = r->ctx;
    kn_ref type = r->go_decl->type, e = kn_const(ctx, r->go_decl->name, ctx->nil);
    uint32_t i;

    for (i = 0; i < LWB_COUNT(args) && e != KN_NONE; i++) {
        kn_ref arg = args[i];

        if (!kn_is(ctx, type, KN_PI))
            return KN_NONE;
        if (arg == KN_NONE)
            arg = kn_local(ctx, FIRST_PROOF + i, kn_at(ctx, type)->a);
        e = kn_app(ctx, e, arg);
        type = arg == KN_NONE ? arg : kn_instantiate(ctx, kn_at(ctx, type)->b, &arg, 1);
        e = type == KN_NONE ? type : e;
    }
    return e;
}

static kn_ref read_go(struct reader *r);

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
    case 'n':
        return r->n;
    case 'g':
        return read_go(r);
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
    if (c == 'p' || (c == 'f' && r->form->unary))
        return kn_app(ctx, f, a);
    return apply2(ctx, f, a, read_term(r));
}

static kn_ref read_go(struct reader *r)
{
    const kn_ref fuel = read_term(r), number = read_term(r);

    if (fuel == KN_NONE || number == KN_NONE)
        return KN_NONE;
    return r->go_decl ? apply_go(r, fuel, number) : apply2(r->ctx, r->go, fuel, number);
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
    const char *const *when = r->equation->when;
    struct kn_ctx *ctx = r->ctx;
    kn_ref a = when[0] ? read_condition(r, when[0]) : KN_NONE;
    kn_ref b = when[1] ? read_condition(r, when[1]) : KN_NONE;
    kn_ref both = real_and(ctx);

    if (a != KN_NONE && kn_equal(ctx, fact->prop, a) == KN_YES)
        return fact->holds ? 1U << 1 | 1U << 3 : 1U << 0 | 1U << 2;
    if (b != KN_NONE && kn_equal(ctx, fact->prop, b) == KN_YES)
        return fact->holds ? 1U << 2 | 1U << 3 : 1U << 0 | 1U << 1;
    if (a != KN_NONE && b != KN_NONE && both != KN_NONE &&
        kn_equal(ctx, fact->prop, apply2(ctx, both, a, b)) == KN_YES)
        return fact->holds ? 1U << 3 : 1U << 0 | 1U << 1 | 1U << 2;
    return 0;
}

static const char *right_in_case(const struct equation *equation, unsigned i)
{
    return equation->right[i] ? equation->right[i] : equation->right[0];
}

/* Is the value what the equation says, for all truth values that the path allows? */
static bool case_fits(struct kn_ctx *ctx, const struct kn_case *c, void *data)
{
    struct reader *r = data;
    unsigned allowed = 0xf, i;

    for (i = 0; i < c->n; i++) {
        unsigned here = allowed_by(r, &c->facts[i]);

        if (here == 0 || ctx->fault)
            return false;
        allowed &= here;
    }
    for (i = 0; i < MOST_CASES; i++) {
        kn_ref right;

        if (!(allowed & 1U << i))
            continue;
        right = read_side(r, right_in_case(r->equation, i));
        if (right == KN_NONE || kn_equal(ctx, c->value, right) != KN_YES)
            return false;
    }
    return true;
}

static bool equation_holds(struct reader *r, const struct equation *equation)
{
    kn_ref left, right;

    r->equation = equation;
    left = read_side(r, equation->left);
    if (r->form->by_cases)
        return kn_all_cases(r->ctx, left, case_fits, r);
    right = read_side(r, equation->right[0]);
    return left != KN_NONE && right != KN_NONE && kn_equal(r->ctx, left, right) == KN_YES;
}

static bool value_fits(struct kn_ctx *ctx, const struct kn_decl *decl)
{
    kn_ref own = decl->value == KN_NONE ? KN_NONE : kn_check(ctx, decl->value);

    return own != KN_NONE && kn_equal(ctx, own, decl->type) == KN_YES;
}

/* The definition is fun x => R x x with R the recursor of Nat applied to all but its major. */
static bool find_recursor(struct reader *r, const struct kn_decl *decl)
{
    const struct kn_ctx *ctx = r->ctx;
    const struct kn_node *outer, *inner;
    const struct kn_decl *rec;
    kn_ref body, head, x = kn_make(r->ctx, KN_BVAR, 0, 0);

    if (!kn_is(ctx, decl->value, KN_LAM))
        return false;
    body = kn_at(ctx, decl->value)->b;
    outer = kn_at(ctx, body);
    inner = outer->kind == KN_APP ? kn_at(ctx, outer->a) : NULL;
    if (!inner || inner->kind != KN_APP || outer->b != x || inner->b != x)
        return false;
    head = kn_head(ctx, inner->a);
    rec = kn_is(ctx, head, KN_CONST) ? kn_find(ctx, kn_at(ctx, head)->a) : NULL;
    if (!rec || rec->kind != KN_REC || rec->shape->inductive != ctx->env->known[KN_NAME_NAT] ||
        kn_n_args(ctx, inner->a) != rec->shape->n_motives + rec->shape->n_minors ||
        kn_at(ctx, inner->a)->loose != 0)
        return false;
    r->go = inner->a;
    return true;
}

static bool find_go(struct reader *r, const struct kn_decl *decl)
{
    if (r->form->by_recursor)
        return find_recursor(r, decl);
    if (!r->form->go)
        return true;
    r->go_decl =
        kn_env_find(r->ctx->env, kn_name_find(&r->ctx->env->names, KN_ANONYMOUS, r->form->go));
    return r->go_decl && r->go_decl->item < decl->item && r->go_decl->admitted &&
           r->go_decl->n_levels == 0 && value_fits(r->ctx, r->go_decl);
}

static bool has_form(struct kn_ctx *ctx, const struct form *form, const struct kn_decl *decl)
{
    kn_ref nat = known(ctx, KN_NAME_NAT);
    kn_ref result = form->truth ? known(ctx, KN_NAME_BOOL) : nat;
    kn_ref type = kn_pi(ctx, nat, form->unary ? result : kn_pi(ctx, nat, result));
    struct reader r = {
        .ctx = ctx,
        .form = form,
        .self = kn_const(ctx, decl->name, ctx->nil),
        .x = kn_local(ctx, 0, nat),
        .y = kn_local(ctx, 1, nat),
        .n = kn_local(ctx, 2, nat),
    };
    size_t i;

    if (type == KN_NONE || decl->type != type || !value_fits(ctx, decl) || !find_go(&r, decl))
        return false;
    for (i = 0; i < MOST_EQUATIONS && form->equations[i].left; i++) {
        if (!equation_holds(&r, &form->equations[i]))
            return false;
    }
    return true;
}

static bool may_have_form(struct kn_ctx *ctx, const struct form *form, const struct kn_decl *decl)
{
    const char *need;

    if (decl->name != kn_name_find(&ctx->env->names, KN_ANONYMOUS, form->name) ||
        (form->truth && ctx->env->bool_item == KN_NONE))
        return false;
    for (need = form->needs; *need; need++) {
        if (!is_there(ctx, *need))
            return false;
    }
    return true;
}

void kn_license_operation(struct kn_ctx *ctx, struct kn_decl *decl)
{
    size_t i;

    if (ctx->env->nat_item == KN_NONE || decl->value == KN_NONE || decl->n_levels)
        return;
    for (i = 0; i < LWB_COUNT(forms) && decl->op == KN_OP_NONE; i++) {
        if (may_have_form(ctx, &forms[i], decl) && has_form(ctx, &forms[i], decl) &&
            ctx->fault == KN_FINE)
            decl->op = (uint8_t)forms[i].op;
        ctx->fault = KN_FINE;
    }
}
