using System.Globalization;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// Products with weights as models have them, format by format: one token with the weights in the second cache and in
/// memory, as GB/s of weights; some and many tokens, as G multiply-adds × 2 a second. The best of many runs.
/// </summary>
internal static class MatMulSpeed
{
    private const int Columns = 2048;
    private const int RowsInCache = 256;
    private const int RowsOfPrompt = 2048;
    private const long BytesInMemory = 192L << 20;

    private static readonly TimeSpan s_timeEach = TimeSpan.FromSeconds(0.4);
    private static readonly int[] s_tokens = [2, 4, 8, 64, 512];

    /// <summary>Measures the formats named in <paramref name="args"/>, or those models are stored in.</summary>
    public static void Run(string[] args)
    {
        TensorFormat[] formats = args.Length > 0
            ? [.. args.Select(Enum.Parse<TensorFormat>)]
            : [.. Enum.GetValues<TensorFormat>().Where(f => FormatInfo.IsWritable(f))];
        Console.WriteLine(Cpu.Describe());
        Console.WriteLine("| format | threads | 1 token, cache, GB/s | 1 token, memory, GB/s | 8, memory, GOP/s | " + string.Join(" | ", s_tokens.Select(t => $"{t}, GOP/s")) + " |");
        Console.WriteLine("|---|---|---|---|---|" + string.Concat(s_tokens.Select(_ => "---|")));
        foreach (TensorFormat format in formats)
        {
            foreach (int threads in (int[])[1, Environment.ProcessorCount])
            {
                using var team = new ThreadTeam(threads);
                int rows = (int)(BytesInMemory / FormatInfo.RowBytes(format, Columns));
                var cells = new List<double> { Speed(team, format, RowsInCache, 1).Bytes, Speed(team, format, rows, 1).Bytes };
                cells.Add(Speed(team, format, rows, 8).Operations);
                cells.AddRange(s_tokens.Select(t => Speed(team, format, RowsOfPrompt, t).Operations));
                Console.WriteLine($"| {format} | {threads} | " + string.Join(" | ", cells.Select(c => c.ToString("F1", CultureInfo.InvariantCulture))) + " |");
            }
        }
    }

    private static (double Bytes, double Operations) Speed(ThreadTeam team, TensorFormat format, int rows, int tokens)
    {
        Tensor weight = Random(format, rows), x = Tensor.Zeros(tokens, Columns), y = Tensor.Zeros(tokens, rows);
        using var scratch = new Arena(MatMul.ScratchBytes(format, tokens, Columns));
        x.AsFloats().Fill(0.5f);
        InterleavedMatrix interleaved = InterleavedMatrix.Pays(format) ? InterleavedMatrix.From(team, weight) : default;
        double seconds = BestRun.Of(s_timeEach, () =>
            MatMul.Run(team, x, [new MatMulTarget(weight, y, interleaved) { IsFinite = format == TensorFormat.F16 }], scratch)).Seconds;
        interleaved.Free();
        return (weight.ByteLength / 1e9 / seconds, 2.0 * tokens * rows * Columns / 1e9 / seconds);
    }

    /// <summary>A row of random weights, again and again.</summary>
    private static Tensor Random(TensorFormat format, int rows)
    {
        var random = new Random(1);
        var row = new float[Columns];
        foreach (ref float value in row.AsSpan())
            value = random.NextSingle() - 0.5f;
        Tensor weight = Tensor.Zeros(format, rows, Columns);
        BlockFormat.Quantize(format, row, weight.RowData(0));
        for (int n = 1; n < rows; n++)
            weight.RowData(0).CopyTo(weight.RowData(n));
        return weight;
    }
}
