import CShims

/// The vector instructions that the kernels of this build use, as `/proc/cpuinfo` names them.
package var kernelInstructionSets: [String] {
    var sets: [String] = []
    if compiled_for_avx2() != 0 { sets.append("avx2") }
    if compiled_for_fma() != 0 { sets.append("fma") }
    if compiled_for_avx512() != 0 { sets.append("avx512f") }
    return sets
}
