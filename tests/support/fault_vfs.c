#include "tests/support/fault_vfs.h"

#include <assert.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>

/* The real file lies behind ours in the same memory. */
struct fault_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs faulty_vfs;
static enum fault_kind kind;
static long countdown = -1; /* -1: not armed */
static bool fired;

void fault_vfs_arm(enum fault_kind what, long n)
{
    kind = what;
    countdown = n;
    fired = false;
}

bool fault_vfs_disarm(void)
{
    countdown = -1;
    return fired;
}

enum effect {
    READS,
    GROWS,  /* takes room */
    WRITES, /* takes room and can be torn */
};

/* Whether this operation goes wrong. Does not come back where the process is to die at once. */
static bool goes_wrong(enum effect effect)
{
    if (countdown < 0)
        return false;
    if ((kind == FAULT_DISK_FULL && effect == READS) ||
        (kind == FAULT_KILL_TORN && effect != WRITES))
        return false;
    if (countdown > 0) {
        countdown--;
        return false;
    }
    if (kind == FAULT_KILL)
        (void)raise(SIGKILL);
    if (kind == FAULT_ONCE)
        countdown = -1;
    fired = true;
    return true;
}

static int code(int io_error)
{
    return kind == FAULT_DISK_FULL ? SQLITE_FULL : io_error;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

/* ---- files ------------------------------------------------------------------------------- */

static int faulty_close(sqlite3_file *file)
{
    return real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
}

static int faulty_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    if (goes_wrong(READS))
        return SQLITE_IOERR_READ;
    return real(file)->pMethods->xRead(real(file), data, len, at);
}

static int faulty_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    if (goes_wrong(WRITES)) {
        if (kind == FAULT_KILL_TORN) {
            (void)real(file)->pMethods->xWrite(real(file), data, len / 2, at);
            (void)raise(SIGKILL);
        }
        return code(SQLITE_IOERR_WRITE);
    }
    return real(file)->pMethods->xWrite(real(file), data, len, at);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (goes_wrong(READS)) /* cutting needs no room */
        return SQLITE_IOERR_TRUNCATE;
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    if (goes_wrong(GROWS))
        return code(SQLITE_IOERR_FSYNC);
    return real(file)->pMethods->xSync(real(file), flags);
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    if (goes_wrong(READS))
        return SQLITE_IOERR_FSTAT;
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int faulty_lock(sqlite3_file *file, int level)
{
    if (goes_wrong(READS))
        return SQLITE_IOERR_LOCK;
    return real(file)->pMethods->xLock(real(file), level);
}

static int plain_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int plain_check_lock(sqlite3_file *file, int *out)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int plain_control(sqlite3_file *file, int operation, void *argument)
{
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int plain_sector(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int plain_device(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int faulty_shm_map(sqlite3_file *file, int page, int size, int extend,
                          void volatile **memory)
{
    if (goes_wrong(extend ? GROWS : READS))
        return code(SQLITE_IOERR_SHMMAP);
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    if (!(flags & SQLITE_SHM_UNLOCK) && goes_wrong(READS))
        return SQLITE_IOERR_SHMLOCK;
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void plain_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int plain_shm_unmap(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = faulty_close,
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = faulty_size,
    .xLock = faulty_lock,
    .xUnlock = plain_unlock,
    .xCheckReservedLock = plain_check_lock,
    .xFileControl = plain_control,
    .xSectorSize = plain_sector,
    .xDeviceCharacteristics = plain_device,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = plain_shm_barrier,
    .xShmUnmap = plain_shm_unmap,
};

static sqlite3_io_methods methods_without_memory;
static const sqlite3_io_methods *current = &methods;

void fault_vfs_without_shared_memory(bool without)
{
    methods_without_memory = methods;
    methods_without_memory.iVersion = 1;
    current = without ? &methods_without_memory : &methods;
}

/* ---- the file system ----------------------------------------------------------------------- */

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                       int *out_flags)
{
    struct fault_file *ours = (struct fault_file *)file;
    int rc;

    (void)vfs;
    file->pMethods = NULL;
    if (goes_wrong(flags & SQLITE_OPEN_CREATE ? GROWS : READS))
        return SQLITE_CANTOPEN;
    ours->real = (sqlite3_file *)(ours + 1);
    rc = real_vfs->xOpen(real_vfs, name, ours->real, flags, out_flags);
    if (rc == SQLITE_OK)
        file->pMethods = current;
    return rc;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    if (goes_wrong(READS))
        return SQLITE_IOERR_DELETE;
    return real_vfs->xDelete(real_vfs, name, sync);
}

static int faulty_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    if (goes_wrong(READS))
        return SQLITE_IOERR_ACCESS;
    return real_vfs->xAccess(real_vfs, name, flags, out);
}

void fault_vfs_install(void)
{
    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    assert(real_vfs);
    faulty_vfs = *real_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    faulty_vfs.xOpen = faulty_open;
    faulty_vfs.xDelete = faulty_delete;
    faulty_vfs.xAccess = faulty_access;
    (void)sqlite3_vfs_register(&faulty_vfs, 1);
}
