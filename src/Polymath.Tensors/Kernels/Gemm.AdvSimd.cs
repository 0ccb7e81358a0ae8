using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// A tile of 8 × 12 for thirty-two 128-bit registers: 24 sums, 3 of B, 1 broadcast of A.
/// </summary>
internal readonly unsafe struct GemmAdvSimd : IGemmKernel
{
    public static int Rows => 8;

    public static int Columns => 12;

    public static int Depth => 256;

    [SkipLocalsInit]
    public static void Multiply(int depth, float* a, float* b, float* c, nint stride, float alpha, bool accumulate)
    {
        Vector128<float> c00 = default, c01 = default, c02 = default;
        Vector128<float> c10 = default, c11 = default, c12 = default;
        Vector128<float> c20 = default, c21 = default, c22 = default;
        Vector128<float> c30 = default, c31 = default, c32 = default;
        Vector128<float> c40 = default, c41 = default, c42 = default;
        Vector128<float> c50 = default, c51 = default, c52 = default;
        Vector128<float> c60 = default, c61 = default, c62 = default;
        Vector128<float> c70 = default, c71 = default, c72 = default;
        for (; depth > 0; depth--)
        {
            Vector128<float> b0 = Vector128.Load(b), b1 = Vector128.Load(b + 4), b2 = Vector128.Load(b + 8);
            Vector128<float> x = Vector128.Create(a[0]);
            c00 = Vector128.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector128.FusedMultiplyAdd(x, b1, c01);
            c02 = Vector128.FusedMultiplyAdd(x, b2, c02);
            x = Vector128.Create(a[1]);
            c10 = Vector128.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector128.FusedMultiplyAdd(x, b1, c11);
            c12 = Vector128.FusedMultiplyAdd(x, b2, c12);
            x = Vector128.Create(a[2]);
            c20 = Vector128.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector128.FusedMultiplyAdd(x, b1, c21);
            c22 = Vector128.FusedMultiplyAdd(x, b2, c22);
            x = Vector128.Create(a[3]);
            c30 = Vector128.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector128.FusedMultiplyAdd(x, b1, c31);
            c32 = Vector128.FusedMultiplyAdd(x, b2, c32);
            x = Vector128.Create(a[4]);
            c40 = Vector128.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector128.FusedMultiplyAdd(x, b1, c41);
            c42 = Vector128.FusedMultiplyAdd(x, b2, c42);
            x = Vector128.Create(a[5]);
            c50 = Vector128.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector128.FusedMultiplyAdd(x, b1, c51);
            c52 = Vector128.FusedMultiplyAdd(x, b2, c52);
            x = Vector128.Create(a[6]);
            c60 = Vector128.FusedMultiplyAdd(x, b0, c60);
            c61 = Vector128.FusedMultiplyAdd(x, b1, c61);
            c62 = Vector128.FusedMultiplyAdd(x, b2, c62);
            x = Vector128.Create(a[7]);
            c70 = Vector128.FusedMultiplyAdd(x, b0, c70);
            c71 = Vector128.FusedMultiplyAdd(x, b1, c71);
            c72 = Vector128.FusedMultiplyAdd(x, b2, c72);
            a += 8;
            b += 12;
        }

        Store(c, c00, c01, c02, alpha, accumulate);
        Store(c + stride, c10, c11, c12, alpha, accumulate);
        Store(c + (2 * stride), c20, c21, c22, alpha, accumulate);
        Store(c + (3 * stride), c30, c31, c32, alpha, accumulate);
        Store(c + (4 * stride), c40, c41, c42, alpha, accumulate);
        Store(c + (5 * stride), c50, c51, c52, alpha, accumulate);
        Store(c + (6 * stride), c60, c61, c62, alpha, accumulate);
        Store(c + (7 * stride), c70, c71, c72, alpha, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector128<float> x0, Vector128<float> x1, Vector128<float> x2, float alpha, bool accumulate)
    {
        x0 *= alpha;
        x1 *= alpha;
        x2 *= alpha;
        if (accumulate)
        {
            x0 += Vector128.Load(c);
            x1 += Vector128.Load(c + 4);
            x2 += Vector128.Load(c + 8);
        }

        x0.Store(c);
        x1.Store(c + 4);
        x2.Store(c + 8);
    }
}
