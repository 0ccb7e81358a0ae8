using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

internal static unsafe partial class MatMulInteger
{
    private const int TokenBlock = 128;      // tokens whose activations stay in the second cache
    private const int StretchesOfPanel = 16; // 512 columns of a tile's rows, which stay in the first cache

    /// <summary>What a tile reads and adds to: one or two groups of rows times four tokens over the columns of a panel.</summary>
    internal struct TileData
    {
        public byte* Steps;            // of a group [stretch][step][16 rows][4], or [stretch][16][16 rows][2] of 16 bits
        public nint StepsOfGroup;      // bytes from group to group
        public float* Scales;          // of a group [index][16 rows]
        public float* Offsets;         // likewise
        public nint FactorsOfGroup;    // floats from group to group
        public nint Stretches;         // in the panel
        public byte* X;                // activations of the first token
        public nint XStride;           // from token to token
        public nint XAt;               // where the panel's columns begin in them
        public nint ScalesAt;          // where their scales begin
        public nint SumsAt;            // and their sums
        public float* Y;               // [4][groups][16]
    }

    /// <summary>A register tile for one instruction set.</summary>
    private interface ITile
    {
        /// <summary>Groups of sixteen rows that it takes at once.</summary>
        static abstract int Groups { get; }

        /// <summary>Adds the products of the panel's columns to the outputs.</summary>
        static abstract void Run<TFormat>(in TileData tile)
            where TFormat : struct, IInterleavedFormat;
    }

    /// <summary>The rows of a tile are unpacked once for all tokens of a block, a stretch of columns at a time.</summary>
    [SkipLocalsInit]
    private static void Panels<TFormat, TTile>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IInterleavedFormat
        where TTile : struct, ITile
    {
        bool wide = TFormat.StepsPerSum == 0 && Avx2.IsSupported;
        int outputs = TTile.Groups * Interleaving.Rows;
        int indices = StretchesOfPanel * Interleaving.Stretch / TFormat.GroupLength;
        nint stepBytes = StretchesOfPanel * Interleaving.Stretch * Interleaving.Rows * (wide ? 2 : 1), factors = indices * Interleaving.Rows;
        int bytes = (int)(TTile.Groups * (stepBytes + (2 * factors * sizeof(float)))) + (TokenBlock * outputs * sizeof(float));
        byte* memory = stackalloc byte[bytes + NativeBuffer.Alignment];
        memory = (byte*)(((nuint)memory + NativeBuffer.Alignment - 1) & ~(nuint)(NativeBuffer.Alignment - 1));
        byte* scratch = ScratchFor(part, TTile.Groups);
        var tile = new TileData
        {
            Steps = memory,
            StepsOfGroup = stepBytes,
            Scales = (float*)(memory + (TTile.Groups * stepBytes)),
            FactorsOfGroup = factors,
            XStride = part->QuantizedStride,
        };
        tile.Offsets = tile.Scales + (TTile.Groups * factors);
        float* y = tile.Offsets + (TTile.Groups * factors);
        for (int start = 0; start < part->Tokens; start += TokenBlock)
        {
            int tokens = Math.Min(TokenBlock, part->Tokens - start);
            for (int n = from; n < to; n += TTile.Groups * Interleaving.Rows)
            {
                new Span<float>(y, tokens * outputs).Clear();
                AddColumns<TFormat, TTile>(part, n, start, tokens, scratch, wide, ref tile, y);
                int count = Math.Min(outputs, to - n);
                for (int t = 0; t < tokens; t++)
                    new Span<float>(y + (t * outputs), count).CopyTo(new Span<float>(MatMul.Output(part, n, start + t), count));
            }
        }
    }

    private static void AddColumns<TFormat, TTile>(
        MatMul.Part* part, int n, int start, int tokens, byte* scratch, bool wide, ref TileData tile, float* y)
        where TFormat : struct, IInterleavedFormat
        where TTile : struct, ITile
    {
        byte* first = Group<TFormat>(part, n, scratch), second = first;   // a tile short of rows takes its first group twice
        if (TTile.Groups > 1 && n + Interleaving.Rows < part->Rows)
            second = Group<TFormat>(part, n + Interleaving.Rows, scratch + (Interleaving.Rows * part->WeightStride));
        nint ahead = TTile.Groups * Interleaving.Rows * part->WeightStride;   // to the same columns of the tile that comes next
        nint stretches = part->Columns / Interleaving.Stretch;
        for (nint s = 0; s < stretches; s += StretchesOfPanel)
        {
            tile.Stretches = Math.Min(StretchesOfPanel, stretches - s);
            Fill<TFormat>(first, ahead, s, tile.Stretches, wide, tile.Steps, tile.Scales, tile.Offsets);
            if (TTile.Groups > 1)
            {
                Fill<TFormat>(
                    second, ahead, s, tile.Stretches, wide, tile.Steps + tile.StepsOfGroup, tile.Scales + tile.FactorsOfGroup,
                    tile.Offsets + tile.FactorsOfGroup);
            }

            tile.XAt = wide ? Int8Activations.WideStart(part->Columns) + (s * Interleaving.Stretch * 2) : s * Interleaving.Stretch;
            tile.ScalesAt = Int8Activations.ScalesStart(part->Columns) + (s * sizeof(float));
            tile.SumsAt = Int8Activations.SumsStart(part->Columns, TFormat.GroupLength)
                + (s * Interleaving.Stretch / TFormat.GroupLength * sizeof(float));
            for (int t = 0; t < tokens; t += Int8Activations.RowsAtOnce)
            {
                tile.X = part->Quantized + ((start + t) * part->QuantizedStride);
                tile.Y = y + (t * TTile.Groups * Interleaving.Rows);
                TTile.Run<TFormat>(in tile);
            }
        }
    }

    /// <summary>
    /// Unpacks some stretches of sixteen rows; whole blocks. What lies <paramref name="ahead"/> of them is asked for: with
    /// few tokens the time to read it is longer than that to compute.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fill<TFormat>(byte* rows, nint ahead, nint firstStretch, nint count, bool wide, byte* steps, float* scales, float* offsets)
        where TFormat : struct, IInterleavedFormat
    {
        nint perBlock = TFormat.BlockLength / Interleaving.Stretch, factors = TFormat.BlockLength / TFormat.GroupLength * Interleaving.Rows;
        byte* group = rows + (firstStretch / perBlock * Interleaving.Rows * TFormat.BlockBytes);
        for (nint i = 0; i < count; i += perBlock)
        {
            for (nint line = 0; line < Interleaving.Rows * TFormat.BlockBytes; line += 64)
                Simd.Prefetch(group + ahead + line);
            for (nint half = 0; half < 2; half++)
            {
                TFormat.Factors(group, half, scales + (8 * half), offsets + (8 * half));
                byte* target = steps;
                for (nint s = 0; s < perBlock; s++)
                {
                    TFormat.Steps(group, half, s, out EightSteps q);
                    if (wide)
                        StoreWide(q, (short*)target + (16 * half));
                    else
                        Store(q, target + (32 * half));
                    target += Interleaving.Stretch * Interleaving.Rows * (wide ? 2 : 1);
                }
            }

            steps += TFormat.BlockLength * Interleaving.Rows * (wide ? 2 : 1);
            scales += factors;
            offsets += factors;
            group += Interleaving.Rows * TFormat.BlockBytes;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in EightSteps q, byte* target)
    {
        q.S0.Store(target);
        q.S1.Store(target + 64);
        q.S2.Store(target + 128);
        q.S3.Store(target + 192);
        q.S4.Store(target + 256);
        q.S5.Store(target + 320);
        q.S6.Store(target + 384);
        q.S7.Store(target + 448);
    }

    /// <summary>As the activations are widened: of each lane first the elements 0 and 2, in another register 1 and 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreWide(in EightSteps q, short* target)
    {
        StoreWide(q.S0, target);
        StoreWide(q.S1, target + 32);
        StoreWide(q.S2, target + 64);
        StoreWide(q.S3, target + 96);
        StoreWide(q.S4, target + 128);
        StoreWide(q.S5, target + 160);
        StoreWide(q.S6, target + 192);
        StoreWide(q.S7, target + 224);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreWide(Vector256<byte> q, short* target)
    {
        const int OddSteps = 8 * 32;
        ((q.AsInt16() << 8) >> 8).Store(target);
        (q.AsInt16() >> 8).Store(target + OddSteps);
    }
}
