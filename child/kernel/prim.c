#include "child/kernel/prim.h"

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
 * operation itself, and a, m, s, p the licensed add, mul, sub and pred.
 */
struct equations {
    const char *name;
    enum kn_op op;
    const char *needs; /* letters of operations that must be licensed */
    bool unary, truth;
    const char *left[5], *right[5];
};

static const struct equations table[] = {
    { "Nat.pred", KN_OP_PRED, "", true, false, { "f0", "fSx" }, { "0", "x" } },
    { "Nat.add", KN_OP_ADD, "", false, false, { "fx0", "fxSy" }, { "x", "Sfxy" } },
    { "Nat.sub", KN_OP_SUB, "p", false, false, { "fx0", "fxSy" }, { "x", "pfxy" } },
    { "Nat.mul", KN_OP_MUL, "a", false, false, { "fx0", "fxSy" }, { "0", "afxyx" } },
    { "Nat.pow", KN_OP_POW, "am", false, false, { "fx0", "fxSy" }, { "1", "mfxyx" } },
    { "Nat.beq",
      KN_OP_BEQ,
      "",
      false,
      true,
      { "f00", "f0Sy", "fSx0", "fSxSy" },
      { "T", "F", "F", "fxy" } },
    { "Nat.ble",
      KN_OP_BLE,
      "",
      false,
      true,
      { "f00", "f0Sy", "fSx0", "fSxSy" },
      { "T", "T", "F", "fxy" } },
    { "Nat.shiftLeft", KN_OP_SHL, "am", false, false, { "fx0", "fxSy" }, { "x", "fm2xy" } },
};

static const struct {
    char letter;
    const char *name;
    enum kn_op op;
} helpers[] = {
    { 'a', "Nat.add", KN_OP_ADD },
    { 'm', "Nat.mul", KN_OP_MUL },
    { 's', "Nat.sub", KN_OP_SUB },
    { 'p', "Nat.pred", KN_OP_PRED },
};

struct reader {
    struct kn_ctx *ctx;
    const struct equations *eq;
    kn_ref self, x, y;
    const char *at;
};

static const struct kn_decl *helper(struct kn_ctx *ctx, char letter)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(helpers); i++) {
        if (helpers[i].letter == letter) {
            const struct kn_decl *decl =
                kn_env_find(ctx->env, kn_name_parse(&ctx->env->names, helpers[i].name));

            return decl && decl->op == helpers[i].op ? decl : NULL;
        }
    }
    return NULL;
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
    f = kn_app(ctx, f, a);
    if (c == 'p' || (c == 'f' && r->eq->unary))
        return f;
    a = read_term(r);
    return kn_app(ctx, f, a);
}

static kn_ref read_side(struct reader *r, const char *text)
{
    r->at = text;
    return read_term(r);
}

static bool equations_hold(struct kn_ctx *ctx, const struct equations *eq,
                           const struct kn_decl *decl)
{
    kn_ref nat = known(ctx, KN_NAME_NAT);
    kn_ref result = eq->truth ? known(ctx, KN_NAME_BOOL) : nat;
    kn_ref type = kn_pi(ctx, nat, eq->unary ? result : kn_pi(ctx, nat, result));
    struct reader r = {
        ctx, eq, kn_const(ctx, decl->name, ctx->nil), kn_local(ctx, 0, nat), kn_local(ctx, 1, nat),
        NULL
    };
    kn_ref own;
    size_t i;

    if (type == KN_NONE || decl->type != type)
        return false;
    own = kn_check(ctx, decl->value);
    if (own == KN_NONE || kn_equal(ctx, own, type) != KN_YES)
        return false;
    for (i = 0; i < LWB_COUNT(eq->left) && eq->left[i]; i++) {
        kn_ref left = read_side(&r, eq->left[i]);
        kn_ref right = read_side(&r, eq->right[i]);

        if (left == KN_NONE || right == KN_NONE || kn_equal(ctx, left, right) != KN_YES)
            return false;
    }
    return true;
}

void kn_license_operation(struct kn_ctx *ctx, struct kn_decl *decl)
{
    struct kn_env *env = ctx->env;
    const char *need;
    size_t i;

    if (env->nat_item == KN_NONE || decl->value == KN_NONE || decl->n_levels)
        return;
    for (i = 0; i < LWB_COUNT(table); i++) {
        if (decl->name == kn_name_parse(&env->names, table[i].name))
            break;
    }
    if (i == LWB_COUNT(table) || (table[i].truth && env->bool_item == KN_NONE))
        return;
    for (need = table[i].needs; *need; need++) {
        if (!helper(ctx, *need))
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
    uint32_t text = kn_text(&env->names, lwb_bytes_text("a"), true);

    if (text == KN_NO_NAME || !declared_before(ctx, KN_NAME_CHAR_OF_NAT, item) ||
        !declared_before(ctx, KN_NAME_LIST_CONS, item))
        return;
    env->string_list_item = item;
    if (!is_string(ctx, kn_string_as_list(ctx, kn_make(ctx, KN_STR, text, 0, 0))))
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
