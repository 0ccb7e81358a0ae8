using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// The 512-bit skeletons of the float formats, built like the 256-bit ones with lanes twice as many.
/// </summary>
internal static unsafe class MatMulAvx512
{
    private const int TileRows = 4;
    private const int Lanes = 16;
    private const int TokenBlock = 48;      // tokens whose accumulators and activations stay in the caches
    private const int ColumnBlock = 512;    // columns of four rows that stay in the first cache

    /// <summary>Computes the outputs of the weight rows [from, to); false when the format has no unpacking for vectors.</summary>
    public static bool Rows(MatMul.Part* part, int from, int to)
    {
        switch (part->Format)
        {
            case TensorFormat.F32: Float<F32>(part, from, to); return true;
            case TensorFormat.F16 when part->IsFinite: Float<FiniteF16>(part, from, to); return true;
            case TensorFormat.F16: Float<F16>(part, from, to); return true;
            case TensorFormat.BF16: Float<BF16>(part, from, to); return true;
            default: return false;
        }
    }

    [SkipLocalsInit]
    private static void Float<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IFloatVector
    {
        float* sums = stackalloc float[TileRows * Lanes * TokenBlock];
        float* panel = stackalloc float[TileRows * ColumnBlock];
        bool widen = TFormat.BlockBytes != sizeof(float) && part->Tokens > 2;
        int columnBlock = part->Tokens == 1 ? part->Columns : ColumnBlock;
        for (int start = 0; start < part->Tokens; start += TokenBlock)
        {
            int tokens = Math.Min(TokenBlock, part->Tokens - start);
            float* x = part->X + ((nint)start * part->Columns);
            for (int n = from; n < to; n += TileRows)
            {
                var rows = new FourRows(part, n, to);
                new Span<float>(sums, tokens * TileRows * Lanes).Clear();
                int whole = part->Columns / Lanes * Lanes;
                for (int k = 0; k < whole; k += columnBlock)
                {
                    int count = Math.Min(columnBlock, whole - k);
                    FourRows block = rows.Skip((nint)k * TFormat.BlockBytes);
                    if (widen)
                        Tokens<F32>(Widen<TFormat>(block, panel, count), x + k, part->Columns, tokens, count, sums);
                    else if (part->Tokens == 1)
                        OneToken<TFormat>(block, x, count, sums);
                    else
                        Tokens<TFormat>(block, x + k, part->Columns, tokens, count, sums);
                }

                if (whole < part->Columns)
                    Tail<TFormat>(part, rows, x, whole, tokens, sums, panel);
                for (int t = 0; t < tokens; t++)
                {
                    float* s = sums + (t * TileRows * Lanes);
                    FourRows.Store(part, n, to, start + t, VectorMath.Sum(
                        Fold(s), Fold(s + Lanes), Fold(s + (2 * Lanes)), Fold(s + (3 * Lanes))));
                }
            }
        }
    }

    /// <summary>Adds the products of a block of columns to the accumulators, [token][row][lane].</summary>
    private static void Tokens<TFormat>(FourRows rows, float* x, nint stride, int tokens, nint count, float* sums)
        where TFormat : struct, IFloatVector
    {
        int t = 0;
        for (; t <= tokens - 3; t += 3)
            FloatTile3<TFormat>(rows, x + (t * stride), stride, count, sums + (t * TileRows * Lanes));
        for (; t < tokens; t++)
            FloatTile1<TFormat>(rows, x + (t * stride), count, sums + (t * TileRows * Lanes));
    }

    /// <summary>
    /// Row after row, so that memory is read as one stream; the chip works on the next row while the sum of one waits for its
    /// last multiply-add.
    /// </summary>
    private static void OneToken<TFormat>(FourRows rows, float* x, nint count, float* sums)
        where TFormat : struct, IFloatVector
    {
        FloatRow<TFormat>(rows.R0, x, count, sums);
        FloatRow<TFormat>(rows.R1, x, count, sums + Lanes);
        FloatRow<TFormat>(rows.R2, x, count, sums + (2 * Lanes));
        FloatRow<TFormat>(rows.R3, x, count, sums + (3 * Lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FloatRow<TFormat>(byte* w, float* x, nint count, float* sum)
        where TFormat : struct, IFloatVector
    {
        const int PrefetchBytes = 4096;
        Vector512<float> s = default;
        nint k = 0;
        for (; k <= count - (2 * Lanes); k += 2 * Lanes)
        {
            Simd.PrefetchNear(w + PrefetchBytes);
            s = Simd.MultiplyAdd(TFormat.Load512(w), Vector512.Load(x + k), s);
            s = Simd.MultiplyAdd(TFormat.Load512(w + (Lanes * TFormat.BlockBytes)), Vector512.Load(x + k + Lanes), s);
            w += 2 * Lanes * TFormat.BlockBytes;
        }

        if (k < count)
            s = Simd.MultiplyAdd(TFormat.Load512(w), Vector512.Load(x + k), s);
        s.Store(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FloatTile1<TFormat>(FourRows rows, float* x, nint count, float* sums)
        where TFormat : struct, IFloatVector
    {
        byte* w0 = rows.R0, w1 = rows.R1, w2 = rows.R2, w3 = rows.R3;
        Vector512<float> s0 = Vector512.Load(sums), s1 = Vector512.Load(sums + 16);
        Vector512<float> s2 = Vector512.Load(sums + 32), s3 = Vector512.Load(sums + 48);
        for (nint k = 0; k < count; k += Lanes)
        {
            Vector512<float> a = Vector512.Load(x + k);
            nint offset = k * TFormat.BlockBytes;
            s0 = Simd.MultiplyAdd(TFormat.Load512(w0 + offset), a, s0);
            s1 = Simd.MultiplyAdd(TFormat.Load512(w1 + offset), a, s1);
            s2 = Simd.MultiplyAdd(TFormat.Load512(w2 + offset), a, s2);
            s3 = Simd.MultiplyAdd(TFormat.Load512(w3 + offset), a, s3);
        }

        s0.Store(sums);
        s1.Store(sums + 16);
        s2.Store(sums + 32);
        s3.Store(sums + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FloatTile3<TFormat>(FourRows rows, float* x, nint stride, nint count, float* sums)
        where TFormat : struct, IFloatVector
    {
        byte* w0 = rows.R0, w1 = rows.R1, w2 = rows.R2, w3 = rows.R3;
        float* x1 = x + stride, x2 = x1 + stride;
        Vector512<float> s00 = Vector512.Load(sums), s01 = Vector512.Load(sums + 16);
        Vector512<float> s02 = Vector512.Load(sums + 32), s03 = Vector512.Load(sums + 48);
        Vector512<float> s10 = Vector512.Load(sums + 64), s11 = Vector512.Load(sums + 80);
        Vector512<float> s12 = Vector512.Load(sums + 96), s13 = Vector512.Load(sums + 112);
        Vector512<float> s20 = Vector512.Load(sums + 128), s21 = Vector512.Load(sums + 144);
        Vector512<float> s22 = Vector512.Load(sums + 160), s23 = Vector512.Load(sums + 176);
        for (nint k = 0; k < count; k += Lanes)
        {
            Vector512<float> a0 = Vector512.Load(x + k), a1 = Vector512.Load(x1 + k), a2 = Vector512.Load(x2 + k);
            nint offset = k * TFormat.BlockBytes;
            Vector512<float> w = TFormat.Load512(w0 + offset);
            s00 = Simd.MultiplyAdd(w, a0, s00);
            s10 = Simd.MultiplyAdd(w, a1, s10);
            s20 = Simd.MultiplyAdd(w, a2, s20);
            w = TFormat.Load512(w1 + offset);
            s01 = Simd.MultiplyAdd(w, a0, s01);
            s11 = Simd.MultiplyAdd(w, a1, s11);
            s21 = Simd.MultiplyAdd(w, a2, s21);
            w = TFormat.Load512(w2 + offset);
            s02 = Simd.MultiplyAdd(w, a0, s02);
            s12 = Simd.MultiplyAdd(w, a1, s12);
            s22 = Simd.MultiplyAdd(w, a2, s22);
            w = TFormat.Load512(w3 + offset);
            s03 = Simd.MultiplyAdd(w, a0, s03);
            s13 = Simd.MultiplyAdd(w, a1, s13);
            s23 = Simd.MultiplyAdd(w, a2, s23);
        }

        s00.Store(sums);
        s01.Store(sums + 16);
        s02.Store(sums + 32);
        s03.Store(sums + 48);
        s10.Store(sums + 64);
        s11.Store(sums + 80);
        s12.Store(sums + 96);
        s13.Store(sums + 112);
        s20.Store(sums + 128);
        s21.Store(sums + 144);
        s22.Store(sums + 160);
        s23.Store(sums + 176);
    }

    /// <summary>The columns that fill no vector, padded with zeros.</summary>
    private static void Tail<TFormat>(MatMul.Part* part, FourRows rows, float* x, int whole, int tokens, float* sums, float* panel)
        where TFormat : struct, IFloatVector
    {
        int rest = part->Columns - whole;
        rows = rows.Skip((nint)whole * TFormat.BlockBytes).PadTo<TFormat>(panel, Lanes, rest);
        for (int t = 0; t < tokens; t++)
        {
            float* from = x + ((nint)t * part->Columns) + whole;
            Vector512<float> a = Vector512.Create(
                VectorMath.LoadPart(from, Math.Min(rest, 8)), VectorMath.LoadPart(from + 8, Math.Max(0, rest - 8)));
            FloatTile1<F32>(rows, (float*)&a, Lanes, sums + (t * TileRows * Lanes));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static FourRows Widen<TFormat>(FourRows rows, float* panel, int count)
        where TFormat : struct, IFloatVector
    {
        for (nint k = 0; k < count; k += Lanes)
        {
            nint offset = k * TFormat.BlockBytes;
            TFormat.Load512(rows.R0 + offset).Store(panel + k);
            TFormat.Load512(rows.R1 + offset).Store(panel + ColumnBlock + k);
            TFormat.Load512(rows.R2 + offset).Store(panel + (2 * ColumnBlock) + k);
            TFormat.Load512(rows.R3 + offset).Store(panel + (3 * ColumnBlock) + k);
        }

        return new FourRows((byte*)panel, ColumnBlock * sizeof(float), TileRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Fold(float* sixteen) => Vector256.Load(sixteen) + Vector256.Load(sixteen + 8);
}
