/* Threads that sleep between products.

   Whoever computes never waits for a thread to wake up: a helper joins a product that is still going on, and one that
   comes too late finds the door closed. If another product has the helpers, a product is computed alone. Behind a short
   product helpers stay awake for a moment, since another one often follows: to wake them would take as long as it. They
   let any other thread have their processor meanwhile. */

#include <time.h>
#if defined(__linux__)
#include <sched.h>
#endif

enum {
    HELPERS = 63,  /* at most */
    AWAKE = 500000 /* nanoseconds for which one waits awake */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t called, left;
    void *(*work)(void *);
    void *argument;          /* NULL while the door is closed */
    atomic_ullong call; /* counts calls, so that no helper joins one twice */
    atomic_int inside;
    int started, wanted, busy, failed, short_work;
    pthread_t helpers[HELPERS];
    int avoided, kept_away; /* a processor, and how many helpers keep away from it */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .called = PTHREAD_COND_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};

/* After a fork the child has no helpers, and locks in whatever state they were. */
static void forget_helpers(void)
{
    memset(&pool, 0, sizeof pool);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.called, NULL);
    pthread_cond_init(&pool.left, NULL);
}

/* The processor on which this thread runs, or -1. */
static int here(void)
{
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

/* Keep the helpers away from the processor of the caller. Threads of other libraries that spin on the others look busy
   to the system, and it would wake a helper where it can only take turns with the one who called it. */
static void keep_away(void)
{
#if defined(__linux__)
    cpu_set_t allowed;
    int avoided = here();
    if (avoided < 0 || (avoided == pool.avoided && pool.kept_away == pool.started))
        return;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
        return;
    CPU_CLR(avoided, &allowed);
    for (int i = 0; i < pool.started; i++)
        pthread_setaffinity_np(pool.helpers[i], sizeof allowed, &allowed);
    pool.avoided = avoided, pool.kept_away = pool.started;
#endif
}

static int is_late(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1000000000LL * (now.tv_sec - start->tv_sec) + now.tv_nsec - start->tv_nsec > AWAKE;
}

/* Another thread that waits for this processor goes first. */
static void relax(void)
{
#if defined(__linux__)
    sched_yield();
#endif
    for (int i = 0; i < 8; i++)
#if defined(__x86_64__)
        _mm_pause();
#else
        atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* Wait awake, but not for long, until there is another call, without the lock, or until nobody is inside. */
static void stay_awake(unsigned long long last)
{
    struct timespec start;
    pthread_mutex_unlock(&pool.lock);
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (atomic_load(&pool.call) == last && !is_late(&start))
        relax();
    pthread_mutex_lock(&pool.lock);
}

static void await_leave(void)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (atomic_load(&pool.inside) > 0 && !is_late(&start))
        relax();
}

/* Sleep until a door is open. Who was called to a short product but came too late is there for the one that follows. */
static void await_door(unsigned long long last)
{
    while (pool.argument == NULL || pool.call == last || pool.wanted == 0) {
        unsigned long long seen = pool.call;
        pthread_cond_wait(&pool.called, &pool.lock);
        if (pool.argument == NULL && pool.call != seen && pool.short_work)
            stay_awake(pool.call);
    }
}

static void *help(void *unused)
{
    unsigned long long last = 0;
    (void)unused;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        await_door(last);
        void *(*work)(void *) = pool.work, *argument = pool.argument;
        last = pool.call;
        pool.wanted--, pool.inside++;
        pthread_mutex_unlock(&pool.lock);
        int failed = work(argument) != NULL;
        pthread_mutex_lock(&pool.lock);
        pool.failed |= failed;
        if (--pool.inside == 0)
            pthread_cond_signal(&pool.left);
        if (pool.short_work)
            stay_awake(last);
    }
    return NULL;
}

/* Open the door, unless another product has the helpers. */
static int call_helpers(void *(*work)(void *), void *argument, int helpers, int short_work)
{
    pthread_mutex_lock(&pool.lock);
    int ours = !pool.busy;
    if (ours) {
        while (pool.started < helpers && pthread_create(&pool.helpers[pool.started], NULL, help, NULL) == 0)
            pthread_detach(pool.helpers[pool.started++]);
        keep_away();
        pool.work = work, pool.argument = argument;
        pool.busy = 1, pool.failed = 0, pool.wanted = helpers, pool.short_work = short_work;
        atomic_fetch_add(&pool.call, 1);
        pthread_cond_broadcast(&pool.called);
    }
    pthread_mutex_unlock(&pool.lock);
    return ours;
}

/* Close the door, and wait for those inside. Whether one of them failed. */
static int dismiss_helpers(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.argument = NULL;
    if (pool.short_work) {
        pthread_mutex_unlock(&pool.lock);
        await_leave();
        pthread_mutex_lock(&pool.lock);
    }
    while (pool.inside > 0)
        pthread_cond_wait(&pool.left, &pool.lock);
    int failed = pool.failed;
    pool.busy = 0;
    pthread_mutex_unlock(&pool.lock);
    return failed;
}

/* Call work(argument) in this thread and in at most so many others. Whether it returned anything but NULL. */
static int together(void *(*work)(void *), void *argument, int helpers, int short_work)
{
    helpers = helpers < HELPERS ? helpers : HELPERS;
    int ours = helpers > 0 && call_helpers(work, argument, helpers, short_work);
    int failed = work(argument) != NULL;
    return ours ? dismiss_helpers() | failed : failed;
}
