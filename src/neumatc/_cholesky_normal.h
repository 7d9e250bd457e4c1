/* Inner products of rows, and sums of them, for one kind of vectors; see _cholesky.c. Numbers are complex where `turned`, a
   constant wherever these are inlined: (re, im) in turn. */

typedef int64_t NAMED(places, KIND) __attribute__((vector_size(LANES * sizeof(double))));

/* One vector, or the first `bytes` of one, of two rows times two rows. */
TARGET INLINE void NAMED(added, KIND)(const double *const left[2], const double *const right[2], Py_ssize_t at,
    size_t bytes, NAMED(vector, KIND) sums[2][2][2], const int turned)
{
    NAMED(vector, KIND) x[2] = {{0}}, y[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        memcpy(&x[i], left[i] + at, bytes);
        memcpy(&y[i], right[i] + at, bytes);
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            sums[i][j][0] += x[i] * y[j];
            if (turned)
                sums[i][j][1] += x[i] * EXCHANGED(y[j], NAMED(places, KIND));
        }
}

TARGET INLINE void NAMED(multiplied, KIND)(const double *const left[2], const double *const right[2], Py_ssize_t count,
    double found[2][2][2], const int turned)
{
    NAMED(vector, KIND) sums[2][2][2] = {{{{0}}}};
    Py_ssize_t at = 0;
    for (; at + LANES <= count; at += LANES)
        NAMED(added, KIND)(left, right, at, LANES * sizeof(double), sums, turned);
    if (at < count)
        NAMED(added, KIND)(left, right, at, (count - at) * sizeof(double), sums, turned);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            double re = 0.0, im = 0.0;
            for (int l = 0; l < LANES; l++)
                re += sums[i][j][0][l], im += (l % 2 ? -1 : 1) * sums[i][j][1][l];
            found[i][j][0] = re, found[i][j][1] = im;
        }
}

/* Σ_e conj(x_e) y_e, (re, im), for two rows x times two rows y. */
TARGET static void NAMED(inner, KIND)(const double *const left[2], const double *const right[2], Py_ssize_t count,
    double found[2][2][2], int turned)
{
    if (turned)
        NAMED(multiplied, KIND)(left, right, count, found, 1);
    else
        NAMED(multiplied, KIND)(left, right, count, found, 0);
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
