/* The product of some rows of phi and one panel of C, for one kind of numbers and vectors; see _product.c. */

typedef REAL NAMED(vector, KIND) __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
typedef WHOLE NAMED(places, KIND) __attribute__((vector_size(LANES * sizeof(REAL)))); /* of numbers in a vector */

/* `count` vectors of zeros in each of TALL rows, which are `stride` bytes apart. */
TARGET static inline __attribute__((always_inline)) void NAMED(zeros, KIND)(char *to, Py_ssize_t stride, int count)
{
    const NAMED(vector, KIND) zero = {0};
    for (int row = 0; row < TALL; row++)
        for (int k = 0; k < count; k++)
            STREAM((NAMED(vector, KIND) *)(to + row * stride) + k, zero);
}

/* A tile of results: `tall` rows and `broad` vectors, constants wherever this is inlined. Stored at `to`, whose rows
   are `stride` bytes apart; past the caches if `stream`, a constant, too. With `add`, what is there already counts. */
TARGET static inline __attribute__((always_inline)) void NAMED(tile, KIND)(const REAL *phi, Py_ssize_t width,
    const REAL *packed, char *to, Py_ssize_t stride, const int tall, const int broad, const int stream, const int add)
{
    NAMED(vector, KIND) sums[TALL][BROAD] = {{{0}}};
    for (int row = 0; add && row < tall; row++)
        for (int k = 0; k < broad; k++)
            sums[row][k] = *((const NAMED(vector, KIND) *)(to + row * stride) + k);
    for (Py_ssize_t j = 0; j < width; j++) {
        const NAMED(vector, KIND) *columns = (const void *)(packed + j * BROAD * LANES);
        for (int row = 0; row < tall; row++)
            for (int k = 0; k < broad; k++)
                sums[row][k] += phi[row * width + j] * columns[k];
    }
    for (int row = 0; row < tall; row++)
        for (int k = 0; k < broad; k++) {
            NAMED(vector, KIND) *place = (NAMED(vector, KIND) *)(to + row * stride) + k;
            if (stream)
                STREAM(place, sums[row][k]);
            else
                *place = sums[row][k];
        }
}

/* The vectors of the tile at column k of a piece that are not blank: `count`, from `first` on. */
TARGET static inline struct part NAMED(filled, KIND)(struct piece piece, Py_ssize_t k)
{
    enum { BREADTH = BROAD * LANES, GRAINS = (BREADTH + GRAIN - 1) / GRAIN };
    const Py_ssize_t start = k / GRAIN;
    const uint64_t grains = ~piece.blank >> start & (((uint64_t)1 << GRAINS) - 1);
    if (grains == 0)
        return (struct part){0, 0};
    const Py_ssize_t from = (start + __builtin_ctzll(grains)) * GRAIN - k;
    const Py_ssize_t to = (start + 64 - __builtin_clzll(grains)) * GRAIN - k;
    const Py_ssize_t first = larger(0, from) / LANES, last = smaller(BROAD, (to + LANES - 1) / LANES);
    return (struct part){(int)first, (int)(last - first)};
}

/* A whole tile of a packed piece. Where results are streamed, blank vectors of a tall one are stored without a sum. */
TARGET static inline __attribute__((always_inline)) void NAMED(whole_tile, KIND)(const REAL *phi, Py_ssize_t width,
    const REAL *packed, struct part filled, char *to, Py_ssize_t stride, const int tall, const int stream, const int add)
{
    enum { VECTOR = LANES * sizeof(REAL) };
    if (tall < TALL || !stream || filled.count == BROAD) {
        NAMED(tile, KIND)(phi, width, packed, to, stride, tall, BROAD, stream, add);
        return;
    }
    const int behind = filled.first + filled.count;
    NAMED(zeros, KIND)(to, stride, filled.first);
    NAMED(zeros, KIND)(to + behind * VECTOR, stride, BROAD - behind);
    packed += filled.first * LANES;
    to += filled.first * VECTOR;
    switch (filled.count) {
#define PARTLY(broad) \
    case broad: \
        if (broad < BROAD) \
            NAMED(tile, KIND)(phi, width, packed, to, stride, tall, broad, stream, 0); \
        break;
        PARTLY(1) PARTLY(2) PARTLY(3) PARTLY(4) PARTLY(5)
#undef PARTLY
    }
}

/* Some columns of one row of C, from position `at` of a piece on, cut into the tiles that they belong to. */
TARGET static inline __attribute__((always_inline)) void NAMED(cut, KIND)(
    const REAL *columns, Py_ssize_t count, struct piece piece, Py_ssize_t at, Py_ssize_t width, REAL *packed)
{
    enum { BREADTH = BROAD * LANES };
    const Py_ssize_t end = at + count;
    for (Py_ssize_t size; at < end; at += size, columns += size) {
        const Py_ssize_t k = at - at % BREADTH;
        REAL *to = packed + k * width + at - k;
        size = smaller(k + BREADTH, end) - at;
        if (NAMED(filled, KIND)(piece, k).count == 0)
            continue;
        if (size == BREADTH) /* whose copy the compiler writes out */
            memcpy(to, columns, BREADTH * sizeof(REAL));
        else
            memcpy(to, columns, size * sizeof(REAL));
    }
}

/* Zeros where nobody wants the columns of the tiles at the ends of a piece, so that these are numbers. */
TARGET static void NAMED(clear_ends, KIND)(struct piece piece, Py_ssize_t width, REAL *packed)
{
    enum { BREADTH = BROAD * LANES };
    const Py_ssize_t end = piece.skip + piece.count, first = piece.skip - piece.skip % BREADTH, last = end - end % BREADTH;
    if (first < piece.skip)
        memset(packed + first * width, 0, width * BREADTH * sizeof(REAL));
    if (last < end)
        memset(packed + last * width, 0, width * BREADTH * sizeof(REAL));
}

/* The columns of a piece, for `count` rows of C from `first` on: row by row and, if need be, row and i times the row in
   turn. Those of one tile stand together. What SOON rows below, or behind the piece, will be needed next is fetched. */
TARGET static void NAMED(pack, KIND)(
    const struct job *job, struct piece piece, Py_ssize_t first, Py_ssize_t count, REAL *packed)
{
    enum { BREADTH = BROAD * LANES };
    static const REAL nothing[WIDE];
    REAL turned[WIDE];
    const Py_ssize_t width = count << job->turned, behind = piece.count * (Py_ssize_t)sizeof(REAL);
    NAMED(clear_ends, KIND)(piece, width, packed);
    for (Py_ssize_t j = first; j < first + count; j++, packed += BREADTH << job->turned) {
        const Py_ssize_t soon = j + SOON < job->rows ? SOON * job->C_stride
                                                     : ((j + SOON) % job->rows - j) * job->C_stride + behind;
        int64_t done = piece.done, left = piece.count;
        for (const struct place *place = piece.place; left > 0; place++, done = 0) {
            const struct run run = run_of(place, done, left);
            const Py_ssize_t at = piece.skip + piece.count - left, bytes = run.count * (Py_ssize_t)sizeof(REAL);
            const REAL *columns = run.from < 0 ? nothing : (const REAL *)(job->C + j * job->C_stride) + run.from;
            for (Py_ssize_t ahead = 0; run.from >= 0 && ahead < bytes; ahead += LINE)
                __builtin_prefetch((const char *)columns + soon + ahead, 0, 2);
            NAMED(cut, KIND)(columns, run.count, piece, at, width, packed);
            left -= run.count;
            if (!job->turned)
                continue;
            for (Py_ssize_t k = 0; k < run.count; k += 2)
                turned[k] = -columns[k + 1], turned[k + 1] = columns[k];
            NAMED(cut, KIND)(turned, run.count, piece, at, width, packed + BREADTH);
        }
    }
}

/* `tall` rows of results of a packed piece, or of what they grow by. Only what is wanted of the tiles at its ends is
   copied to out. */
TARGET static inline __attribute__((always_inline)) void NAMED(rows, KIND)(const struct job *job, struct piece piece,
    const REAL *phi, Py_ssize_t width, const REAL *packed, char *out, const int tall, const int stream)
{
    enum { BREADTH = BROAD * LANES };
    Py_ssize_t end = piece.skip + piece.count;
    for (Py_ssize_t k = piece.skip - piece.skip % BREADTH; k < end; k += BREADTH) {
        const REAL *columns = packed + k * width;
        const Py_ssize_t first = k < piece.skip ? piece.skip : k, last = k + BREADTH < end ? k + BREADTH : end;
        const struct part filled = NAMED(filled, KIND)(piece, k);
        const Py_ssize_t depth = filled.count ? width : 0;
        char *to = out + (k - piece.skip) * (Py_ssize_t)sizeof(REAL);
        if (last - first == BREADTH) {
            const int add = !stream && piece.grows;
            NAMED(whole_tile, KIND)(phi, depth, columns, filled, to, job->out_stride, tall, stream, add);
            continue;
        }
        REAL edge[TALL * BREADTH] = {0};
        const size_t bytes = (last - first) * sizeof(REAL);
        to += (first - k) * (Py_ssize_t)sizeof(REAL);
        for (int row = 0; piece.grows && row < tall; row++)
            memcpy(edge + row * BREADTH + first - k, to + row * job->out_stride, bytes);
        NAMED(tile, KIND)(phi, depth, columns, (char *)edge, sizeof(REAL) * BREADTH, tall, BROAD, 0, 1);
        for (int row = 0; row < tall; row++)
            memcpy(to + row * job->out_stride, edge + row * BREADTH + first - k, bytes);
    }
}

/* `rows` rows of results of a packed piece. */
TARGET static inline __attribute__((always_inline)) void NAMED(all_rows, KIND)(const struct job *job, struct piece piece,
    const REAL *phi, Py_ssize_t width, Py_ssize_t rows, const REAL *packed, char *out, const int stream)
{
    for (; rows >= TALL; rows -= TALL, phi += TALL * width, out += TALL * job->out_stride)
        NAMED(rows, KIND)(job, piece, phi, width, packed, out, TALL, stream);
    for (; rows >= 2; rows -= 2, phi += 2 * width, out += 2 * job->out_stride)
        NAMED(rows, KIND)(job, piece, phi, width, packed, out, 2, stream);
    if (rows)
        NAMED(rows, KIND)(job, piece, phi, width, packed, out, 1, stream);
}

/* The two kinds of it are two functions: in one the compiler runs out of registers. */
TARGET static void NAMED(streamed, KIND)(const struct job *job, struct piece piece, const REAL *phi, Py_ssize_t width,
    Py_ssize_t rows, const REAL *packed, char *out)
{
    NAMED(all_rows, KIND)(job, piece, phi, width, rows, packed, out, 1);
}

TARGET static void NAMED(kept, KIND)(const struct job *job, struct piece piece, const REAL *phi, Py_ssize_t width,
    Py_ssize_t rows, const REAL *packed, char *out)
{
    NAMED(all_rows, KIND)(job, piece, phi, width, rows, packed, out, 0);
}

/* The results of a piece from DEPTH rows of C, then those of the next rows added to them, and so on: sums over all rows
   in their order. Before the packed piece stand the coefficients of those rows. */
TARGET static void NAMED(by_depth, KIND)(
    const struct job *job, struct piece piece, const REAL *phi, Py_ssize_t rows, REAL *scratch, char *out)
{
    REAL *packed = scratch + FEW * DEPTH;
    for (Py_ssize_t from = 0; from < job->rows; from += job->depth) {
        Py_ssize_t count = job->rows - from < job->depth ? job->rows - from : job->depth, width = count << job->turned;
        for (Py_ssize_t row = 0; row < rows; row++)
            memcpy(scratch + row * width, phi + row * job->width + (from << job->turned), width * sizeof(REAL));
        NAMED(pack, KIND)(job, piece, from, count, packed);
        piece.grows = from > 0;
        NAMED(kept, KIND)(job, piece, scratch, width, rows, packed, out);
    }
}

/* `rows` results of a piece from point `first` on; `scratch` is for the packed piece. Zeros are a sum of no terms. */
TARGET static void NAMED(panel, KIND)(
    const struct job *job, struct piece piece, Py_ssize_t first, Py_ssize_t rows, void *scratch)
{
    const REAL *phi = (const REAL *)job->phi + first * job->width;
    const Py_ssize_t width = piece.blank == ZEROS ? 0 : job->width;
    char *out = job->out + first * job->out_stride + piece.to * (Py_ssize_t)sizeof(REAL);
    if (width && job->depth < job->rows) {
        NAMED(by_depth, KIND)(job, piece, phi, rows, scratch, out);
        return;
    }
    if (width)
        NAMED(pack, KIND)(job, piece, 0, job->rows, scratch);
    (job->stream ? NAMED(streamed, KIND) : NAMED(kept, KIND))(job, piece, phi, width, rows, scratch, out);
}

#if !defined(PACKED_ALONE)
/* One vector, or the first `bytes` of one, of `count` rows of sums, `apart` bytes from each other, plus `rows` rows of C, a
   constant wherever this is inlined; of those rows alone if the sums are `fresh`. Where phi is complex, i times a row is
   the row with neighbours exchanged and every other sign changed. */
TARGET static inline __attribute__((always_inline)) void NAMED(add, KIND)(const REAL *phi, Py_ssize_t count,
    const char *columns, Py_ssize_t stride, char *sums, Py_ssize_t apart, int fresh, const int rows, size_t bytes,
    const int turned)
{
    NAMED(vector, KIND) row[WAYS] = {{0}}, other[WAYS], signs;
    for (int i = 0; i < LANES; i++)
        signs[i] = i % 2 ? 1 : -1;
    for (int j = 0; j < rows; j++, columns += stride) {
        memcpy(&row[j], columns, bytes);
        if (turned)
            other[j] = signs * EXCHANGED(row[j], NAMED(places, KIND));
    }
    for (; count > 0; count--, phi += rows << turned, sums += apart) {
        NAMED(vector, KIND) sum = {0};
        HIDE(sum);
        if (!fresh)
            memcpy(&sum, sums, bytes);
        for (int j = 0; j < rows; j++) {
            sum += phi[j << turned] * row[j];
            if (turned)
                sum += phi[2 * j + 1] * other[j];
        }
        memcpy(sums, &sum, bytes);
    }
}

/* The same for all columns of a piece, and the coefficients of these rows of C, which are brought together. */
TARGET static inline __attribute__((always_inline)) void NAMED(add_all, KIND)(const REAL *phi, Py_ssize_t width,
    Py_ssize_t count, const char *columns, Py_ssize_t stride, char *sums, Py_ssize_t bytes, int fresh, const int rows,
    const int turned)
{
    const Py_ssize_t size = sizeof(NAMED(vector, KIND)), apart = apart_by(bytes);
    REAL together[SLIMMER * 2 * WAYS];
    for (Py_ssize_t r = 0; count > 1 && r < count; r++)
        memcpy(together + r * (rows << turned), phi + r * width, (rows << turned) * sizeof(REAL));
    phi = count > 1 ? together : phi;
    for (; bytes >= size; bytes -= size, columns += size, sums += size)
        NAMED(add, KIND)(phi, count, columns, stride, sums, apart, fresh, rows, size, turned);
    if (bytes)
        NAMED(add, KIND)(phi, count, columns, stride, sums, apart, fresh, rows, bytes, turned);
}

/* Sums brought to out; whole lines past the caches if `stream`. */
TARGET static void NAMED(bring, KIND)(char *to, const char *from, Py_ssize_t bytes, int stream)
{
    const Py_ssize_t before = stream ? smaller(bytes, -(uintptr_t)to % LINE) : bytes;
    memcpy(to, from, before);
    for (to += before, from += before, bytes -= before; bytes >= LINE; bytes -= LINE, to += LINE, from += LINE)
        for (int i = 0; i < LINE; i += sizeof(NAMED(vector, KIND)))
            STREAM((NAMED(vector, KIND) *)(to + i), *(const NAMED(vector, KIND) *)(from + i));
    memcpy(to, from, bytes);
}

/* `count` rows of results of a piece, a constant where it is one: a few rows of C are read side by side, no more than a
   cache of 8 ways holds where they begin a power of two apart, and for so long that the processor sees what it has to
   fetch next. They are summed beside each other, one row where it is wanted if it is not to be `brought` there. */
TARGET static inline __attribute__((always_inline)) void NAMED(read_once, KIND)(
    const struct job *job, struct piece piece, Py_ssize_t first, const Py_ssize_t count, const int turned, char *beside)
{
    const REAL *phi = (const REAL *)job->phi + first * job->width;
    const char *columns = job->C + (piece.place->from + piece.done) * (Py_ssize_t)sizeof(REAL);
    const Py_ssize_t stride = job->C_stride, bytes = piece.count * (Py_ssize_t)sizeof(REAL), width = job->width;
    char *out = job->out + first * job->out_stride + piece.to * (Py_ssize_t)sizeof(REAL);
    char *sums = count == 1 && is_alone(job) ? out : beside;
    for (Py_ssize_t left = job->rows; left > 0;) {
        const int ways = evenly(left, count == 1 ? STREAMS : WAYS), fresh = left == job->rows;
        switch (ways) {
#define SIDE_BY_SIDE(rows) \
    case rows: \
        NAMED(add_all, KIND)(phi, width, count, columns, stride, sums, bytes, fresh, rows, turned); \
        break;
            SIDE_BY_SIDE(1) SIDE_BY_SIDE(2) SIDE_BY_SIDE(3) SIDE_BY_SIDE(4)
            SIDE_BY_SIDE(5) SIDE_BY_SIDE(6) SIDE_BY_SIDE(7) SIDE_BY_SIDE(8)
#undef SIDE_BY_SIDE
        }
        left -= ways, phi += ways << turned, columns += ways * stride;
    }
    for (Py_ssize_t r = 0; sums != out && r < count; r++)
        NAMED(bring, KIND)(out + r * job->out_stride, sums + r * apart_by(bytes), bytes, job->stream);
}

TARGET static void NAMED(slim, KIND)(
    const struct job *job, struct piece piece, Py_ssize_t first, Py_ssize_t rows, void *scratch)
{
    if (piece.blank == ZEROS || job->rows == 0)
        for (Py_ssize_t r = first; r < first + rows; r++)
            memset((REAL *)(job->out + r * job->out_stride) + piece.to, 0, piece.count * sizeof(REAL));
    else if (job->turned)
        rows == 1 ? NAMED(read_once, KIND)(job, piece, first, 1, 1, scratch)
                  : NAMED(read_once, KIND)(job, piece, first, rows, 1, scratch);
    else
        rows == 1 ? NAMED(read_once, KIND)(job, piece, first, 1, 0, scratch)
                  : NAMED(read_once, KIND)(job, piece, first, rows, 0, scratch);
}

/* The sum of the squares of some numbers. */
TARGET static inline double NAMED(squares, KIND)(const REAL *numbers, Py_ssize_t count)
{
    NAMED(vector, KIND) sums[SUMS] = {{0}}, last = {0};
    for (; count >= SUMS * LANES; count -= SUMS * LANES, numbers += SUMS * LANES)
        for (int k = 0; k < SUMS; k++)
            sums[k] += ((const NAMED(vector, KIND) *)numbers)[k] * ((const NAMED(vector, KIND) *)numbers)[k];
    for (; count > 0; count -= LANES, numbers += LANES) {
        memcpy(&last, numbers, smaller(count, LANES) * sizeof(REAL));
        sums[0] += last * last;
        last = (NAMED(vector, KIND)){0};
    }
    double sum = 0;
    for (int k = 1; k < SUMS; k++)
        sums[0] += sums[k];
    for (int i = 0; i < LANES; i++)
        sum += sums[0][i];
    return sum;
}

#endif

#undef PACKED_ALONE
#undef REAL
#undef WHOLE
#undef LANES
#undef KIND
