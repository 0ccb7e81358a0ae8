using BenchmarkDotNet.Attributes;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>What happens between the matrices, on 32 tokens of 2,048 elements, which the second cache holds.</summary>
public class RowBenchmarks : IKernelBenchmark, IDisposable
{
    private const int T = 32, D = 2048, HeadSize = 64;
    private const double Bytes = 4.0 * T * D;   // of one tensor

    private ThreadTeam _team = null!;
    private RopeTable _table = null!;
    private Tensor _x;
    private Tensor _up;
    private Tensor _y;
    private Tensor _weight;

    [GlobalSetup]
    public void Setup()
    {
        _team = new ThreadTeam(1);
        _table = new RopeTable(T, HeadSize, 10_000);
        _x = RandomTensor.Floats(T, D);
        _up = RandomTensor.Floats(T, D);
        _y = Tensor.Zeros(T, D);
        _weight = RandomTensor.Floats(1, D);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _table.Dispose();
        _team.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void RmsNorm() => Tensors.RmsNorm.Run(_team, _x, _weight, _y, 1e-5f);

    [Benchmark]
    public void Rope() => Tensors.Rope.Run(_team, _x, HeadSize, _table, 0, RopeLayout.Adjacent);

    [Benchmark]
    public void Softmax()
    {
        for (int t = 0; t < T; t++)
            Tensors.Softmax.Run(_y.Row(t));
    }

    [Benchmark]
    public void SwiGlu() => Activations.Run(_team, Activation.Silu, _x, _up, _y);

    [Benchmark]
    public void GeGlu() => Activations.Run(_team, Activation.Gelu, _x, _up, _y);

    /// <inheritdoc/>
    public KernelWork WorkOf(string method) =>
        new(method is nameof(SwiGlu) or nameof(GeGlu) ? 3 * Bytes : 2 * Bytes, Limit.Cache);
}
