using BenchmarkDotNet.Attributes;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// One product y = x · weightᵀ with weights as models have them: T = 1, decoding, reads more of them than any cache
/// holds; T = 512 is a prompt.
/// </summary>
public class MatMulBenchmarks : IKernelBenchmark, IDisposable
{
    private const int Columns = 2048, RowsOfPrompt = 2048;
    private const long BytesOfDecode = 128L << 20;

    private ThreadTeam _team = null!;
    private Arena _scratch = null!;
    private InterleavedMatrix _interleaved;
    private Tensor _weight;
    private Tensor _x;
    private Tensor _y;

    [Params(TensorFormat.F32, TensorFormat.F16, TensorFormat.BF16, TensorFormat.Q8_0, TensorFormat.Q4_0, TensorFormat.Q4_K, TensorFormat.Q6_K)]
    public TensorFormat Format { get; set; }

    [Params(1, 512)]
    public int T { get; set; }

    private int Rows => T == 1 ? (int)(BytesOfDecode / FormatInfo.RowBytes(Format, Columns)) : RowsOfPrompt;

    [GlobalSetup]
    public void Setup()
    {
        _team = new ThreadTeam(1);
        _scratch = new Arena(MatMul.ScratchBytes(Format, T, Columns));
        _weight = Tensor.Zeros(Format, Rows, Columns);
        _x = RandomTensor.Floats(T, Columns);
        _y = Tensor.Zeros(T, Rows);
        BlockFormat.Quantize(Format, RandomTensor.Floats(1, Columns).AsFloats(), _weight.RowData(0));
        for (int n = 1; n < Rows; n++)
            _weight.RowData(0).CopyTo(_weight.RowData(n));
        if (InterleavedMatrix.Pays(Format))
            _interleaved = InterleavedMatrix.From(_team, _weight);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _interleaved.Free();
        _team.Dispose();
        _scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void Product() =>
        MatMul.Run(_team, _x, [new MatMulTarget(_weight, _y, _interleaved) { IsFinite = Format == TensorFormat.F16 }], _scratch);

    /// <inheritdoc/>
    public KernelWork WorkOf(string method) => T == 1
        ? new KernelWork((double)Rows * FormatInfo.RowBytes(Format, Columns), Limit.Memory)
        : new KernelWork(2.0 * T * Rows * Columns, FormatTable.Of(Format) switch
        {
            { Rows: null } => Limit.Floats,
            { StepsPerSum: 0 } => Limit.Words,
            _ => Limit.Bytes,
        });
}
