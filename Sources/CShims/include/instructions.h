// Which instructions the importing module is compiled for: the macros follow its -march.
#ifndef MYRIAD_INSTRUCTIONS_H
#define MYRIAD_INSTRUCTIONS_H

static inline int compiled_for_avx2(void) {
#ifdef __AVX2__
    return 1;
#else
    return 0;
#endif
}
static inline int compiled_for_fma(void) {
#ifdef __FMA__
    return 1;
#else
    return 0;
#endif
}
static inline int compiled_for_avx512(void) {
#ifdef __AVX512F__
    return 1;
#else
    return 0;
#endif
}

#endif
