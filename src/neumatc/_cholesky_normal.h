/* Inner products of rows, and sums of them, for one kind of vectors; see _cholesky.c. Numbers are complex where `turned`, a
   constant wherever these are inlined: (re, im) in turn. */

typedef int64_t NAMED(places, KIND) __attribute__((vector_size(LANES * sizeof(double))));

/* One vector, or the first `bytes` of one, of some rows times two rows: so many that the sums fit into the registers. */
TARGET INLINE void NAMED(added, KIND)(const double *const *left, const double *const right[2], Py_ssize_t at, size_t bytes,
    NAMED(vector, KIND) sums[AT_ONCE][2][2], const int turned)
{
    NAMED(vector, KIND) x[AT_ONCE] = {{0}}, y[2] = {{0}};
    for (int i = 0; i < AT_ONCE; i++)
        memcpy(&x[i], left[i] + at, bytes);
    for (int j = 0; j < 2; j++) {
        memcpy(&y[j], right[j] + at, bytes);
        for (int i = 0; i < AT_ONCE; i++)
            sums[i][j][0] += x[i] * y[j];
        y[j] = EXCHANGED(y[j], NAMED(places, KIND));
        for (int i = 0; turned && i < AT_ONCE; i++)
            sums[i][j][1] += x[i] * y[j];
    }
}

TARGET INLINE void NAMED(multiplied, KIND)(const double *const *left, const double *const right[2], Py_ssize_t count,
    double (*found)[2][2], const int turned)
{
    NAMED(vector, KIND) sums[AT_ONCE][2][2];
    Py_ssize_t at = 0;
    for (int i = 0; i < AT_ONCE; i++)
        for (int j = 0; j < 2; j++)
            sums[i][j][0] = sums[i][j][1] = (NAMED(vector, KIND)){0};
    for (; at + LANES <= count; at += LANES)
        NAMED(added, KIND)(left, right, at, LANES * sizeof(double), sums, turned);
    if (at < count)
        NAMED(added, KIND)(left, right, at, (count - at) * sizeof(double), sums, turned);
    for (int i = 0; i < AT_ONCE; i++)
        for (int j = 0; j < 2; j++) {
            const NAMED(vector, KIND) real = sums[i][j][0], imaginary = sums[i][j][1];
            double re = 0.0, im = 0.0;
            for (int l = 0; l < LANES; l++)
                re += real[l], im += l % 2 ? -imaginary[l] : imaginary[l];
            found[i][j][0] = re, found[i][j][1] = im;
        }
}

/* Σ_e conj(x_e) y_e, (re, im), for LEFT rows x times two rows y. */
TARGET static void NAMED(inner, KIND)(const double *const left[LEFT], const double *const right[2], Py_ssize_t count,
    double found[LEFT][2][2], int turned)
{
    for (int i = 0; i < LEFT; i += AT_ONCE)
        if (turned)
            NAMED(multiplied, KIND)(left + i, right, count, found + i, 1);
        else
            NAMED(multiplied, KIND)(left + i, right, count, found + i, 0);
}

/* One vector, or the first `bytes` of one, of r less a sum of rows. */
TARGET INLINE void NAMED(subtracted, KIND)(const struct rows *J, const double *x, Py_ssize_t at, size_t bytes, double *r)
{
    NAMED(vector, KIND) rest = {0}, row = {0}, signs;
    for (int l = 0; l < LANES; l++)
        signs[l] = l % 2 ? 1 : -1;
    memcpy(&rest, r + at, bytes);
    for (Py_ssize_t j = 0; j < J->count; j++) {
        memcpy(&row, J->numbers + j * J->stride + at, bytes);
        if (J->turned)
            rest -= x[2 * j] * row + x[2 * j + 1] * signs * EXCHANGED(row, NAMED(places, KIND));
        else
            rest -= x[j] * row;
    }
    memcpy(r + at, &rest, bytes);
}

/* r - Σ_j x_j J_j in place of r. */
TARGET static void NAMED(subtract, KIND)(const struct rows *J, const double *x, double *r)
{
    Py_ssize_t at = 0;
    for (; at + LANES <= J->length; at += LANES)
        NAMED(subtracted, KIND)(J, x, at, LANES * sizeof(double), r);
    if (at < J->length)
        NAMED(subtracted, KIND)(J, x, at, (J->length - at) * sizeof(double), r);
}
