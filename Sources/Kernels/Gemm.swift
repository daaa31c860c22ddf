import COpenBLAS
package import Tensors

/// Keeps OpenBLAS to the calling thread: every compute thread does its own, so no bit depends on a pool.
package func useOneBLASThread() { openblas_set_num_threads(1) }

/// The kernels that OpenBLAS chose for this processor: "Haswell", "SkylakeX", "Zen".
package func blasCore() -> String { String(cString: openblas_get_corename()) }

/// How OpenBLAS was built, and the kernels that it chose: "OpenBLAS 0.3.21 … Haswell MAX_THREADS=128".
package func blasVersion() -> String { String(cString: openblas_get_config()) }

/// c = a·b.
package func gemm(_ a: Matrix, _ b: Matrix, into c: Matrix) { multiply(a, false, b, false, 0, c) }

/// c += a·b.
package func gemm(_ a: Matrix, _ b: Matrix, addingTo c: Matrix) { multiply(a, false, b, false, 1, c) }

/// c += aᵀ·b.
package func gemm(transposed a: Matrix, _ b: Matrix, addingTo c: Matrix) { multiply(a, true, b, false, 1, c) }

/// c = a·bᵀ.
package func gemm(_ a: Matrix, transposed b: Matrix, into c: Matrix) { multiply(a, false, b, true, 0, c) }

/// c += a·bᵀ.
package func gemm(_ a: Matrix, transposed b: Matrix, addingTo c: Matrix) { multiply(a, false, b, true, 1, c) }

private func multiply(_ a: Matrix, _ ta: Bool, _ b: Matrix, _ tb: Bool, _ beta: Float, _ c: Matrix) {
    let inner = ta ? a.rows : a.columns
    assert((ta ? a.columns : a.rows) == c.rows && (tb ? b.rows : b.columns) == c.columns)
    assert((tb ? b.columns : b.rows) == inner)
    guard c.rows > 0, c.columns > 0 else { return }
    guard inner > 0 else {
        if beta == 0 { clear(c) }
        return
    }
    cblas_sgemm(
        CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, Int32(c.rows),
        Int32(c.columns), Int32(inner), 1, a.base, Int32(a.stride), b.base, Int32(b.stride), beta, c.base,
        Int32(c.stride))
}

/// c = 0.
package func clear(_ c: Matrix) {
    for row in 0..<c.rows { c[row].update(repeating: 0, count: c.columns) }
}
