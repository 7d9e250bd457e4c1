/* Cholesky factors N = RᵀR of many small symmetric matrices, and solutions with them.

   A library calls LAPACK once for each matrix, and a matrix of twenty rows is done in less time than the call takes.
   Here eight matrices are one: number by number side by side, so that each instruction serves all eight. A few
   matrices, and large ones, of which eight would not stay in the cache, are factored one after another, with rows as
   vectors. Only the upper triangle of N is read.

   One least-squares problem alone is solved in one call, since its matrix is made of rows as they lie in memory. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000 /* Python 3.11, the first with buffers */
#include <Python.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "_vectors.h"

enum {
    BUNDLE = 8,   /* matrices side by side */
    FEWEST = 4,   /* of them that are worth it */
    LARGEST = 60, /* rows of them */
    BROAD = 4,    /* vectors, or columns of a bundle, whose sums are in registers */
    LEFT = 4,     /* rows that are multiplied with two others at once */
    BRIEF = 4096, /* numbers of all matrices together for which another thread of Python need not be let in */
};

#define INLINE static inline __attribute__((always_inline))

/* Rows of so many numbers, `stride` numbers apart; complex ones, (re, im) in turn, where `turned`. */
struct rows {
    const double *numbers;
    Py_ssize_t count, length, stride;
    int turned;
};

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define LANES 8
#define AT_ONCE 4
#define KIND avx512
#include "_cholesky_bundle.h"
#include "_cholesky_normal.h"
#undef TARGET
#undef LANES
#undef AT_ONCE
#undef KIND

#define TARGET __attribute__((target("avx2,fma")))
#define LANES 4
#define AT_ONCE 2
#define KIND avx2
#include "_cholesky_bundle.h"
#include "_cholesky_normal.h"
#undef TARGET
#undef LANES
#undef AT_ONCE
#undef KIND
#endif

#define TARGET
#define LANES 2
#define AT_ONCE 2
#define KIND basic
#include "_cholesky_bundle.h"
#include "_cholesky_normal.h"
#undef TARGET
#undef LANES
#undef AT_ONCE
#undef KIND

struct kernels {
    void (*factor)(double *R, Py_ssize_t m, Py_ssize_t stride, double *least, int each);
    void (*solve)(const double *R, Py_ssize_t m, Py_ssize_t stride, double *x, int each);
    void (*inner)(const double *const left[LEFT], const double *const right[2], Py_ssize_t, double found[LEFT][2][2], int);
    void (*subtract)(const struct rows *J, const double *x, double *r);
};

static struct kernels kernels_of(enum vectors vectors)
{
#if defined(__x86_64__)
    if (vectors == AVX512)
        return (struct kernels){factor_avx512, solve_avx512, inner_avx512, subtract_avx512};
    if (vectors == AVX2)
        return (struct kernels){factor_avx2, solve_avx2, inner_avx2, subtract_avx2};
#endif
    (void)vectors;
    return (struct kernels){factor_basic, solve_basic, inner_basic, subtract_basic};
}

/* How B matrices of m rows are laid out: so many side by side, and so many numbers of each in a row. */
struct layout {
    Py_ssize_t count, m, stride;
    int each;
};

static struct layout layout_of(Py_ssize_t count, Py_ssize_t m)
{
    if (count >= FEWEST && m <= LARGEST)
        return (struct layout){count, m, m, BUNDLE};
    return (struct layout){count, m, (m + BUNDLE - 1) / BUNDLE * BUNDLE, 1}; /* whole vectors */
}

static Py_ssize_t size_of(struct layout layout) { return layout.m * layout.stride * layout.each; }

static Py_ssize_t numbers_of(struct layout layout)
{
    return (layout.count + layout.each - 1) / layout.each * size_of(layout);
}

/* Numbers of a bundle that stand `apart` bytes from each other; behind the last of `count` it is repeated. */
INLINE void gather(double *to, const char *from, Py_ssize_t apart, Py_ssize_t count, const int each)
{
    if (apart == sizeof *to && count >= each)
        memcpy(to, from, each * sizeof *to);
    else
        for (int l = 0; l < each; l++)
            to[l] = *(const double *)(from + (l < count ? l : count - 1) * apart);
}

/* The upper triangles of a bundle, and zeros in what is left of their vectors. */
INLINE void laid_out(const Py_buffer *N, Py_ssize_t first, struct layout layout, double *R, const int each)
{
    const char *numbers = (const char *)N->buf + first * N->strides[0];
    for (Py_ssize_t i = 0; i < layout.m; i++) {
        double *row = R + i * layout.stride * each;
        if (each == 1)
            memset(row, 0, layout.stride * sizeof *row);
        for (Py_ssize_t j = i; j < layout.m; j++)
            gather(row + j * each, numbers + i * N->strides[1] + j * N->strides[2], N->strides[0], layout.count - first, each);
    }
}

static void factor_all(const Py_buffer *N, double *R, double *least, struct kernels kernels)
{
    struct layout layout = layout_of(N->shape[0], N->shape[1]);
    for (Py_ssize_t first = 0; first < layout.count; first += layout.each, R += size_of(layout)) {
        double pivots[BUNDLE];
        layout.each == 1 ? laid_out(N, first, layout, R, 1) : laid_out(N, first, layout, R, BUNDLE);
        kernels.factor(R, layout.m, layout.stride, pivots, layout.each);
        for (int l = 0; l < layout.each && first + l < layout.count; l++)
            least[first + l] = sqrt(pivots[l]);
    }
}

static int solve_all(const double *R, const Py_buffer *g, const Py_buffer *out, struct kernels kernels)
{
    struct layout layout = layout_of(g->shape[0], g->shape[1]);
    const Py_ssize_t *apart = g->strides;
    double *x = malloc((layout.m * layout.each + 1) * sizeof *x);
    if (x == NULL)
        return -1;
    for (Py_ssize_t first = 0; first < layout.count; first += layout.each, R += size_of(layout)) {
        const char *from = (const char *)g->buf + first * apart[0];
        char *to = (char *)out->buf + first * out->strides[0];
        for (Py_ssize_t i = 0; i < layout.m; i++)
            gather(x + i * layout.each, from + i * apart[1], apart[0], layout.count - first, layout.each);
        kernels.solve(R, layout.m, layout.stride, x, layout.each);
        for (Py_ssize_t i = 0; i < layout.m; i++)
            for (int l = 0; l < layout.each && first + l < layout.count; l++)
                *(double *)(to + l * out->strides[0] + i * out->strides[1]) = x[i * layout.each + l];
    }
    free(x);
    return 0;
}

/* So many rows from the i-th on, the last one again and again behind it. */
static void rows_from(const struct rows *J, Py_ssize_t i, const double **found, Py_ssize_t count)
{
    for (Py_ssize_t a = i; a < i + count; a++)
        *found++ = J->numbers + (a < J->count ? a : J->count - 1) * J->stride;
}

/* The upper triangle of N_ij = Σ_e conj(J_ie) J_je, in the form in which it multiplies (re, im) in turn. */
static void normal_matrix(const struct rows *J, double *R, Py_ssize_t stride, struct kernels kernels)
{
    memset(R, 0, (J->count << J->turned) * stride * sizeof *R);
    for (Py_ssize_t i = 0; i < J->count; i += LEFT)
        for (Py_ssize_t j = i; j < J->count; j += 2) {
            const double *left[LEFT], *right[2];
            double found[LEFT][2][2];
            rows_from(J, i, left, LEFT), rows_from(J, j, right, 2);
            kernels.inner(left, right, J->length, found, J->turned);
            for (Py_ssize_t a = i; a < i + LEFT && a < J->count; a++)
                for (Py_ssize_t b = a > j ? a : j; b < j + 2 && b < J->count; b++) {
                    const double re = found[a - i][b - j][0], im = found[a - i][b - j][1];
                    double *row = R + (a << J->turned) * stride + (b << J->turned);
                    row[0] = re;
                    if (J->turned)
                        row[1] = -im, row[stride] = a < b ? im : 0.0, row[stride + 1] = re;
                }
        }
}

/* g_i = Σ_e conj(J_ie) r_e. */
static void projected(const struct rows *J, const double *r, double *g, struct kernels kernels)
{
    const double *left[LEFT], *const right[2] = {r, r};
    for (Py_ssize_t i = 0; i < J->count; i += LEFT) {
        double found[LEFT][2][2];
        rows_from(J, i, left, LEFT);
        kernels.inner(left, right, J->length, found, J->turned);
        for (Py_ssize_t a = i; a < i + LEFT && a < J->count; a++)
            memcpy(g + (a << J->turned), found[a - i][0], sizeof *g << J->turned);
    }
}

/* x = argmin |Σ_j x_j J_j - r| by normal equations and one step of refinement. Returns the least pivot, as `factor` tells
   it, or -1 where there was no memory. */
static double least_squares_of(const struct rows *J, const double *r, double *x, struct kernels kernels)
{
    const Py_ssize_t m = J->count << J->turned, stride = (m + BUNDLE - 1) / BUNDLE * BUNDLE; /* whole vectors */
    double *R = malloc((m * stride + J->length + m + 1) * sizeof *R), *rest = R + m * stride, *g = rest + J->length;
    if (R == NULL)
        return -1.0;
    double least;
    normal_matrix(J, R, stride, kernels);
    kernels.factor(R, m, stride, &least, 1);
    projected(J, r, x, kernels);
    kernels.solve(R, m, stride, x, 1);
    memcpy(rest, r, J->length * sizeof *rest);
    kernels.subtract(J, x, rest);
    projected(J, rest, g, kernels);
    kernels.solve(R, m, stride, g, 1);
    for (Py_ssize_t i = 0; i < m; i++)
        x[i] += g[i];
    free(R);
    return sqrt(least);
}

struct arguments {
    Py_buffer view[3];
    int held, vectors;
};

static void release(struct arguments *given)
{
    while (given->held > 0)
        PyBuffer_Release(&given->view[--given->held]);
}

/* Three arrays of float64 with so many dimensions, the last ones to be written; returns whether they are that. */
static int are_parsed(PyObject *tuple, struct arguments *given, const int dimensions[3], int written)
{
    PyObject *objects[3];
    given->held = 0, given->vectors = -1;
    if (!PyArg_ParseTuple(tuple, "OOO|i", &objects[0], &objects[1], &objects[2], &given->vectors))
        return 0;
    for (int i = 0; i < 3; i++) {
        Py_buffer *view = &given->view[i];
        if (PyObject_GetBuffer(objects[i], view, PyBUF_STRIDES | PyBUF_FORMAT | (i >= written ? PyBUF_WRITABLE : 0)) < 0)
            return 0;
        given->held++;
        if (view->ndim != dimensions[i] || view->format == NULL || strcmp(view->format, "d") != 0) {
            PyErr_SetString(PyExc_ValueError, "arrays of float64 are needed, with the dimensions of the signature");
            return 0;
        }
    }
    return 1;
}

static int is_memory(const Py_buffer *view, Py_ssize_t numbers)
{
    return view->shape[0] == numbers && (numbers <= 1 || view->strides[0] == view->itemsize);
}

static PyObject *finished(struct arguments *given)
{
    release(given);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(factor_doc,
    "factor(N, R, least, vectors=-1, /)\n--\n\n"
    "Factors of symmetric ``N (B, m, m)`` into ``R``, memory of ``numbers(B, m)``, for `solve` alone to read.\n\n"
    "``least (B,)`` is the least pivot after rows and columns of N were divided by the roots of its diagonal, NaN where\n"
    "there is no factor. Arrays of float64; R and least contiguous.");

static PyObject *factor(PyObject *module, PyObject *tuple)
{
    struct arguments given;
    (void)module;
    if (are_parsed(tuple, &given, (const int[]){3, 1, 1}, 1)) {
        const Py_buffer *N = &given.view[0], *R = &given.view[1], *least = &given.view[2];
        Py_ssize_t count = N->shape[0], m = N->shape[1];
        if (N->shape[2] != m || !is_memory(R, numbers_of(layout_of(count, m))) || !is_memory(least, count))
            PyErr_SetString(PyExc_ValueError, "N, R and least do not belong together");
        else {
            PyThreadState *state = R->shape[0] > BRIEF ? PyEval_SaveThread() : NULL;
            factor_all(N, R->buf, least->buf, kernels_of(chosen_vectors(given.vectors)));
            if (state != NULL)
                PyEval_RestoreThread(state);
        }
    }
    return finished(&given);
}

PyDoc_STRVAR(solve_doc,
    "solve(R, g, out, vectors=-1, /)\n--\n\n"
    "``out = N⁻¹ g`` with the factors R of N, for ``g (B, m)`` and ``out (B, m)``, which may be g. Arrays of float64.");

static PyObject *solve(PyObject *module, PyObject *tuple)
{
    struct arguments given;
    (void)module;
    if (are_parsed(tuple, &given, (const int[]){1, 2, 2}, 2)) {
        const Py_buffer *R = &given.view[0], *g = &given.view[1], *out = &given.view[2];
        Py_ssize_t count = g->shape[0], m = g->shape[1];
        if (!is_memory(R, numbers_of(layout_of(count, m))) || out->shape[0] != count || out->shape[1] != m)
            PyErr_SetString(PyExc_ValueError, "R, g and out do not belong together");
        else {
            PyThreadState *state = R->shape[0] > BRIEF ? PyEval_SaveThread() : NULL;
            int failed = solve_all(R->buf, g, out, kernels_of(chosen_vectors(given.vectors)));
            if (state != NULL)
                PyEval_RestoreThread(state);
            if (failed)
                PyErr_NoMemory();
        }
    }
    return finished(&given);
}

PyDoc_STRVAR(least_squares_doc,
    "least_squares(J, r, x, vectors=-1, /)\n--\n\n"
    "``x = argmin |x J - r|`` for ``J (m, E)``, ``r (E,)`` and ``x (m,)`` by normal equations and one step of refinement.\n\n"
    "Where x is twice as long, all three hold complex numbers as (re, im) in turn. Returns the least pivot, as `factor`.\n"
    "Arrays of float64; rows of J, r and x contiguous.");

static PyObject *least_squares(PyObject *module, PyObject *tuple)
{
    struct arguments given;
    double least = 0.0;
    (void)module;
    if (are_parsed(tuple, &given, (const int[]){2, 1, 1}, 2)) {
        const Py_buffer *view = &given.view[0], *r = &given.view[1], *x = &given.view[2];
        const Py_ssize_t m = view->shape[0], length = view->shape[1], turned = x->shape[0] != m;
        const int rows = (length <= 1 || view->strides[1] == view->itemsize) && view->strides[0] % view->itemsize == 0;
        if (!rows || !is_memory(r, length) || !is_memory(x, m << turned) || length % (1 + turned))
            PyErr_SetString(PyExc_ValueError, "J, r and x do not belong together");
        else {
            const struct rows J = {view->buf, m, length, view->strides[0] / view->itemsize, turned};
            PyThreadState *state = m * length > BRIEF ? PyEval_SaveThread() : NULL;
            least = least_squares_of(&J, r->buf, x->buf, kernels_of(chosen_vectors(given.vectors)));
            if (state != NULL)
                PyEval_RestoreThread(state);
            if (least < 0)
                PyErr_NoMemory();
        }
    }
    release(&given);
    return PyErr_Occurred() ? NULL : PyFloat_FromDouble(least);
}

PyDoc_STRVAR(numbers_doc, "numbers(B, m, /)\n--\n\nHow many numbers the factors of ``N (B, m, m)`` take.");

static PyObject *numbers(PyObject *module, PyObject *tuple)
{
    Py_ssize_t count, m;
    (void)module;
    if (!PyArg_ParseTuple(tuple, "nn", &count, &m))
        return NULL;
    return PyLong_FromSsize_t(numbers_of(layout_of(count, m)));
}

static PyMethodDef methods[] = {
    {"factor", factor, METH_VARARGS, factor_doc},
    {"solve", solve, METH_VARARGS, solve_doc},
    {"least_squares", least_squares, METH_VARARGS, least_squares_doc},
    {"numbers", numbers, METH_VARARGS, numbers_doc},
    {NULL, NULL, 0, NULL},
};

static int prepare(PyObject *module)
{
    return PyModule_AddStringConstant(module, "VECTORS", VECTORS[best_vectors()]);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "neumatc._cholesky", "Cholesky factors of many small matrices.", 0, methods, slots, NULL,
    NULL, NULL,
};

PyMODINIT_FUNC PyInit__cholesky(void) { return PyModuleDef_Init(&definition); }
