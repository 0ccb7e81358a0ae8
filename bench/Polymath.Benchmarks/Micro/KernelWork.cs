namespace Polymath.Benchmarks;

/// <summary>What bounds a kernel.</summary>
public enum Limit
{
    /// <summary>Reading from memory.</summary>
    Memory,

    /// <summary>Reading from the second cache.</summary>
    Cache,

    /// <summary>Fused multiply-adds of F32.</summary>
    Floats,

    /// <summary>Products of bytes that add up in 16 bits for a few steps (vpmaddubsw).</summary>
    Bytes,

    /// <summary>Products of 16 bits (vpmaddwd).</summary>
    Words,
}

/// <summary>The work of one run of a benchmark.</summary>
/// <param name="Amount">Bytes read and written, or operations, a multiply-add counted as two.</param>
/// <param name="Limit">What bounds it.</param>
public readonly record struct KernelWork(double Amount, Limit Limit)
{
    /// <summary>Of what the amount is.</summary>
    public string Unit => Limit is Limit.Memory or Limit.Cache ? "GB/s" : Limit == Limit.Floats ? "GFLOP/s" : "GOP/s";
}

/// <summary>A benchmark that knows its work from its parameters alone.</summary>
public interface IKernelBenchmark
{
    /// <summary>The work of one run of the method of that name.</summary>
    KernelWork WorkOf(string method);
}
