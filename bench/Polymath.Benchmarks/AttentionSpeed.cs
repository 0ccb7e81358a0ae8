using System.Globalization;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// Attention in the shapes of models: a decoding step as GB/s of cache read, a prompt as GFLOP/s of the products that a
/// causal mask leaves. The best of many runs, since other work on the machine only ever slows one down.
/// </summary>
internal static class AttentionSpeed
{
    private const int Layers = 4;   // of the decoding step: together more than the last cache holds

    private static readonly (int Heads, int KeyValueHeads, int Size)[] s_shapes = [(32, 8, 64), (9, 3, 64), (16, 8, 128)];

    /// <summary>Measures with one thread and with as many as there are processors.</summary>
    /// <param name="args">The format of the cache, F16 unless named; `decode` or `prefill` for that alone.</param>
    /// <param name="secondsEach">Time for each line.</param>
    public static void Run(string[] args, double secondsEach = 1)
    {
        TensorFormat format = TensorFormat.F16;
        if (args.Length > 0)
            format = Enum.Parse<TensorFormat>(args[0]);
        string part = args.Length > 1 ? args[1] : "decode prefill";
        Console.WriteLine($"{Cpu.Describe()}, cache {format}");
        foreach ((int heads, int keyValueHeads, int size) in s_shapes)
        {
            foreach (int threads in (int[])[1, Environment.ProcessorCount])
            {
                using var team = new ThreadTeam(threads);
                string name = $"H {heads,2} K {keyValueHeads} S {size,3}, {threads} threads";
                foreach (int position in part.Contains("decode", StringComparison.Ordinal) ? (int[])[511, 8191] : [])
                    Decode(name, team, format, position, heads, keyValueHeads, size, secondsEach);
                foreach (int position in part.Contains("prefill", StringComparison.Ordinal) ? (int[])[0, 7680] : [])
                    Prefill(name, team, format, position, heads, keyValueHeads, size, secondsEach);
            }
        }
    }

    private static void Decode(
        string name, ThreadTeam team, TensorFormat format, int position, int heads, int keyValueHeads, int size, double seconds)
    {
        using var cache = new Cache(Layers, format, position + 1, keyValueHeads * size);
        Tensor q = Random(1, heads * size), y = Random(1, heads * size);
        using var scratch = new Arena(1 << 22);
        int layer = 0;
        BestRun best = BestRun.Of(TimeSpan.FromSeconds(seconds), () =>
        {
            Attention.Run(team, q, cache.Keys(layer), cache.Values(layer), position, y, heads, keyValueHeads, new AttentionRule(0.125f), scratch);
            layer = (layer + 1) % Layers;
        });
        double bytes = 2.0 * (position + 1) * FormatInfo.RowBytes(format, keyValueHeads * size);
        Print($"{name}  decode  at {position,4}", best, bytes / 1e9, "GB/s", threads: team.Count);
    }

    private static void Prefill(
        string name, ThreadTeam team, TensorFormat format, int position, int heads, int keyValueHeads, int size, double seconds)
    {
        const int Tokens = 512;
        using var cache = new Cache(1, format, position + Tokens, keyValueHeads * size);
        Tensor q = Random(Tokens, heads * size), y = Random(Tokens, heads * size);
        using var scratch = new Arena(1 << 22);
        BestRun best = BestRun.Of(TimeSpan.FromSeconds(seconds), () =>
            Attention.Run(team, q, cache.Keys(0), cache.Values(0), position, y, heads, keyValueHeads, new AttentionRule(0.125f), scratch));
        double flops = 4.0 * heads * size * Tokens * (position + ((Tokens + 1) / 2.0));
        Print($"{name}  prefill at {position,4}", best, flops / 1e9, "GFLOP/s", threads: team.Count);
    }

    /// <summary>The best run; of one thread also the mean by processor time, in which other processes' turns do not count.</summary>
    private static void Print(string name, BestRun best, double work, string unit, int threads) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}  {best.Seconds * 1e6,10:F1} µs a layer  {work / best.Seconds,6:F1} {unit}{(threads > 1 ? "" : $"  ({work / best.ProcessorSeconds:F1} of processor time)")}"));

    private static Tensor Random(int rows, int columns)
    {
        var random = new Random(1);
        Tensor x = Tensor.Zeros(rows, columns);
        foreach (ref float value in x.AsFloats())
            value = (random.NextSingle() - 0.5f) * 2;
        return x;
    }

    /// <summary>Keys and values of some layers, all rows filled.</summary>
    internal sealed class Cache : IDisposable
    {
        private readonly NativeBuffer _buffer;
        private readonly TensorFormat _format;
        private readonly int _rows;
        private readonly int _width;

        public Cache(int layers, TensorFormat format, int rows, int width)
        {
            (_format, _rows, _width) = (format, rows, width);
            _buffer = new NativeBuffer(2 * layers * Arena.SizeOf(rows, width, format));
            Tensor values = Random(64, width);
            for (int i = 0; i < 2 * layers; i++)
            {
                for (int r = 0; r < rows; r++)
                    BlockFormat.Quantize(format, values.Row(r % 64), Part(i).RowData(r));
            }
        }

        public Tensor Keys(int layer) => Part(2 * layer);

        public Tensor Values(int layer) => Part((2 * layer) + 1);

        public void Dispose() => _buffer.Dispose();

        private Tensor Part(int index) => Tensor.View(_buffer, index * Arena.SizeOf(_rows, _width, _format), _format, _rows, _width);
    }
}
