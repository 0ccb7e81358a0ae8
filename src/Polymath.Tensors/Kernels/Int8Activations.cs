using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Activations rounded to int8 in blocks of 32. A row holds K signed bytes, K/32 F32 scales and K/32 int32 sums of the
/// blocks' bytes, each part padded to 64 bytes. The rounding is the same on every chip: scale = max|x| / 127,
/// q = x · (127 / max|x|) rounded to nearest, ties to even, so |q| ≤ 127.
/// </summary>
internal static unsafe class Int8Activations
{
    /// <summary>Elements that share a scale.</summary>
    public const int BlockLength = 32;

    private const int Alignment = NativeBuffer.Alignment;
    private const int SmallRows = 4;

    // Below this the reciprocal overflows; such a block counts as zero.
    private const float Smallest = 1e-35f;

    /// <summary>Size of a row in floats.</summary>
    public static int RowFloats(int columns) => checked(Padded(columns) + (2 * PerBlock(columns))) / sizeof(float);

    /// <summary>The scales of a row.</summary>
    public static float* Scales(byte* row, int columns) => (float*)(row + Padded(columns));

    /// <summary>The sums of the blocks' bytes.</summary>
    public static int* Sums(byte* row, int columns) => (int*)(row + Padded(columns) + PerBlock(columns));

    /// <summary>Rounds x [T, K] into rows cut off <paramref name="scratch"/>.</summary>
    public static Tensor Quantize(ThreadTeam team, Tensor x, Arena scratch)
    {
        Tensor target = scratch.Rent(x.Rows, RowFloats(x.Columns));
        var job = new Job { X = x, Target = target };
        team.Run(ref job, x.Rows, x.Rows < SmallRows ? SmallRows : 1);
        return target;
    }

    /// <summary>Rounds one row; the columns fill whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void QuantizeRow(float* x, byte* target, int columns)
    {
        int blocks = columns / BlockLength;
        float* scales = Scales(target, columns);
        int* sums = Sums(target, columns);
        for (nint b = 0; b < blocks; b++)
            scales[b] = QuantizeBlock(x + (b * BlockLength), (sbyte*)target + (b * BlockLength), sums + b);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float QuantizeBlock(float* x, sbyte* target, int* sum)
    {
        Vector256<float> a = Vector256.Load(x), b = Vector256.Load(x + 8), c = Vector256.Load(x + 16), d = Vector256.Load(x + 24);
        float max = LargestMagnitude(a, b, c, d);
        if (!float.IsFinite(max) || max < Smallest)
        {
            new Span<sbyte>(target, BlockLength).Clear();
            *sum = 0;
            return float.IsFinite(max) ? 0 : float.NaN;   // NaN and infinity must show in the output
        }

        Vector256<float> inverse = Vector256.Create(127 / max);
        Vector256<int> qa = Round(a * inverse), qb = Round(b * inverse), qc = Round(c * inverse), qd = Round(d * inverse);
        Vector256.Narrow(Vector256.Narrow(qa, qb), Vector256.Narrow(qc, qd)).Store(target);
        *sum = Vector256.Sum(qa + qb + qc + qd);
        return max / 127;
    }

    /// <summary>Compared as integers, in which NaN is larger than infinity and infinity larger than the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float LargestMagnitude(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<int> m = Vector256.Max(
            Vector256.Max(Vector256.Abs(a).AsInt32(), Vector256.Abs(b).AsInt32()),
            Vector256.Max(Vector256.Abs(c).AsInt32(), Vector256.Abs(d).AsInt32()));
        Vector128<int> h = Vector128.Max(m.GetLower(), m.GetUpper());
        h = Vector128.Max(h, Vector128.Shuffle(h, Vector128.Create(2, 3, 0, 1)));
        h = Vector128.Max(h, Vector128.Shuffle(h, Vector128.Create(1, 0, 3, 2)));
        return BitConverter.Int32BitsToSingle(h.ToScalar());
    }

    /// <summary>To nearest, ties to even: the sum with 1.5 × 2^23 has the integer in its low bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Round(Vector256<float> v) =>
        (v + Vector256.Create(12582912f)).AsInt32() - Vector256.Create(0x4B400000);

    private static int PerBlock(int columns) => Padded(columns / BlockLength * sizeof(float));

    private static int Padded(int bytes) => checked(bytes + Alignment - 1) / Alignment * Alignment;

    private struct Job : IRangeJob
    {
        public Tensor X;
        public Tensor Target;

        public readonly void Run(int from, int to)
        {
            for (int t = from; t < to; t++)
                QuantizeRow(X.Floats + ((nint)t * X.Columns), (byte*)(Target.Floats + ((nint)t * Target.Columns)), X.Columns);
        }
    }
}
