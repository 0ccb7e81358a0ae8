using BenchmarkDotNet.Attributes;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>One product y = x · weightᵀ, weight [N, K], on one thread: T = 1 is decoding, T = 512 a prompt.</summary>
[ShortRunJob]
public class MatMulBenchmarks : IDisposable
{
    private ThreadTeam _team = null!;
    private Arena _scratch = null!;
    private Tensor _weight;
    private Tensor _x;
    private Tensor _y;

    [Params(TensorFormat.F32, TensorFormat.F16, TensorFormat.BF16, TensorFormat.Q8_0, TensorFormat.Q4_0)]
    public TensorFormat Format { get; set; }

    [Params(1, 512)]
    public int T { get; set; }

    [Params(8192)]
    public int N { get; set; }

    [Params(2048)]
    public int K { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var row = new float[K];
        _team = new ThreadTeam(1);
        _scratch = new Arena(MatMul.ScratchBytes(Format, T, K));
        _weight = Tensor.Zeros(Format, N, K);
        _x = Tensor.Zeros(T, K);
        _y = Tensor.Zeros(T, N);
        for (int n = 0; n < N; n++)
        {
            foreach (ref float value in row.AsSpan())
                value = random.NextSingle() - 0.5f;
            BlockFormat.Quantize(Format, row, _weight.RowData(n));
        }

        foreach (ref float value in _x.AsFloats())
            value = random.NextSingle() - 0.5f;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _team.Dispose();
        _scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void Run() => MatMul.Run(_team, _weight, _x, _y, _scratch);
}
