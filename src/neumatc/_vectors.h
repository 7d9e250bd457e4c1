/* Which vectors this processor has, and names of functions that are compiled for each kind of them. */

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum vectors { BASIC, AVX2, AVX512 };
static const char *const VECTORS[] = {"basic", "avx2", "avx512"};

#define JOIN(a, b) a##_##b
#define NAMED(a, b) JOIN(a, b)

/* A vector with neighbours exchanged: (im, re) of every (re, im). `places` is the type of vectors of as many integers. */
#define NEIGHBOURS_2 1, 0
#define NEIGHBOURS_4 NEIGHBOURS_2, 3, 2
#define NEIGHBOURS_8 NEIGHBOURS_4, 5, 4, 7, 6
#define NEIGHBOURS_16 NEIGHBOURS_8, 9, 8, 11, 10, 13, 12, 15, 14
#if defined(__clang__)
#define EXCHANGED(vector, places) __builtin_shufflevector(vector, vector, NAMED(NEIGHBOURS, LANES))
#else
#define EXCHANGED(vector, places) __builtin_shuffle(vector, (places){NAMED(NEIGHBOURS, LANES)})
#endif

/* Keep what a vector holds from the compiler. Of a sum of two products it could take either for the one that is rounded
   by itself; of a product added to what it does not know it cannot. */
#if defined(__x86_64__)
#define HIDE(vector) __asm__("" : "+v"(vector))
#elif defined(__aarch64__)
#define HIDE(vector) __asm__("" : "+w"(vector))
#else
#define HIDE(vector) __asm__("" : "+m"(vector))
#endif

static inline enum vectors best_vectors(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return AVX2;
#endif
    return BASIC;
}

/* The kind that was asked for, if this processor has it, else its best one. */
static inline enum vectors chosen_vectors(int asked)
{
    enum vectors best = best_vectors();
    return asked < 0 || asked > (int)best ? best : (enum vectors)asked;
}
