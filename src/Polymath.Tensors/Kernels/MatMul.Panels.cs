using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

internal static unsafe partial class MatMulInteger
{
    private const int TokenBlock = 128;      // tokens whose activations stay in the second cache
    private const int StretchesOfPanel = 16; // 512 columns of a tile's rows, which stay in the first cache

    /// <summary>What a tile reads and adds to: sixteen rows times four tokens over the columns of a panel.</summary>
    internal struct TileData
    {
        public byte* Steps;            // [stretch][step][16 rows][4], or [stretch][16][16 rows][2] of 16 bits
        public float* Scales;          // [index][16 rows]
        public float* Offsets;         // likewise
        public nint Stretches;         // in the panel
        public byte* X;                // activations of the first token
        public nint XStride;           // from token to token
        public nint XAt;               // where the panel's columns begin in them
        public nint ScalesAt;          // where their scales begin
        public nint SumsAt;            // and their sums
        public float* Y;               // [4][16]
    }

    /// <summary>The rows of a tile are unpacked once for all tokens of a block, a stretch of columns at a time.</summary>
    [SkipLocalsInit]
    private static void Panels<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IInterleavedFormat
    {
        bool wide = TFormat.StepsPerSum == 0 && Avx2.IsSupported;
        int indices = StretchesOfPanel * Interleaving.Stretch / TFormat.GroupLength;
        nint stepBytes = StretchesOfPanel * Interleaving.Stretch * Interleaving.Rows * (wide ? 2 : 1), factors = indices * Interleaving.Rows;
        int bytes = (int)(stepBytes + (2 * factors * sizeof(float))) + (TokenBlock * Interleaving.Rows * sizeof(float));
        byte* memory = stackalloc byte[bytes + NativeBuffer.Alignment];
        memory = (byte*)(((nuint)memory + NativeBuffer.Alignment - 1) & ~(nuint)(NativeBuffer.Alignment - 1));
        byte* scratch = ScratchFor(part, 1);
        var tile = new TileData
        {
            Steps = memory,
            Scales = (float*)(memory + stepBytes),
            XStride = part->QuantizedStride,
        };
        tile.Offsets = tile.Scales + factors;
        float* y = tile.Offsets + factors;
        for (int start = 0; start < part->Tokens; start += TokenBlock)
        {
            int tokens = Math.Min(TokenBlock, part->Tokens - start);
            for (int n = from; n < to; n += Interleaving.Rows)
            {
                new Span<float>(y, tokens * Interleaving.Rows).Clear();
                AddColumns<TFormat>(part, n, start, tokens, scratch, wide, ref tile, y);
                int count = Math.Min(Interleaving.Rows, to - n);
                for (int t = 0; t < tokens; t++)
                    new Span<float>(y + (t * Interleaving.Rows), count).CopyTo(new Span<float>(MatMul.Output(part, n, start + t), count));
            }
        }
    }

    private static void AddColumns<TFormat>(
        MatMul.Part* part, int n, int start, int tokens, byte* scratch, bool wide, ref TileData tile, float* y)
        where TFormat : struct, IInterleavedFormat
    {
        byte* group = Group<TFormat>(part, n, scratch);
        nint ahead = Interleaving.Rows * part->WeightStride;   // to the same columns of the tile that comes next
        nint stretches = part->Columns / Interleaving.Stretch;
        for (nint s = 0; s < stretches; s += StretchesOfPanel)
        {
            tile.Stretches = Math.Min(StretchesOfPanel, stretches - s);
            Fill<TFormat>(group, ahead, s, tile.Stretches, wide, tile.Steps, tile.Scales, tile.Offsets);
            tile.XAt = wide ? Int8Activations.WideStart(part->Columns) + (s * Interleaving.Stretch * 2) : s * Interleaving.Stretch;
            tile.ScalesAt = Int8Activations.ScalesStart(part->Columns) + (s * sizeof(float));
            tile.SumsAt = Int8Activations.SumsStart(part->Columns, TFormat.GroupLength)
                + (s * Interleaving.Stretch / TFormat.GroupLength * sizeof(float));
            for (int t = 0; t < tokens; t += Int8Activations.RowsAtOnce)
            {
                tile.X = part->Quantized + ((start + t) * part->QuantizedStride);
                tile.Y = y + (t * Interleaving.Rows);
                Tile256<TFormat>(in tile);
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
                    TFormat.Steps(group, half, s, out EightSteps<Vector256<byte>> q);
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
    private static void Store(in EightSteps<Vector256<byte>> q, byte* target)
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
    private static void StoreWide(in EightSteps<Vector256<byte>> q, short* target)
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
