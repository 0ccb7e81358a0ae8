using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Activations rounded to int8 in blocks of 32. A row holds K signed bytes, K/32 F32 scales, and, multiplied by their
/// block's scale, the sums of each 32 bytes and of each 16; each part padded to 64 bytes. A wide row holds the bytes once
/// more as 16-bit numbers. The rounding is the same on every chip: scale = max|x| / 127, q = x · (127 / max|x|)
/// rounded to nearest, ties to even, so |q| ≤ 127.
/// </summary>
internal static unsafe class Int8Activations
{
    /// <summary>Elements that share a scale.</summary>
    public const int BlockLength = 32;

    /// <summary>Tokens that a tile takes at once.</summary>
    public const int RowsAtOnce = 4;

    private const int Alignment = NativeBuffer.Alignment;
    private const int SmallRows = 4;

    // Below this the reciprocal overflows; such a block counts as zero.
    private const float Smallest = 1e-35f;

    /// <summary>Size of a row in floats: an odd number of cache lines, so that the same places of many rows do not share few sets of a cache.</summary>
    public static int RowFloats(int columns, bool wide) =>
        ((checked(WideStart(columns) + (wide ? Padded(2 * columns) : 0)) / Alignment) | 1) * (Alignment / sizeof(float));

    /// <summary>Where in a row the K/32 scales begin, in bytes.</summary>
    public static int ScalesStart(int columns) => Padded(columns);

    /// <summary>Where in a row the scaled sums of <paramref name="length"/> bytes each begin, 32 or 16.</summary>
    public static int SumsStart(int columns, int length) => Padded(columns) + (PerBlock(columns) * (length == BlockLength ? 1 : 2));

    /// <summary>
    /// Where in a wide row the 16-bit numbers begin. Of each 32, first those of the elements 4i and 4i + 2 in turn, for i from 0
    /// to 7, then those of 4i + 1 and 4i + 3: what shifting and sign extension make of four bytes in a lane.
    /// </summary>
    public static int WideStart(int columns) => Padded(columns) + (2 * PerBlock(columns)) + Padded(columns / 16 * sizeof(float));

    /// <summary>Rows for T tokens: with tiles, as many as fill them.</summary>
    public static int RowCount(int tokens) => tokens < RowsAtOnce ? tokens : checked(tokens + RowsAtOnce - 1) / RowsAtOnce * RowsAtOnce;

    /// <summary>Rounds x [T, K] into rows cut off <paramref name="scratch"/>; those beyond T are zero.</summary>
    public static Tensor Quantize(ThreadTeam team, Tensor x, bool wide, Arena scratch)
    {
        Tensor target = scratch.Rent(RowCount(x.Rows), RowFloats(x.Columns, wide));
        for (int row = x.Rows; row < target.Rows; row++)
            target.Row(row).Clear();
        var job = new Job { X = x, Target = target, Wide = wide };
        team.Run(ref job, x.Rows, x.Rows < SmallRows ? SmallRows : 1);
        return target;
    }

    /// <summary>Rounds one row; the columns fill whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void QuantizeRow(float* x, byte* target, int columns, bool wide)
    {
        int blocks = columns / BlockLength;
        var scales = (float*)(target + ScalesStart(columns));
        var sums = (float*)(target + SumsStart(columns, BlockLength));
        var halfSums = (float*)(target + SumsStart(columns, 16));
        for (nint b = 0; b < blocks; b++)
        {
            int first, second;
            float scale = QuantizeBlock(x + (b * BlockLength), (sbyte*)target + (b * BlockLength), &first, &second);
            scales[b] = scale;
            sums[b] = scale * (first + second);
            halfSums[2 * b] = scale * first;
            halfSums[(2 * b) + 1] = scale * second;
        }

        if (!wide)
            return;
        var numbers = (short*)(target + WideStart(columns));
        for (nint b = 0; b < blocks; b++)
            Widen(Vector256.Load(target + (b * BlockLength)), numbers + (b * BlockLength));
    }

    /// <summary>Of each 16 bits the low byte, and then the high one, as a signed number of 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(Vector256<byte> bytes, short* target)
    {
        ((bytes.AsInt16() << 8) >> 8).Store(target);
        (bytes.AsInt16() >> 8).Store(target + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float QuantizeBlock(float* x, sbyte* target, int* first, int* second)
    {
        Vector256<float> a = Vector256.Load(x), b = Vector256.Load(x + 8), c = Vector256.Load(x + 16), d = Vector256.Load(x + 24);
        float max = LargestMagnitude(a, b, c, d);
        if (!float.IsFinite(max) || max < Smallest)
        {
            new Span<sbyte>(target, BlockLength).Clear();
            *first = *second = 0;
            return float.IsFinite(max) ? 0 : float.NaN;   // NaN and infinity must show in the output
        }

        Vector256<float> inverse = Vector256.Create(127 / max);
        Vector256<int> qa = Round(a * inverse), qb = Round(b * inverse), qc = Round(c * inverse), qd = Round(d * inverse);
        Vector256.Narrow(Vector256.Narrow(qa, qb), Vector256.Narrow(qc, qd)).Store(target);
        *first = Vector256.Sum(qa + qb);
        *second = Vector256.Sum(qc + qd);
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
        public bool Wide;

        public readonly void Run(int from, int to)
        {
            for (int t = from; t < to; t++)
                QuantizeRow(X.Floats + ((nint)t * X.Columns), (byte*)(Target.Floats + ((nint)t * Target.Columns)), X.Columns, Wide);
        }
    }
}
