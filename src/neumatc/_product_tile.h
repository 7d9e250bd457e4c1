/* The product of some rows of phi and one panel of C, for one kind of numbers and vectors; see _product.c. */

typedef REAL NAMED(vector, KIND) __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
typedef WHOLE NAMED(places, KIND) __attribute__((vector_size(LANES * sizeof(REAL)))); /* of numbers in a vector */

/* A tile of results: `tall` rows, a constant wherever this is inlined, and BROAD vectors. Stored at `to`, whose rows
   are `stride` bytes apart; past the caches if `stream`, a constant, too. */
TARGET static inline __attribute__((always_inline)) void NAMED(tile, KIND)(
    const REAL *phi, Py_ssize_t width, const REAL *packed, char *to, Py_ssize_t stride, const int tall, const int stream)
{
    NAMED(vector, KIND) sums[TALL][BROAD] = {{{0}}};
    for (Py_ssize_t j = 0; j < width; j++) {
        const NAMED(vector, KIND) *columns = (const void *)(packed + j * BROAD * LANES);
        for (int row = 0; row < tall; row++)
            for (int k = 0; k < BROAD; k++)
                sums[row][k] += phi[row * width + j] * columns[k];
    }
    for (int row = 0; row < tall; row++)
        for (int k = 0; k < BROAD; k++) {
            NAMED(vector, KIND) *place = (NAMED(vector, KIND) *)(to + row * stride) + k;
            if (stream)
                STREAM(place, sums[row][k]);
            else
                *place = sums[row][k];
        }
}

/* One row of a piece, which begins at position `skip`, cut into the tiles that it belongs to. */
TARGET static inline void NAMED(cut, KIND)(const REAL *row, struct piece piece, Py_ssize_t width, REAL *packed)
{
    enum { BREADTH = BROAD * LANES };
    Py_ssize_t end = piece.skip + piece.count;
    for (Py_ssize_t k = 0; k < end; k += BREADTH, packed += width * BREADTH) {
        Py_ssize_t first = k < piece.skip ? piece.skip : k, last = k + BREADTH < end ? k + BREADTH : end;
        if (last - first == BREADTH) {
            memcpy(packed, row + k - piece.skip, BREADTH * sizeof(REAL));
            continue;
        }
        memset(packed, 0, BREADTH * sizeof(REAL));
        if (first < last)
            memcpy(packed + first - k, row + first - piece.skip, (last - first) * sizeof(REAL));
    }
}

/* The columns of a piece, row by row and, if need be, row and i times the row in turn. Those of one tile stand together.
   While they are packed, what follows them is fetched. */
TARGET static void NAMED(pack, KIND)(const struct job *job, struct piece piece, REAL *packed)
{
    enum { BREADTH = BROAD * LANES };
    REAL turned[PANEL];
    for (Py_ssize_t j = 0; j < job->rows; j++) {
        const REAL *row = (const REAL *)(job->C + j * job->C_stride) + piece.from;
        for (size_t ahead = 0; ahead < job->columns * sizeof(REAL); ahead += LINE)
            __builtin_prefetch((const char *)(row + piece.count) + ahead, 0, 2);
        NAMED(cut, KIND)(row, piece, job->width, packed);
        packed += BREADTH;
        if (!job->turned)
            continue;
        for (Py_ssize_t k = 0; k < piece.count; k += 2)
            turned[k] = -row[k + 1], turned[k + 1] = row[k];
        NAMED(cut, KIND)(turned, piece, job->width, packed);
        packed += BREADTH;
    }
}

/* `tall` rows of results of a packed piece. Only what is wanted of the tiles at its ends is copied to out. */
TARGET static inline __attribute__((always_inline)) void NAMED(rows, KIND)(
    const struct job *job, struct piece piece, const REAL *phi, Py_ssize_t width, const REAL *packed, char *out, const int tall)
{
    enum { BREADTH = BROAD * LANES };
    Py_ssize_t end = piece.skip + piece.count;
    for (Py_ssize_t k = piece.skip - piece.skip % BREADTH; k < end; k += BREADTH) {
        Py_ssize_t first = k < piece.skip ? piece.skip : k, last = k + BREADTH < end ? k + BREADTH : end;
        char *to = out + (k - piece.skip) * (Py_ssize_t)sizeof(REAL);
        if (last - first == BREADTH && job->stream)
            NAMED(tile, KIND)(phi, width, packed + k * width, to, job->out_stride, tall, 1);
        else if (last - first == BREADTH)
            NAMED(tile, KIND)(phi, width, packed + k * width, to, job->out_stride, tall, 0);
        else {
            REAL edge[TALL * BREADTH];
            NAMED(tile, KIND)(phi, width, packed + k * width, (char *)edge, sizeof(REAL) * BREADTH, tall, 0);
            for (int row = 0; row < tall; row++)
                memcpy(to + row * job->out_stride + (first - k) * sizeof(REAL), edge + row * BREADTH + first - k,
                    (last - first) * sizeof(REAL));
        }
    }
}

/* `rows` results of a piece from point `first` on; `scratch` is for the packed piece. Zeros are a sum of no terms. */
TARGET static void NAMED(panel, KIND)(
    const struct job *job, struct piece piece, Py_ssize_t first, Py_ssize_t rows, void *scratch)
{
    Py_ssize_t step = job->width, width = piece.from < 0 ? 0 : step;
    const REAL *phi = (const REAL *)job->phi + first * step;
    char *out = job->out + first * job->out_stride + piece.to * (Py_ssize_t)sizeof(REAL);
    if (width)
        NAMED(pack, KIND)(job, piece, scratch);
    for (; rows >= TALL; rows -= TALL, phi += TALL * step, out += TALL * job->out_stride)
        NAMED(rows, KIND)(job, piece, phi, width, scratch, out, TALL);
    for (; rows >= 2; rows -= 2, phi += 2 * step, out += 2 * job->out_stride)
        NAMED(rows, KIND)(job, piece, phi, width, scratch, out, 2);
    if (rows)
        NAMED(rows, KIND)(job, piece, phi, width, scratch, out, 1);
}

/* Some vectors, or one in part, of the only row of results: every row of C is read in place, and what follows it is
   fetched. Where phi is complex, i times the row is the row with neighbours exchanged and every other sign changed. */
TARGET static inline __attribute__((always_inline)) void NAMED(run, KIND)(
    const struct job *job, const char *columns, char *out, const int vectors, size_t bytes, const int turned)
{
    NAMED(vector, KIND) sums[LONG] = {{0}}, row, signs;
    const REAL *phi = (const REAL *)job->phi;
    for (int i = 0; i < LANES; i++)
        signs[i] = i % 2 ? 1 : -1;
    for (Py_ssize_t j = 0; j < job->rows; j++, phi += 1 + turned, columns += job->C_stride) {
        for (size_t ahead = 0; vectors == LONG && ahead < sizeof sums; ahead += LINE)
            __builtin_prefetch(columns + sizeof sums + ahead, 0, 3);
        for (int k = 0; k < vectors; k++) {
            row = (NAMED(vector, KIND)){0};
            memcpy(&row, columns + k * sizeof row, vectors == 1 ? bytes : sizeof row);
            sums[k] += phi[0] * row;
            if (turned)
                sums[k] += phi[1] * signs * EXCHANGED(row, NAMED(places, KIND));
        }
    }
    memcpy(out, sums, vectors == 1 ? bytes : vectors * sizeof row);
}

/* The only row of results of a piece. Nothing is packed, since nothing is used twice. */
TARGET static inline __attribute__((always_inline)) void NAMED(row, KIND)(
    const struct job *job, struct piece piece, const int turned)
{
    const size_t size = sizeof(NAMED(vector, KIND));
    char *out = job->out + piece.to * (Py_ssize_t)sizeof(REAL);
    const char *columns = job->C + piece.from * (Py_ssize_t)sizeof(REAL), *end = columns + piece.count * sizeof(REAL);
    for (; columns + LONG * size <= end; columns += LONG * size, out += LONG * size)
        NAMED(run, KIND)(job, columns, out, LONG, 0, turned);
    for (; columns + size <= end; columns += size, out += size)
        NAMED(run, KIND)(job, columns, out, 1, size, turned);
    if (columns < end)
        NAMED(run, KIND)(job, columns, out, 1, end - columns, turned);
}

TARGET static void NAMED(single, KIND)(const struct job *job, struct piece piece)
{
    if (piece.from < 0)
        memset((REAL *)job->out + piece.to, 0, piece.count * sizeof(REAL));
    else if (job->turned)
        NAMED(row, KIND)(job, piece, 1);
    else
        NAMED(row, KIND)(job, piece, 0);
}

#undef REAL
#undef WHOLE
#undef LANES
#undef KIND
