/* A network of sines at some points: h_0 = x, h_l = sin(h_{l-1} W_l + b_l), Φ(x) = h_L V + v.

   A library of arrays needs a dozen calls for it, which take longer than the arithmetic, and whatever they touch has to
   come from memory again after a product with a long C. Here it is one call, and the weights lie in the order in which
   they are read: columns in blocks of WIDE, filled up with zeros, biases before the rows of weights.

   Every value is computed in the same order, whatever the other points are. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000 /* Python 3.11, the first with buffers */
#include <Python.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_vectors.h"

enum {
    WIDE = 16,         /* columns of a block */
    GROUPS = 4,        /* sums of every fourth term each, which are added last: shorter sums round less */
    POINTS = 16,       /* that use a block of weights while it is in the first cache */
    NEURONS = 1 << 16, /* of a layer, at most */
};

/* π / 2 in three pieces (Cody and Waite); the first two have 33 bits, so that their products with k < 2^20 are exact. */
#define PIECE_1 0x1.921fb544p+0
#define PIECE_2 0x1.0b4611a6p-34
#define PIECE_3 0x1.3198a2e037073p-69
#define INVERSE 0x1.45f306dc9c883p-1
#define ROUND 0x1.8p52 /* a number plus this one has its integer part in the last bits */

/* The Taylor series in r^2 of (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 from their last terms to their first:
   for |r| <= π / 4 the next terms would change the results by less than 3e-18. */
static const double SINE[] = {
    1.0 / 355687428096000.0, -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
    -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0,
};
static const double COSINE[] = {
    1.0 / 20922789888000.0, -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0, 1.0 / 40320.0, -1.0 / 720.0,
    1.0 / 24.0,
};

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define LANES 8
#define KIND avx512
#include "_sine_layer.h"

#define TARGET __attribute__((target("avx2,fma")))
#define LANES 4
#define KIND avx2
#include "_sine_layer.h"
#endif

#define TARGET
#define LANES 2
#define KIND basic
#include "_sine_layer.h"

typedef const double *(*layer)(const double *h, Py_ssize_t from, int64_t inputs, const double *weights, double *out,
    Py_ssize_t to, int64_t outputs, Py_ssize_t points, int is_hidden);

static layer layer_of(enum vectors vectors)
{
#if defined(__x86_64__)
    if (vectors == AVX512)
        return layer_avx512;
    if (vectors == AVX2)
        return layer_avx2;
#endif
    (void)vectors;
    return layer_basic;
}

struct network {
    const double *weights;
    const int64_t *size; /* of x, of all layers, and of the values */
    Py_ssize_t last, widest; /* place of the size of the values; numbers for the values of a layer */
};

static int64_t filled(int64_t columns) { return (columns + WIDE - 1) / WIDE * WIDE; }

/* Numbers of all weights, or -1 where the sizes describe no network; also finds the widest layer. */
static int64_t measured(struct network *network)
{
    int64_t sum = 0;
    network->widest = 0;
    for (Py_ssize_t l = 0; l <= network->last; l++) {
        int64_t size = network->size[l];
        if (size < 1 || size > NEURONS)
            return -1;
        if (l > 0 && filled(size) > network->widest)
            network->widest = filled(size);
        sum += l > 0 ? (1 + network->size[l - 1]) * filled(size) : 0;
    }
    return network->last < 1 ? -1 : sum;
}

static void evaluate(
    const struct network *network, layer layer, const double *x, Py_ssize_t count, double *out, double *scratch)
{
    const int64_t *size = network->size;
    Py_ssize_t last = network->last, widest = network->widest;
    for (; count > 0; count -= POINTS, x += POINTS * size[0], out += POINTS * size[last]) {
        Py_ssize_t points = count < POINTS ? count : POINTS, from = size[0];
        const double *h = x, *weights = network->weights;
        for (Py_ssize_t l = 1; l <= last; l++) {
            double *values = scratch + l % 2 * POINTS * widest;
            weights = layer(h, from, size[l - 1], weights, values, widest, size[l], points, l < last);
            h = values, from = widest;
        }
        for (Py_ssize_t point = 0; point < points; point++)
            memcpy(out + point * size[last], h + point * widest, size[last] * sizeof *out);
    }
}

PyDoc_STRVAR(evaluate_doc,
    "evaluate(x, weights, sizes, out, vectors=-1, /)\n--\n\n"
    "The values at points ``x (B, D)`` into ``out (B, m)``; ``sizes`` are D, the neurons of every layer, and m.\n\n"
    "All are contiguous arrays of float64, but ``sizes`` of int64. No argument of a sine may reach a million.");

static PyObject *evaluate_network(PyObject *module, PyObject *arguments)
{
    Py_buffer x, weights, sizes, out;
    int vectors = -1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*y*y*w*|i", &x, &weights, &sizes, &out, &vectors))
        return NULL;
    struct network network = {weights.buf, sizes.buf, sizes.len / (Py_ssize_t)sizeof(int64_t) - 1, 0};
    int64_t number = sizeof(double), all = measured(&network);
    int64_t count = all < 0 ? 0 : x.len / (network.size[0] * number);
    double *scratch = NULL;
    if (all < 0 || weights.len != all * number || x.len != count * network.size[0] * number ||
        out.len != count * network.size[network.last] * number)
        PyErr_SetString(PyExc_ValueError, "x, weights, sizes and out do not belong to one network");
    else if ((scratch = malloc(2 * POINTS * network.widest * sizeof *scratch)) == NULL)
        PyErr_NoMemory();
    else { /* One point takes less time than another thread of Python would have to wait for. */
        PyThreadState *state = count > POINTS ? PyEval_SaveThread() : NULL;
        evaluate(&network, layer_of(chosen_vectors(vectors)), x.buf, count, out.buf, scratch);
        if (state != NULL)
            PyEval_RestoreThread(state);
    }
    free(scratch);
    PyBuffer_Release(&x), PyBuffer_Release(&weights), PyBuffer_Release(&sizes), PyBuffer_Release(&out);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"evaluate", evaluate_network, METH_VARARGS, evaluate_doc}, {NULL, NULL, 0, NULL}};

static int prepare(PyObject *module)
{
    if (PyModule_AddIntConstant(module, "WIDE", WIDE) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "VECTORS", VECTORS[best_vectors()]);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "neumatc._sine", "A network of sines at some points.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__sine(void) { return PyModuleDef_Init(&definition); }
