/* One layer of a network of sines, for one kind of vectors; see _sine.c. */

typedef double NAMED(vector, KIND) __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));
typedef int64_t NAMED(integers, KIND) __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));

TARGET static inline __attribute__((always_inline)) void NAMED(series, KIND)(
    const double *terms, size_t count, const NAMED(vector, KIND) *z, NAMED(vector, KIND) *sum)
{
    *sum = *z * terms[0] + terms[1];
    for (size_t i = 2; i < count; i++)
        *sum = *sum * *z + terms[i];
}

/* Sines in place. What the rounding of r takes away, `rest`, enters by the first terms of its series. */
TARGET static inline __attribute__((always_inline)) void NAMED(sines, KIND)(NAMED(vector, KIND) *a)
{
    NAMED(vector, KIND) shifted = *a * INVERSE + ROUND, k = shifted - ROUND;
    NAMED(vector, KIND) near = *a - k * PIECE_1, r = near - k * PIECE_2, rest = near - r - k * PIECE_2 - k * PIECE_3;
    NAMED(vector, KIND) z = r * r, half = 0.5 * z, one = 1.0 - half, sine, cosine;
    NAMED(series, KIND)(SINE, sizeof SINE / sizeof *SINE, &z, &sine);
    NAMED(series, KIND)(COSINE, sizeof COSINE / sizeof *COSINE, &z, &cosine);
    sine = r + (r * z * sine + rest * one);
    cosine = one + ((1.0 - one - half) + (z * z * cosine - r * rest));
    NAMED(integers, KIND) quarter = (NAMED(integers, KIND))shifted, odd = -(quarter & 1);
    NAMED(integers, KIND) value = (odd & (NAMED(integers, KIND))cosine) | (~odd & (NAMED(integers, KIND))sine);
    *a = (NAMED(vector, KIND))(value ^ ((quarter & 2) << 62));
}

/* Two vectors of h W + b, whose columns begin at `weights`. */
TARGET static inline __attribute__((always_inline)) void NAMED(pair, KIND)(
    const double *h, int64_t inputs, const double *weights, NAMED(vector, KIND) *values)
{
    NAMED(vector, KIND) sums[GROUPS][2] = {{{0}}};
    const double *bias = weights;
    int64_t i = 0;
    for (weights += WIDE; i + GROUPS <= inputs; i += GROUPS)
        for (int g = 0; g < GROUPS; g++, weights += WIDE)
            for (int k = 0; k < 2; k++)
                sums[g][k] += h[i + g] * ((const NAMED(vector, KIND) *)weights)[k];
    for (; i < inputs; i++, weights += WIDE)
        for (int k = 0; k < 2; k++)
            sums[0][k] += h[i] * ((const NAMED(vector, KIND) *)weights)[k];
    for (int k = 0; k < 2; k++)
        values[k] = (sums[0][k] + sums[1][k]) + (sums[2][k] + sums[3][k]) + ((const NAMED(vector, KIND) *)bias)[k];
}

/* The layer at some points, whose numbers stand `from` and `to` apart. Returns the weights of the next layer. */
TARGET static const double *NAMED(layer, KIND)(const double *h, Py_ssize_t from, int64_t inputs, const double *weights,
    double *out, Py_ssize_t to, int64_t outputs, Py_ssize_t points, int is_hidden)
{
    for (int64_t start = 0; start < outputs; start += WIDE, weights += (1 + inputs) * WIDE)
        for (Py_ssize_t point = 0; point < points; point++)
            for (int column = 0; column < WIDE; column += 2 * LANES) {
                NAMED(vector, KIND) *values = (void *)(out + point * to + start + column);
                NAMED(pair, KIND)(h + point * from, inputs, weights + column, values);
                for (int k = 0; is_hidden && k < 2; k++)
                    NAMED(sines, KIND)(&values[k]);
            }
    return weights;
}

#undef LANES
#undef KIND
#undef TARGET
