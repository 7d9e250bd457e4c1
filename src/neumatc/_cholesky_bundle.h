/* Factors of a bundle of matrices, and solutions with them, for one kind of vectors; see _cholesky.c. */

typedef double NAMED(vector, KIND) __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));

/* Vectors in which the same column of a bundle lies. */
#define PARTS(each) ((each) == 1 ? 1 : BUNDLE / LANES)

/* Row i from a column on, `broad` granules of it, less what the rows above take away: N_ij - Σ_k R_ki R_kj. */
TARGET INLINE void NAMED(reduced, KIND)(
    double *R, Py_ssize_t stride, Py_ssize_t i, Py_ssize_t column, const int broad, const int each)
{
    NAMED(vector, KIND) *target = (void *)(R + (i * stride + column) * each), sums[BROAD][PARTS(each)];
    for (int g = 0; g < broad; g++)
        for (int part = 0; part < PARTS(each); part++)
            sums[g][part] = target[g * PARTS(each) + part];
    for (Py_ssize_t k = 0; k < i; k++) {
        const double *row = R + k * stride * each, *factor = row + i * each;
        const NAMED(vector, KIND) *from = (const void *)(row + column * each);
        for (int g = 0; g < broad; g++)
            for (int part = 0; part < PARTS(each); part++) {
                NAMED(vector, KIND) share = (NAMED(vector, KIND)){0} + *factor;
                if (each != 1)
                    share = ((const NAMED(vector, KIND) *)factor)[part];
                sums[g][part] -= share * from[g * PARTS(each) + part];
            }
    }
    for (int g = 0; g < broad; g++)
        for (int part = 0; part < PARTS(each); part++)
            target[g * PARTS(each) + part] = sums[g][part];
}

/* R in place of N, with reciprocals on its diagonal; `least` are the squares of the least pivots. */
TARGET INLINE void NAMED(factored, KIND)(double *R, Py_ssize_t m, Py_ssize_t stride, double *least, const int each)
{
    const int granule = each == 1 ? LANES : 1;
    for (int l = 0; l < each; l++)
        least[l] = 1.0;
    for (Py_ssize_t i = 0; i < m; i++) {
        double *diagonal = R + (i * stride + i) * each, full[BUNDLE], inverse[BUNDLE];
        memcpy(full, diagonal, each * sizeof *full);
        Py_ssize_t column = i / granule * granule;
        for (; column + BROAD * granule <= stride; column += BROAD * granule)
            NAMED(reduced, KIND)(R, stride, i, column, BROAD, each);
        for (; column < stride; column += granule)
            NAMED(reduced, KIND)(R, stride, i, column, 1, each);
        for (int l = 0; l < each; l++) {
            double pivot = diagonal[l] / fabs(full[l]); /* of columns of length one, squared */
            least[l] = pivot < least[l] || pivot != pivot ? pivot : least[l];
            inverse[l] = diagonal[l] = 1.0 / sqrt(diagonal[l]);
        }
        for (Py_ssize_t j = 1; j < m - i; j++)
            for (int l = 0; l < each; l++)
                diagonal[j * each + l] *= inverse[l];
    }
}

/* Σ_j row_j x_j, in as many sums as there are numbers side by side. */
TARGET INLINE void NAMED(dot, KIND)(
    const double *restrict row, const double *restrict x, Py_ssize_t count, double *sum, const int each)
{
    double sums[BUNDLE] = {0};
    Py_ssize_t j = 0, numbers = count * each;
    for (; j + BUNDLE <= numbers; j += BUNDLE)
        for (int l = 0; l < BUNDLE; l++)
            sums[l] += row[j + l] * x[j + l];
    for (; j < numbers; j++) /* none of a bundle */
        sums[0] += row[j] * x[j];
    for (int l = 0; l < BUNDLE; l++)
        sum[l % each] = (l < each ? 0.0 : sum[l % each]) + sums[l];
}

/* x = N⁻¹ x; the diagonal of R holds reciprocals. */
TARGET INLINE void NAMED(solved, KIND)(
    const double *R, Py_ssize_t m, Py_ssize_t stride, double *restrict x, const int each)
{
    for (Py_ssize_t k = 0; k < m; k++) {
        const double *restrict row = R + (k * stride + k) * each;
        double value[BUNDLE];
        for (int l = 0; l < each; l++)
            value[l] = x[k * each + l] *= row[l];
        for (Py_ssize_t j = 1; j < m - k; j++)
            for (int l = 0; l < each; l++)
                x[(k + j) * each + l] -= row[j * each + l] * value[l];
    }
    for (Py_ssize_t k = m - 1; k >= 0; k--) {
        const double *row = R + (k * stride + k) * each;
        double sum[BUNDLE];
        NAMED(dot, KIND)(row + each, x + (k + 1) * each, m - 1 - k, sum, each);
        for (int l = 0; l < each; l++)
            x[k * each + l] = (x[k * each + l] - sum[l]) * row[l];
    }
}

TARGET static void NAMED(factor, KIND)(double *R, Py_ssize_t m, Py_ssize_t stride, double *least, int each)
{
    each == 1 ? NAMED(factored, KIND)(R, m, stride, least, 1) : NAMED(factored, KIND)(R, m, stride, least, BUNDLE);
}

TARGET static void NAMED(solve, KIND)(const double *R, Py_ssize_t m, Py_ssize_t stride, double *x, int each)
{
    each == 1 ? NAMED(solved, KIND)(R, m, stride, x, 1) : NAMED(solved, KIND)(R, m, stride, x, BUNDLE);
}
