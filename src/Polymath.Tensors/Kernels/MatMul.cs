using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>One of several products of the same activations: y = x · weightᵀ.</summary>
/// <param name="Weight">[N, K] in any format.</param>
/// <param name="Y">[T, N] F32.</param>
/// <param name="Interleaved">The same weight interleaved, which is read in its place; empty where there is none.</param>
public readonly record struct MatMulTarget(Tensor Weight, Tensor Y, InterleavedMatrix Interleaved = default)
{
    /// <summary>The weight is F16 and has neither infinity nor NaN (<see cref="MatMul.IsFinite"/>), which saves looking for them.</summary>
    public bool IsFinite { get; init; }
}

/// <summary>
/// Activations times weights in any format. Formats of integers meet activations that are rounded once per call to
/// blocks of 32 int8 with an F32 scale; floats, and the formats of less than 3 bits, meet them as they are. An output's bits depend on its weight row and
/// its activation row alone: every tile adds in the same order, for any batch, any thread count.
/// </summary>
public static unsafe partial class MatMul
{
    private const int RowsAtOnce = 16;             // weight rows of the largest tile, the unit that threads share out
    private const int RowBlock = 32;               // weight rows that meet all tokens before the next: read once from memory
    private const int IntegerRowBlock = 128;       // the same of the integer formats, whose weights are small
    private const long SmallWork = 1 << 16;        // multiply-adds below which waking threads costs more than it saves
    private const int ChunksPerThread = 8;

    /// <summary>Bytes that <see cref="Run(ThreadTeam, Tensor, Tensor, Tensor, Arena)"/> rents for x of [tokens, columns].</summary>
    public static long ScratchBytes(TensorFormat format, int tokens, int columns) =>
        MatMulInteger.IsInterleaved(format) ? Arena.SizeOf(Int8Activations.RowCount(tokens), Int8Activations.RowFloats(columns, wide: true)) : 0;

    /// <summary>y = x · weightᵀ.</summary>
    /// <param name="team">Threads to use; they share out the weight rows.</param>
    /// <param name="weight">[N, K] in any format.</param>
    /// <param name="x">[T, K] F32.</param>
    /// <param name="y">[T, N] F32, not overlapping x.</param>
    /// <param name="scratch">Room for <see cref="ScratchBytes"/>; given back before the return.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Run(ThreadTeam team, Tensor weight, Tensor x, Tensor y, Arena scratch) =>
        Run(Cpu.InstructionSet, team, x, [new MatMulTarget(weight, y)], scratch);

    /// <summary>True when a weight is F16 and none of its elements is infinite or NaN.</summary>
    /// <param name="team">Threads that look.</param>
    /// <param name="weight">In any format.</param>
    public static bool IsFinite(ThreadTeam team, Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(team);
        return weight.Format == TensorFormat.F16 && FiniteF16.Holds(team, weight);
    }

    /// <summary>Several products of the same x in one loop; x is rounded to int8 at most once. Allocates nothing.</summary>
    /// <param name="team">Threads to use; they share out the weight rows.</param>
    /// <param name="x">[T, K] F32.</param>
    /// <param name="targets">Weights [N, K] and outputs [T, N].</param>
    /// <param name="scratch">Room for <see cref="ScratchBytes"/> of one integer format; given back before the return.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Run(ThreadTeam team, Tensor x, ReadOnlySpan<MatMulTarget> targets, Arena scratch) =>
        Run(Cpu.InstructionSet, team, x, targets, scratch);

    /// <summary>The same by a given variant, for tests; the caller knows that the chip has it or that it falls back.</summary>
    [SkipLocalsInit]
    internal static void Run(InstructionSet set, ThreadTeam team, Tensor x, ReadOnlySpan<MatMulTarget> targets, Arena scratch)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(scratch);
        x.RequireF32();
        const int MostTargets = 16;
        if (targets.Length > MostTargets)
            throw new ArgumentException($"MatMul: {targets.Length} targets, at most {MostTargets}", nameof(targets));

        _ = HalfTable.Values;   // so that the JIT finds it initialised and the loops do without a check
        long mark = scratch.Mark;
        Part* parts = stackalloc Part[MostTargets];
        Tensor quantized = default;
        int units = 0;
        bool integers = false, wide = false;
        foreach (ref readonly MatMulTarget target in targets)
        {
            RequireShapes(x, target);
            integers |= MatMulInteger.IsInterleaved(target.Weight.Format);
            wide |= MatMulInteger.IsWide(set, x.Rows, target.Weight.Format);
        }

        if (integers)
            quantized = Int8Activations.Quantize(team, x, wide, scratch);
        for (int i = 0; i < targets.Length; i++)
        {
            Tensor weight = targets[i].Weight, y = targets[i].Y;
            parts[i] = new Part
            {
                Format = weight.Format,
                Weight = IsCopied(targets[i]) ? targets[i].Interleaved.Data : weight.Data,
                IsFinite = targets[i].IsFinite,
                Interleaved = IsCopied(targets[i]) ? null : targets[i].Interleaved.Data,
                WeightStride = (nint)weight.RowBytes,
                Rows = weight.Rows,
                X = x.Floats,
                Quantized = quantized.Data,
                QuantizedStride = (nint)quantized.Columns * sizeof(float),
                Y = y.Floats,
                Columns = x.Columns,
                Tokens = x.Rows,
                FirstUnit = units,
            };
            units = checked(units + ((weight.Rows + RowsAtOnce - 1) / RowsAtOnce));
        }

        var job = new Job { X = x, Scratch = quantized, Parts = parts, Count = targets.Length, Set = set };
        if (x.Rows > 0)
            team.Run(ref job, units, ChunkSize(units, (long)RowsAtOnce * x.Columns * x.Rows, team.Count));
        scratch.Release(mark);
        foreach (ref readonly MatMulTarget target in targets)
        {
            GC.KeepAlive(target.Weight.Owner);
            GC.KeepAlive(target.Interleaved.Owner);
            GC.KeepAlive(target.Y.Owner);
        }
    }

    /// <summary>True when the weight's elements lie once more in the same order.</summary>
    private static bool IsCopied(in MatMulTarget target) => !target.Interleaved.IsEmpty && FormatInfo.BlockLength(target.Weight.Format) == 1;

    /// <summary>Units per chunk: enough work to pay for handing it out, few enough for every thread to get its share.</summary>
    private static int ChunkSize(int units, long workPerUnit, int threads)
    {
        if (units * workPerUnit < SmallWork)
            return Math.Max(1, units);
        long least = 1 + (SmallWork / Math.Max(1, workPerUnit));
        // Whole tiles: the largest take two units.
        return (int)((Math.Max(least, units / (threads * (long)ChunksPerThread)) + 1) & ~1L);
    }

    private static void RequireShapes(Tensor x, in MatMulTarget target)
    {
        Tensor weight = target.Weight;
        if (weight.IsEmpty || !FormatInfo.IsSupported(weight.Format))
            throw new ArgumentException($"MatMul: weight {weight} cannot be multiplied");
        if (weight.Columns != x.Columns)
            throw new ArgumentException($"MatMul: x {x} does not fit weight {weight}");
        target.Y.RequireF32(x.Rows, weight.Rows, "MatMul");
        InterleavedMatrix same = target.Interleaved;
        if (!same.IsEmpty && (same.Format != weight.Format || same.Rows != weight.Rows || same.Columns != weight.Columns))
            throw new ArgumentException($"MatMul: interleaved {same.Format} [{same.Rows}, {same.Columns}] is not weight {weight}");
    }

    /// <summary>Where the output of weight row n for token t goes.</summary>
    internal static float* Output(Part* part, int n, int t) => part->Y + ((nint)t * part->Rows) + n;

    /// <summary>One product, as the skeletons see it.</summary>
    internal struct Part
    {
        public TensorFormat Format;
        public bool IsFinite;          // F16 without infinity and NaN
        public byte* Weight;
        public byte* Interleaved;      // the same rows in groups of sixteen; null where there are none
        public nint WeightStride;      // bytes
        public int Rows;               // N
        public int Columns;            // K
        public int Tokens;             // T
        public float* X;               // [T, K]
        public byte* Quantized;        // the rows of Int8Activations; null for the float formats
        public nint QuantizedStride;   // bytes
        public float* Y;               // [T, N]
        public int FirstUnit;          // of Job's count
    }

    private struct Job : IRangeJob
    {
        public Tensor X;
        public Tensor Scratch;
        public Part* Parts;
        public int Count;
        public InstructionSet Set;

        public readonly void Run(int from, int to)
        {
            for (int i = 0; i < Count; i++)
            {
                Part* part = Parts + i;
                long first = Math.Max(0, ((long)from - part->FirstUnit) * RowsAtOnce);
                long end = Math.Min(part->Rows, ((long)to - part->FirstUnit) * RowsAtOnce);
                int block = MatMulInteger.IsInterleaved(part->Format) ? IntegerRowBlock : RowBlock;
                for (; first < end; first += block)
                    Rows(Set, part, (int)first, (int)Math.Min(end, first + block));
            }
        }
    }

    /// <summary>Outputs of the weight rows [from, to); a format without its own code for the variant takes the scalar one.</summary>
    private static void Rows(InstructionSet set, Part* part, int from, int to)
    {
        if (MatMulInteger.IsInterleaved(part->Format))
        {
            FormatTable.Of(part->Format).Rows(set, part, from, to);
            return;
        }

        if (FormatInfo.BlockLength(part->Format) > 1)
        {
            Unpacked(set, part, from, to);
            return;
        }

        bool done = set switch
        {
            InstructionSet.Avx512 => MatMulAvx512.Rows(part, from, to),
            InstructionSet.Avx2 => MatMulAvx2.Rows(part, from, to),
            InstructionSet.AdvSimd => MatMulAdvSimd.Rows(part, from, to),
            _ => false,
        };
        if (!done)
            MatMulScalar.Rows(part, from, to);
    }

    /// <summary>Any block format: a few rows at a time are unpacked to F32, which the variant then multiplies.</summary>
    private static void Unpacked(InstructionSet set, Part* part, int from, int to)
    {
        const int RowsOfCopy = 8;
        var copy = (float*)Scratch.ReserveOwn((long)RowsOfCopy * part->Columns * sizeof(float));
        Part rows = *part;
        rows.Format = TensorFormat.F32;
        rows.Weight = (byte*)copy;
        rows.WeightStride = (nint)part->Columns * sizeof(float);
        int blocks = part->Columns / FormatInfo.BlockLength(part->Format);
        for (int n = from; n < to; n += RowsOfCopy)
        {
            int count = Math.Min(RowsOfCopy, to - n);
            for (int r = 0; r < count; r++)
                BlockFormat.Dequantize(part->Format, part->Weight + ((n + r) * part->WeightStride), copy + ((nint)r * part->Columns), blocks);
            rows.Y = part->Y + n;
            Rows(set, &rows, 0, count);
        }
    }
}
