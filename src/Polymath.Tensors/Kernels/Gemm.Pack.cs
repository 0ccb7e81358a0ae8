using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

public static unsafe partial class Gemm
{
    /// <summary>
    /// Copies <paramref name="count"/> rows of op(A) (or columns of op(B)) over <paramref name="steps"/> steps of K into a panel:
    /// target[k * width + i] = source[i * outer + k * depth], zeros where i reaches beyond <paramref name="count"/>.
    /// One of the two strides is 1. Inlined, so that the width is a constant.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pack(float* source, nint outer, nint depth, int count, int width, int steps, float* target)
    {
        if (count < width)
            PackEdge(source, outer, depth, count, width, steps, target);
        else if (outer == 1)
            PackStraight(source, depth, width, steps, target);
        else
            PackTransposing(source, outer, width, steps, target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PackStraight(float* source, nint depth, int width, int steps, float* target)
    {
        for (int k = 0; k < steps; k++)
        {
            Unsafe.CopyBlockUnaligned(target, source, (uint)width * sizeof(float));
            source += depth;
            target += width;
        }
    }

    /// <summary>Four source rows, then two, at a time over all of K: few streams to read, and the panel stays in the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PackTransposing(float* source, nint outer, int width, int steps, float* target)
    {
        int i = 0;
        for (; i <= width - 4; i += 4)
            TransposeFour(source + (i * outer), outer, width, steps, target + i);
        if (i < width)
            TransposeTwo(source + (i * outer), outer, width, steps, target + i);
    }

    private static void TransposeFour(float* source, nint outer, nint width, int steps, float* target)
    {
        float* r0 = source, r1 = r0 + outer, r2 = r1 + outer, r3 = r2 + outer;
        int k = 0;
        for (; k <= steps - 4; k += 4)
        {
            Vector128<float> a = Vector128.Load(r0 + k), b = Vector128.Load(r1 + k);
            Vector128<float> c = Vector128.Load(r2 + k), d = Vector128.Load(r3 + k);
            // [a0 c0 a1 c1] with [b0 d0 b1 d1] gives [a0 b0 c0 d0] and [a1 b1 c1 d1].
            Vector128<float> acLow = ZipLow(a, c), bdLow = ZipLow(b, d), acHigh = ZipHigh(a, c), bdHigh = ZipHigh(b, d);
            ZipLow(acLow, bdLow).Store(target);
            ZipHigh(acLow, bdLow).Store(target + width);
            ZipLow(acHigh, bdHigh).Store(target + (2 * width));
            ZipHigh(acHigh, bdHigh).Store(target + (3 * width));
            target += 4 * width;
        }

        for (; k < steps; k++)
        {
            target[0] = r0[k];
            target[1] = r1[k];
            target[2] = r2[k];
            target[3] = r3[k];
            target += width;
        }
    }

    private static void TransposeTwo(float* source, nint outer, nint width, int steps, float* target)
    {
        float* other = source + outer;
        int k = 0;
        for (; k <= steps - 4; k += 4)
        {
            Vector128<float> a = Vector128.Load(source + k), b = Vector128.Load(other + k);
            Vector128<float> low = ZipLow(a, b), high = ZipHigh(a, b);
            low.GetLower().Store(target);
            low.GetUpper().Store(target + width);
            high.GetLower().Store(target + (2 * width));
            high.GetUpper().Store(target + (3 * width));
            target += 4 * width;
        }

        for (; k < steps; k++)
        {
            target[0] = source[k];
            target[1] = other[k];
            target += width;
        }
    }

    private static void PackEdge(float* source, nint outer, nint depth, int count, int width, int steps, float* target)
    {
        for (int k = 0; k < steps; k++)
        {
            for (int i = 0; i < count; i++)
                target[i] = source[i * outer];
            for (int i = count; i < width; i++)
                target[i] = 0;
            source += depth;
            target += width;
        }
    }

    /// <summary>[a0 b0 a1 b1].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b)
    {
        if (Sse.IsSupported)
            return Sse.UnpackLow(a, b);
        return AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);
    }

    /// <summary>[a2 b2 a3 b3].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b)
    {
        if (Sse.IsSupported)
            return Sse.UnpackHigh(a, b);
        return AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);
    }
}
