/* out = phi C for some rows of phi and very many columns: the product behind every batch of answers.

   phi (B, d) is small and C (d, N) is wide, so that the results, B N numbers, are most of the memory that is touched.
   A general matrix product reads them before it writes them, and multiplies while memory waits. Here a panel of C is
   packed into the cache once, a few rows of results are summed in registers, and long results go to memory past the
   caches, in whole lines, while the next ones are computed. For few points C is read as it lies in memory, once for all
   of them: to pack it would take as long as to multiply it.

   Every result is one sum over j = 1 ... d in this order, whatever the batch, the panel or the number of threads. */

#define _GNU_SOURCE /* sched_getcpu and its kin */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000 /* Python 3.11, the first with buffers */
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_vectors.h"

enum {
    PANEL = 384,  /* columns of C that are packed together, at most */
    FEWEST = 24,  /* columns for which tiles are tall */
    LEAST = 48,   /* columns that hold whole tiles of every kind, so that panels are multiples of them */
    GRAIN = 8,    /* columns of which all are zeros, or none is known to be */
    PACKED = 1 << 18, /* bytes of a packed panel where more than LEAST columns are taken: a part of the second cache */
    WIDE = 480,   /* columns of C that are packed together where not all of its rows are, but DEPTH of them, */
    DEPTH = 128,
    FEW = 64,     /* for so many points at most */
    SOON = 4,     /* rows that are fetched before they are packed */
    CHUNK = 8,    /* panels that a thread takes at once, at most, */
    TURNS = 4,    /* and how often it comes back at least, if there are so many panels */
    SLIM = 8,     /* points up to which C is not packed, */
    SLIMMER = 24, /* or where it has more than DEPTH rows; */
    SUMMED = 2048, /* numbers of their results that are summed together at least, */
    LONG = 16384, /* and at most, so that each row of C is read for long and they stay in the second cache; */
    WAYS = 8,     /* rows of C that are read side by side for some points, */
    STREAMS = 6,  /* and for one: so few that the processor fetches them ahead by itself */
    ROWS = 512,   /* points whose results are written panel by panel before those of the next points, at most */
    TALLEST = 8,  /* rows of a tile, at most */
    LINE = 64,    /* bytes of a line of the cache, */
    NUMBERS = 16, /* and numbers that fill one, or two */
    SUMS = 8,     /* vectors in which squares are added */
    BRIEF = 1 << 24, /* multiplications behind which others may follow at once */
    PRODUCTS = 8, /* that are computed side by side, at most */
};

static Py_ssize_t rounded_up(Py_ssize_t number, Py_ssize_t step) { return (number + step - 1) / step * step; }

static Py_ssize_t smaller(Py_ssize_t a, Py_ssize_t b) { return a < b ? a : b; }

static Py_ssize_t larger(Py_ssize_t a, Py_ssize_t b) { return a > b ? a : b; }

/* How many of `left` rows come next where they are taken in as few parts as can be, of `most` or fewer. */
static int evenly(Py_ssize_t left, Py_ssize_t most)
{
    const Py_ssize_t parts = (left + most - 1) / most;
    return (int)((left + parts - 1) / parts);
}

struct place {
    int64_t from, count, to; /* columns of C (zeros where `from` is negative), and where they go in a row of out */
};

/* Columns that are computed together: those of one place from column `done` on, and of places that follow it in a row of
   out. Before them `skip` columns are computed that nobody wants, so that the tiles behind the first begin where a line
   of memory begins. */
struct piece {
    const struct place *place;
    int64_t done, count, to;
    Py_ssize_t skip;
    int grows;      /* whether products are added to what is in out */
    uint64_t blank; /* which GRAIN columns, counted from where its first tile begins, are zeros: a bit for each */
};

#define ZEROS UINT64_MAX /* of a piece that is blank all over */

/* Some of the vectors of a tile. */
struct part {
    int first, count;
};

/* Columns of C, or zeros where `from` is negative, that stand side by side in C and in out. */
struct run {
    int64_t from, count;
};

/* The columns of a piece from the `done`th of a place on, of `left` that are still to come. */
static struct run run_of(const struct place *place, int64_t done, int64_t left)
{
    int64_t count = place->count - done;
    return (struct run){place->from < 0 ? -1 : place->from + done, count < left ? count : left};
}

struct job {
    const char *phi, *C;
    char *out;
    Py_ssize_t batch, width, rows, C_stride, out_stride; /* rows of C; strides in bytes */
    Py_ssize_t depth; /* rows of C that are packed together */
    const struct place *places;
    Py_ssize_t count;
    struct place everything; /* where no places are given */
    Py_ssize_t columns, block, chunk; /* of a panel; points that are written together; panels that are taken at once */
    size_t size;        /* of a number */
    int apart;   /* C and out have no memory in common */
    int turned;  /* phi holds (re, im) in turn: a row of C stands for itself and for i times itself */
    int stream;  /* whether results go past the caches: if C is packed, all rows of out begin as the first in a line */
    void (*panel)(const struct job *, struct piece, Py_ssize_t first, Py_ssize_t rows, void *scratch);
    int slim;    /* whether C is not packed */
    atomic_llong next;
};

/* Whether one row of results is summed where it is wanted. */
static int is_alone(const struct job *job) { return job->batch == 1 && job->apart && !job->stream; }

/* How far apart rows of sums lie that are `bytes` long: they do not begin in the same set of a cache. */
static Py_ssize_t apart_by(Py_ssize_t bytes) { return bytes + LINE; }

#include "_product_pool.h"

/* One set of functions for each kind of numbers and of vectors: LANES numbers in a register, tiles of TALL rows and
   BROAD registers, so many that the sums just fit into the registers. Broad tiles write longer pieces of memory;
   tall ones are for results of few columns. */
#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define STREAM(to, vector) _mm512_stream_si512((void *)(to), (__m512i)(vector))
#define REAL double
#define WHOLE int64_t
#define LANES 8
#define TALL 4
#define BROAD 6
#define KIND double_avx512
#include "_product_tile.h"
#undef TALL
#undef BROAD
#define TALL 8
#define BROAD 3
#define REAL double
#define WHOLE int64_t
#define LANES 8
#define PACKED_ALONE
#define KIND double_avx512_tall
#include "_product_tile.h"
#define REAL float
#define WHOLE int32_t
#define LANES 16
#define KIND float_avx512
#include "_product_tile.h"
#undef TALL
#undef BROAD
#undef TARGET
#undef STREAM

#define TARGET __attribute__((target("avx2,fma")))
#define STREAM(to, vector) _mm256_stream_si256((void *)(to), (__m256i)(vector))
#define TALL 4
#define BROAD 3
#define REAL double
#define WHOLE int64_t
#define LANES 4
#define KIND double_avx2
#include "_product_tile.h"
#define REAL float
#define WHOLE int32_t
#define LANES 8
#define KIND float_avx2
#include "_product_tile.h"
#undef TALL
#undef BROAD
#undef TARGET
#undef STREAM
#endif

/* Vectors of 16 bytes are what every processor has, NEON's 32 registers among them. */
#define TARGET
#if defined(__x86_64__)
#define STREAM(to, vector) _mm_stream_si128((void *)(to), (__m128i)(vector))
#else
#define STREAM(to, vector) (*(to) = (vector))
#endif
#define TALL 4
#define BROAD 2
#define REAL double
#define WHOLE int64_t
#define LANES 2
#define KIND double_basic
#include "_product_tile.h"
#define REAL float
#define WHOLE int32_t
#define LANES 4
#define KIND float_basic
#include "_product_tile.h"

/* Wide rows of phi make tall panels, which are narrow in turn. */
static Py_ssize_t columns_of(Py_ssize_t width, size_t size)
{
    Py_ssize_t fitting = PACKED / (Py_ssize_t)size / (width + 1) / LEAST * LEAST;
    return larger(LEAST, smaller(fitting, PANEL));
}

static Py_ssize_t columns_in(const struct job *job)
{
    Py_ssize_t columns = 0;
    for (Py_ssize_t i = 0; i < job->count; i++)
        columns += job->places[i].count;
    return columns;
}

/* About, as places of which none follows another have panels of their own. */
static Py_ssize_t panels_of(const struct job *job)
{
    return larger(1, (columns_in(job) + job->columns - 1) / job->columns);
}

/* How many columns are taken at once, at most so many, that all threads have the same to do, in whole lines. */
static Py_ssize_t even(Py_ssize_t columns, Py_ssize_t most, Py_ssize_t threads)
{
    Py_ssize_t pieces = larger(1, rounded_up((columns + most - 1) / most, threads));
    return larger(NUMBERS, smaller(most / NUMBERS * NUMBERS, rounded_up((columns + pieces - 1) / pieces, NUMBERS)));
}

/* How many columns are summed together: so many that threads that come late still find some. */
static Py_ssize_t most_summed(const struct job *job, Py_ssize_t share)
{
    const Py_ssize_t rows = larger(1, job->batch);
    return smaller(LONG / rows, larger(SUMMED / rows, share / CHUNK));
}

/* How C is cut into panels. For few points and many rows of C those are as long as possible, so that C is read in the
   order in which it lies in memory. Then sums wait in out for the next rows of C, which it must not take the place of,
   nor may they leave the caches. Where there are fewer panels than threads, they are narrower, and what C does not lie
   in the way of is cut between points, too. */
static void cut_up(struct job *job, Py_ssize_t threads)
{
    const Py_ssize_t columns = columns_in(job);
    job->depth = job->rows, job->block = ROWS;
    if (job->slim)
        job->columns = even(columns, most_summed(job, columns / threads), threads);
    else {
        if (job->batch <= FEW && job->rows > DEPTH && job->apart && !job->stream)
            job->columns = WIDE, job->depth = DEPTH >> job->turned;
        else
            job->columns = columns_of(job->width, job->size);
        job->columns = larger(LEAST, smaller(job->columns, rounded_up(columns / threads, LEAST)));
    }
    Py_ssize_t panels = panels_of(job), blocks = (threads + panels - 1) / panels;
    if (job->apart && blocks > 1)
        job->block = smaller(ROWS, rounded_up((job->batch + blocks - 1) / blocks, TALLEST));
}

static Py_ssize_t chunk_of(const struct job *job, Py_ssize_t threads)
{
    Py_ssize_t share = panels_of(job) * ((job->batch + job->block - 1) / job->block) / (threads * TURNS);
    return larger(1, smaller(share, CHUNK));
}

static double (*squares_of(enum vectors vectors))(const double *, Py_ssize_t)
{
#if defined(__x86_64__)
    if (vectors == AVX512)
        return squares_double_avx512;
    if (vectors == AVX2)
        return squares_double_avx2;
#endif
    (void)vectors;
    return squares_double_basic;
}

#define CHOSEN(job, form, kind) ((job)->size == sizeof(double) ? form##_double_##kind : form##_float_##kind)
#define CHOOSE(job, kind) ((job)->panel = (job)->slim ? CHOSEN(job, slim, kind) : CHOSEN(job, panel, kind))

static void choose(struct job *job, enum vectors vectors)
{
    job->slim = job->batch <= (job->rows > DEPTH ? SLIMMER : SLIM);
#if defined(__x86_64__)
    if (vectors == AVX512) {
        CHOOSE(job, avx512);
        if (!job->slim && job->size == sizeof(double) && columns_in(job) <= FEWEST)
            job->panel = panel_double_avx512_tall;
    } else if (vectors == AVX2)
        CHOOSE(job, avx2);
    else
#endif
        CHOOSE(job, basic);
    (void)vectors;
}

static int is_next(const struct job *job, const struct place *place)
{
    return place + 1 < job->places + job->count && place[1].to == place->to + place->count;
}

/* What is blank where columns from `start` to `end` are not. Pieces of more than 64 times GRAIN columns are not packed:
   each is of one place, and only whether it is ZEROS matters. */
static uint64_t without(uint64_t blank, Py_ssize_t start, Py_ssize_t end)
{
    const Py_ssize_t first = start / GRAIN, last = (end - 1) / GRAIN;
    if (start == end)
        return blank;
    return last > 63 ? 0 : blank & ~(UINT64_MAX >> (63 - (last - first)) << first);
}

/* Where C is packed, places that follow each other in a row of out become one piece, zeros among them: each visit to a
   row of out takes as long as a few hundred of its numbers. */
static struct piece piece_of(const struct job *job, const struct place *place, int64_t done)
{
    const int64_t to = place->to + done;
    Py_ssize_t skip = job->stream && !job->slim ? ((uintptr_t)job->out + to * job->size) % LINE / job->size : 0;
    struct piece piece = {place, done, 0, to, skip, 0, ZEROS};
    for (const int64_t most = job->columns - skip;;) {
        const struct run run = run_of(place, done, most - piece.count);
        if (run.from >= 0)
            piece.blank = without(piece.blank, skip + piece.count, skip + piece.count + run.count);
        piece.count += run.count;
        if (piece.count == most || job->slim || !is_next(job, place))
            return piece;
        place++, done = 0;
    }
}

/* Take chunks of panels until none is left. Whether there was memory for it. */
static int finish(struct job *job)
{
    const Py_ssize_t packed = ((job->depth << job->turned) * job->columns + FEW * DEPTH) * (Py_ssize_t)job->size;
    const Py_ssize_t sums = is_alone(job) ? 0 : job->batch * apart_by(job->columns * (Py_ssize_t)job->size);
    char *scratch = malloc((job->slim ? sums : packed) + LINE);
    if (scratch == NULL)
        return 0;
    void *aligned = scratch + (-(uintptr_t)scratch & (LINE - 1));
    long long mine = atomic_fetch_add(&job->next, 1), panel = 0;
    for (Py_ssize_t first = 0; first < job->batch; first += job->block) {
        Py_ssize_t rows = smaller(job->batch - first, job->block);
        const struct place *place = job->places, *end = place + job->count;
        for (int64_t done = 0; place < end; panel++) {
            struct piece piece = piece_of(job, place, done);
            for (done += piece.count; place < end && done >= place->count; place++)
                done -= place->count;
            if (panel / job->chunk > mine)
                mine = atomic_fetch_add(&job->next, 1);
            if (panel / job->chunk != mine)
                continue;
            job->panel(job, piece, first, rows, aligned);
        }
    }
#if defined(__x86_64__)
    _mm_sfence();
#endif
    free(scratch);
    return 1;
}

/* Products that are computed side by side. */
struct jobs {
    struct job job[PRODUCTS];
    int count;
    atomic_int arrived; /* threads */
};

/* Each thread begins with another product, and comes to those of the others in turn. Returns NULL, or the jobs where
   there was no memory for one. */
static void *work(void *argument)
{
    struct jobs *jobs = argument;
    const int first = atomic_fetch_add(&jobs->arrived, 1);
    int done = 1;
    for (int i = 0; i < jobs->count; i++)
        done &= finish(&jobs->job[(first + i) % jobs->count]);
    return done ? NULL : jobs;
}

/* Whether a buffer is a matrix of float or double whose rows are contiguous. */
static int is_matrix(const Py_buffer *view)
{
    const char *format = view->format;
    return view->ndim == 2 && format != NULL && (format[0] == 'd' || format[0] == 'f') && format[1] == '\0' &&
           (view->shape[1] <= 1 || view->strides[1] == view->itemsize);
}

/* Whether these are numbers of one type in contiguous rows; otherwise the caller has to multiply by other means. */
static int is_suited(const Py_buffer *phi, const Py_buffer *C, const Py_buffer *out)
{
    return is_matrix(phi) && is_matrix(C) && is_matrix(out) && phi->format[0] == C->format[0] &&
           phi->format[0] == out->format[0] &&
           (phi->shape[0] <= 1 || phi->strides[0] == phi->shape[1] * phi->itemsize);
}

/* Whether two matrices, whose rows may run backwards, lie in different parts of memory. */
static int are_apart(const Py_buffer *X, const Py_buffer *Y)
{
    const Py_buffer *both[] = {X, Y};
    const char *first[2], *last[2];
    for (int i = 0; i < 2; i++) {
        const char *row = both[i]->buf, *other = row + (both[i]->shape[0] - 1) * both[i]->strides[0];
        first[i] = row < other ? row : other;
        last[i] = (row < other ? other : row) + both[i]->shape[1] * both[i]->itemsize;
    }
    return last[0] <= first[1] || last[1] <= first[0];
}

static const char *objection(const Py_buffer *phi, const Py_buffer *C, const Py_buffer *out, const Py_buffer *places)
{
    if (phi->shape[0] != out->shape[0] || (phi->shape[1] != C->shape[0] && phi->shape[1] != 2 * C->shape[0]))
        return "phi must have the rows of out, and as many columns as C has rows, or twice as many";
    if (places != NULL && (places->ndim != 2 || places->itemsize != 8 || places->shape[1] != 3 ||
                           !PyBuffer_IsContiguous(places, 'C')))
        return "places must be a contiguous array (S, 3) of int64";
    return NULL;
}

static const char *misplaced(const struct job *job, Py_ssize_t from_columns, Py_ssize_t to_columns)
{
    for (Py_ssize_t i = 0; i < job->count; i++) {
        struct place place = job->places[i];
        if (place.count < 0 || place.to < 0 || place.to + place.count > to_columns ||
            place.from + place.count > from_columns)
            return "a place lies outside of C or out";
        if (job->turned && ((place.from > 0 && place.from % 2) || place.count % 2 || place.to % 2))
            return "a place cuts a complex number";
    }
    return NULL;
}

PyDoc_STRVAR(multiply_doc,
    "multiply(phi, products, threads, vectors=-1, /)\n--\n\n"
    "``out[:, to : to + count] = phi @ C[:, from : from + count]`` for every ``(from, count, to)`` of places, and for every\n"
    "``(C, out, places, stream)`` of a tuple of products.\n\n"
    "Without places (None), ``out = phi @ C``. Zeros are written where ``from`` is negative. If phi has twice as many\n"
    "columns as C rows, all three hold complex numbers as (re, im) in turn. With `stream` the results go to memory past the caches.\n"
    "Returns False, and does nothing, where phi, C and out are not of one type, float32 or float64, in contiguous rows.");

/* The buffers of one product; those that are not held are all zeros, and may be released. */
struct held {
    Py_buffer C, out, places;
    int stream;
};

static int hold(struct held *held, PyObject *product)
{
    PyObject *C, *out, *places;
    if (!PyTuple_Check(product)) {
        PyErr_SetString(PyExc_TypeError, "each product must be a tuple (C, out, places, stream)");
        return -1;
    }
    if (!PyArg_ParseTuple(product, "OOOp", &C, &out, &places, &held->stream))
        return -1;
    if (PyObject_GetBuffer(C, &held->C, PyBUF_STRIDES | PyBUF_FORMAT) < 0 ||
        PyObject_GetBuffer(out, &held->out, PyBUF_STRIDES | PyBUF_FORMAT | PyBUF_WRITABLE) < 0)
        return -1;
    return places == Py_None ? 0 : PyObject_GetBuffer(places, &held->places, PyBUF_STRIDES | PyBUF_FORMAT);
}

static void release(struct held *held)
{
    PyBuffer_Release(&held->C);
    PyBuffer_Release(&held->out);
    PyBuffer_Release(&held->places);
}

/* The job of a suited product, or why there is none. */
static const char *prepare_job(struct job *job, const Py_buffer *phi, const struct held *held, int threads, int vectors)
{
    const Py_buffer *C = &held->C, *out = &held->out, *places = held->places.obj ? &held->places : NULL;
    const char *wrong = objection(phi, C, out, places);
    if (wrong != NULL)
        return wrong;
    *job = (struct job){
        .phi = phi->buf, .C = C->buf, .out = out->buf,
        .batch = phi->shape[0], .width = phi->shape[1], .rows = C->shape[0],
        .C_stride = C->strides[0], .out_stride = out->strides[0],
        .everything = {0, C->shape[1], 0},
        .places = places ? places->buf : &job->everything, .count = places ? places->shape[0] : 1,
        .size = (size_t)phi->itemsize, .turned = phi->shape[1] != C->shape[0],
        .apart = are_apart(C, out),
    };
    wrong = misplaced(job, C->shape[1], out->shape[1]);
    if (wrong != NULL)
        return wrong;
    choose(job, vectors);
    /* A piece that begins in the middle of a line must not cut a complex number. */
    const int in_lines = (uintptr_t)job->out % (job->size << job->turned) == 0 && job->out_stride % LINE == 0;
    job->stream = held->stream && (job->slim || in_lines);
    atomic_init(&job->next, 0);
    cut_up(job, threads);
    job->chunk = chunk_of(job, threads);
    return NULL;
}

/* Whether all products are done; -1 with an error set. */
static int multiply_all(const Py_buffer *phi, const struct held *held, int count, int threads, enum vectors vectors)
{
    struct jobs jobs = {.count = count};
    Py_ssize_t products = 0;
    int slim = 1, failed = 0;
    for (int i = 0; i < count; i++)
        if (!is_suited(phi, &held[i].C, &held[i].out))
            return 0;
    for (int i = 0; i < count; i++) {
        const char *wrong = prepare_job(&jobs.job[i], phi, &held[i], threads, vectors);
        if (wrong != NULL) {
            PyErr_SetString(PyExc_ValueError, wrong);
            return -1;
        }
        slim &= jobs.job[i].slim;
        products += phi->shape[0] * phi->shape[1] * columns_in(&jobs.job[i]);
    }
    atomic_init(&jobs.arrived, 0);
    Py_BEGIN_ALLOW_THREADS
    failed = together(work, &jobs, threads - 1, slim || products < BRIEF);
    Py_END_ALLOW_THREADS
    if (failed)
        PyErr_NoMemory();
    return failed ? -1 : 1;
}

static PyObject *multiply(PyObject *module, PyObject *arguments)
{
    PyObject *given, *products;
    int threads, vectors = -1, done = -1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO!i|i", &given, &PyTuple_Type, &products, &threads, &vectors))
        return NULL;
    const Py_ssize_t count = PyTuple_Size(products);
    if (count > PRODUCTS)
        return PyErr_Format(PyExc_ValueError, "%zd products are more than the %d that are computed at once", count, PRODUCTS);
    Py_buffer phi;
    struct held held[PRODUCTS];
    memset(&phi, 0, sizeof phi);
    memset(held, 0, sizeof held);
    int all = PyObject_GetBuffer(given, &phi, PyBUF_STRIDES | PyBUF_FORMAT) == 0;
    for (Py_ssize_t i = 0; all && i < count; i++)
        all = hold(&held[i], PyTuple_GetItem(products, i)) == 0;
    if (all)
        done = multiply_all(&phi, held, (int)count, (int)larger(1, threads), chosen_vectors(vectors));
    for (Py_ssize_t i = 0; i < count; i++)
        release(&held[i]);
    PyBuffer_Release(&phi);
    return done < 0 ? NULL : PyBool_FromLong(done);
}

PyDoc_STRVAR(square_doc,
    "square(x, vectors=-1, /)\n--\n\n"
    "The sum of the squares of all numbers of a contiguous array of float64. BLAS would wake its threads for it, which then\n"
    "stay awake on the processors that the next product needs.");

static PyObject *square(PyObject *module, PyObject *arguments)
{
    Py_buffer x;
    int vectors = -1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*|i", &x, &vectors))
        return NULL;
    double sum;
    Py_BEGIN_ALLOW_THREADS
    sum = squares_of(chosen_vectors(vectors))(x.buf, x.len / (Py_ssize_t)sizeof(double));
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&x);
    return PyFloat_FromDouble(sum);
}

PyDoc_STRVAR(processor_doc,
    "processor()\n--\n\n"
    "The number of the processor on which the calling thread runs, or -1 where the system does not tell.");

static PyObject *processor(PyObject *module, PyObject *none)
{
    (void)module, (void)none;
    return PyLong_FromLong(here());
}

static PyMethodDef methods[] = {
    {"multiply", multiply, METH_VARARGS, multiply_doc},
    {"square", square, METH_VARARGS, square_doc},
    {"processor", processor, METH_NOARGS, processor_doc},
    {NULL, NULL, 0, NULL},
};

static int prepare(PyObject *module)
{
    if (pthread_atfork(NULL, NULL, forget_helpers) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    return PyModule_AddStringConstant(module, "VECTORS", VECTORS[best_vectors()]);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "neumatc._product", "A product of a few rows and very many columns.", 0, methods, slots,
    NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__product(void) { return PyModuleDef_Init(&definition); }
