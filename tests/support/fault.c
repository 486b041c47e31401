#include "tests/support/fault.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"

enum { DISARMED = -1 };

static atomic_long countdown = DISARMED;
static atomic_bool fired;
static atomic_long live;

static bool fails_now(void)
{
    long left = atomic_load(&countdown);

    /* Of several threads that find the same number only one takes it. */
    while (left >= 0)
        if (atomic_compare_exchange_weak(&countdown, &left, left - 1))
            break;
    if (left != 0)
        return false;
    atomic_store(&fired, true);
    return true;
}

static void *faulty_resize(void *old, size_t size)
{
    void *memory;

    if (fails_now())
        return NULL;
    memory = realloc(old, size);
    if (memory && !old)
        atomic_fetch_add(&live, 1);
    return memory;
}

static void faulty_release(void *memory)
{
    if (memory)
        atomic_fetch_sub(&live, 1);
    free(memory);
}

void fault_begin(void)
{
    static const struct lwb_allocator faulty = { faulty_resize, faulty_release };

    atomic_store(&countdown, DISARMED);
    atomic_store(&live, 0);
    lwb_alloc_use(&faulty);
    lwb_json_init();
}

void fault_end(void)
{
    lwb_alloc_use(NULL);
}

void fault_arm(long n)
{
    atomic_store(&fired, false);
    atomic_store(&countdown, n);
}

bool fault_disarm(void)
{
    atomic_store(&countdown, DISARMED);
    return atomic_load(&fired);
}

long fault_live_blocks(void)
{
    return atomic_load(&live);
}
