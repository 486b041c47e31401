#include "child/kernel/nat.h"

enum { MAX_BITS = 1 << 26, MAX_EXPONENT = 1 << 24 };

/* A literal as an mpz that is only read. */
struct view {
    mpz_t z;
    mp_limb_t limb;
};

static void view(const struct kn_ctx *ctx, kn_ref e, struct view *out)
{
    const struct kn_node *n = kn_at(ctx, e);

    if (n->kind == KN_NAT) {
        out->limb = (uint64_t)n->b << 32 | n->a;
        (void)mpz_roinit_n(out->z, &out->limb, 1);
    } else {
        const struct kn_store *store = n->a & KN_SCRATCH ? &ctx->scratch : ctx->lasting;
        const struct kn_big *big = &store->bigs[n->a & ~KN_SCRATCH];

        (void)mpz_roinit_n(out->z, big->limbs, (mp_size_t)big->n);
    }
}

bool kn_is_nat_literal(const struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);

    return n->kind == KN_NAT || n->kind == KN_BIG;
}

bool kn_nat_is_zero(const struct kn_ctx *ctx, kn_ref e)
{
    const struct kn_node *n = kn_at(ctx, e);

    return n->kind == KN_NAT && n->a == 0 && n->b == 0;
}

static kn_ref from_mpz(struct kn_ctx *ctx, const mpz_t z)
{
    return kn_make_nat(ctx, mpz_limbs_read(z), mpz_size(z));
}

static kn_ref truth(struct kn_ctx *ctx, bool value)
{
    return kn_const(ctx, ctx->env->known[value ? KN_NAME_TRUE : KN_NAME_FALSE], ctx->nil);
}

/* Operations whose result is at most about as large as their arguments together. */
static void compute_bounded(mpz_t out, enum kn_op op, const mpz_t a, const mpz_t b)
{
    switch (op) {
    case KN_OP_SUCC:
        mpz_add_ui(out, a, 1);
        break;
    case KN_OP_PRED:
        if (mpz_sgn(a) > 0)
            mpz_sub_ui(out, a, 1);
        break;
    case KN_OP_ADD:
        mpz_add(out, a, b);
        break;
    case KN_OP_SUB:
        if (mpz_cmp(a, b) > 0)
            mpz_sub(out, a, b);
        break;
    case KN_OP_MUL:
        mpz_mul(out, a, b);
        break;
    case KN_OP_DIV:
        if (mpz_sgn(b) != 0)
            mpz_fdiv_q(out, a, b);
        break;
    case KN_OP_MOD:
        if (mpz_sgn(b) != 0)
            mpz_fdiv_r(out, a, b);
        else
            mpz_set(out, a);
        break;
    case KN_OP_GCD:
        mpz_gcd(out, a, b);
        break;
    case KN_OP_LAND:
        mpz_and(out, a, b);
        break;
    case KN_OP_LOR:
        mpz_ior(out, a, b);
        break;
    case KN_OP_XOR:
        mpz_xor(out, a, b);
        break;
    default:
        break;
    }
}

/* False: the result would be too large. */
static bool compute(mpz_t out, enum kn_op op, const mpz_t a, const mpz_t b)
{
    const size_t bits = mpz_sizeinbase(a, 2);
    unsigned long n = mpz_fits_ulong_p(b) ? mpz_get_ui(b) : ULONG_MAX;

    switch (op) {
    case KN_OP_POW:
        if (n > MAX_EXPONENT || (mpz_cmp_ui(a, 1) > 0 && bits * n > MAX_BITS))
            return false;
        mpz_pow_ui(out, a, n);
        return true;
    case KN_OP_SHL:
        if (mpz_sgn(a) == 0)
            return true;
        if (n > MAX_BITS || bits + n > MAX_BITS)
            return false;
        mpz_mul_2exp(out, a, n);
        return true;
    case KN_OP_LOG2:
        mpz_set_ui(out, bits - 1); /* of 0: one bit, too */
        return true;
    case KN_OP_SHR:
        if (n < bits)
            mpz_fdiv_q_2exp(out, a, n);
        return true;
    default:
        if (bits + mpz_sizeinbase(b, 2) > MAX_BITS)
            return false;
        compute_bounded(out, op, a, b);
        return true;
    }
}

kn_ref kn_nat_compute(struct kn_ctx *ctx, enum kn_op op, kn_ref a, kn_ref b)
{
    struct view x = { .limb = 0 };
    struct view y = { .limb = 0 };
    mpz_t out;
    kn_ref result = KN_NONE;

    view(ctx, a, &x);
    view(ctx, b, &y);
    if (op == KN_OP_BEQ || op == KN_OP_BLE) {
        int order = mpz_cmp(x.z, y.z);

        return truth(ctx, op == KN_OP_BEQ ? order == 0 : order <= 0);
    }
    mpz_init(out);
    if (compute(out, op, x.z, y.z))
        result = from_mpz(ctx, out);
    mpz_clear(out);
    return result;
}

kn_ref kn_nat_succ(struct kn_ctx *ctx, kn_ref e)
{
    return kn_nat_compute(ctx, KN_OP_SUCC, e, e);
}

kn_ref kn_nat_pred(struct kn_ctx *ctx, kn_ref e)
{
    return kn_nat_compute(ctx, KN_OP_PRED, e, e);
}
