using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// A model that is in no file: the shapes of a real one and random weights, made when they are read. Norms are ones;
/// matrices are normal with a variance of one over their columns, so that every layer adds about as much as there is and
/// all values stay finite in 16 bits. A row depends on its tensor's name and its number alone.
/// </summary>
internal sealed class RandomWeights(ModelShape shape) : WeightSource
{
    private readonly List<TensorInfo> _tensors =
        [.. shape.Tensors().Select(t => new TensorInfo(t.Name, (int)TensorFormat.F32, Dimensions(t.Rows, t.Columns), 4L * t.Rows * t.Columns))];

    public override string Path => shape.Name;

    public override Metadata Metadata { get; } = shape.Metadata();

    public override IReadOnlyList<TensorInfo> Tensors => _tensors;

    public override bool Contains(string name) => _tensors.Exists(t => t.Name == name);

    public override Tensor Read(string name, int rows, int columns)
    {
        var result = Tensor.Zeros(rows, columns);
        if (rows == 1)
        {
            result.AsFloats().Fill(1);
            return result;
        }

        ulong seed = Hash(name);
        float deviation = 1 / MathF.Sqrt(columns);
        Parallel.For(0, rows, row => FillNormal(result.Row(row), seed + ((ulong)row << 32), deviation));
        return result;
    }

    protected override void Dispose(bool disposing)
    {
    }

    private static long[] Dimensions(int rows, int columns) => rows == 1 ? [columns] : [columns, rows];

    /// <summary>Pairs by Box and Muller from the two halves of a 64-bit random number.</summary>
    private static void FillNormal(Span<float> values, ulong seed, float deviation)
    {
        for (int i = 0; i < values.Length; i += 2)
        {
            ulong bits = Mix(seed + (ulong)i);
            float u = ((uint)(bits >> 40) + 1) * (1f / (1 << 24)), angle = (uint)(bits >> 8 & 0xFFFFFF) * (2 * MathF.PI / (1 << 24));
            float radius = deviation * MathF.Sqrt(-2 * MathF.Log(u));
            (float sine, float cosine) = MathF.SinCos(angle);
            values[i] = radius * cosine;
            if (i + 1 < values.Length)
                values[i + 1] = radius * sine;
        }
    }

    /// <summary>SplitMix64: the next numbers of a counter, scrambled.</summary>
    private static ulong Mix(ulong x)
    {
        x *= 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    private static ulong Hash(string name) => name.Aggregate(14695981039346656037UL, (hash, c) => (hash ^ c) * 1099511628211);
}
