using BenchmarkDotNet.Attributes;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>Attention of 32 heads over 8 of keys and values, 64 wide: one token behind 8,191 others, and a prompt of 512.</summary>
public class AttentionBenchmarks : IKernelBenchmark, IDisposable
{
    private const int Heads = 32, KeyValueHeads = 8, Size = 64, Layers = 4;   // of one token: more than the last cache holds
    private const int Depth = 8191;

    private ThreadTeam _team = null!;
    private Arena _scratch = null!;
    private AttentionSpeed.Cache _cache = null!;
    private Tensor _q;
    private Tensor _y;
    private int _layer;

    [Params(1, 512)]
    public int T { get; set; }

    private int Before => T == 1 ? Depth : 0;

    [GlobalSetup]
    public void Setup()
    {
        _team = new ThreadTeam(1);
        _scratch = new Arena(1 << 22);
        _cache = new AttentionSpeed.Cache(Layers, TensorFormat.F16, Before + T, KeyValueHeads * Size);
        _q = RandomTensor.Floats(T, Heads * Size);
        _y = Tensor.Zeros(T, Heads * Size);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _cache.Dispose();
        _team.Dispose();
        _scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void Attend()
    {
        Attention.Run(_team, _q, _cache.Keys(_layer), _cache.Values(_layer), Before, _y, Heads, KeyValueHeads, new AttentionRule(0.125f), _scratch);
        _layer = (_layer + 1) % Layers;
    }

    /// <inheritdoc/>
    public KernelWork WorkOf(string method) => T == 1
        ? new KernelWork(2.0 * (Before + 1) * FormatInfo.RowBytes(TensorFormat.F16, KeyValueHeads * Size), Limit.Memory)
        : new KernelWork(4.0 * Heads * Size * T * ((T + 1) / 2.0), Limit.Floats);
}
