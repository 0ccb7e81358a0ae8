using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>F16 of which it is known that no element is infinite or NaN: two operations less to widen.</summary>
internal readonly unsafe struct FiniteF16 : IFloatVector
{
    /// <inheritdoc/>
    public static int BlockLength => 1;

    /// <inheritdoc/>
    public static int BlockBytes => sizeof(ushort);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => F16.Load(source);

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => F16.Dequantize(source, target, blocks);

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks) =>
        F16.Quantize(source, importance, target, blocks);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load128(byte* source)
    {
        Vector128<int> v = Vector128.WidenLower(Vector64.Load((short*)source).ToVector128Unsafe()) << 13;
        return (v & Vector128.Create(F16.SignAndMagnitude)).AsSingle() * Vector128.Create(F16.Bias);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* source) =>
        ((Simd.Widen(Vector128.Load((short*)source)) << 13) & Vector256.Create(F16.SignAndMagnitude)).AsSingle() * Vector256.Create(F16.Bias);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* source) =>
        ((Simd.Widen(Vector256.Load((short*)source)) << 13) & Vector512.Create(F16.SignAndMagnitude)).AsSingle() * Vector512.Create(F16.Bias);

    /// <summary>True when no element of an F16 tensor is infinite or NaN.</summary>
    public static bool Holds(ThreadTeam team, Tensor tensor)
    {
        var job = new Job { Tensor = tensor };
        team.Run(ref job, tensor.Rows, Math.Max(1, (1 << 20) / Math.Max(1, (int)tensor.RowBytes)));
        tensor.KeepAlive();
        return !job.Found;
    }

    private struct Job : IRangeJob
    {
        public Tensor Tensor;
        public bool Found;

        public void Run(int from, int to)
        {
            const ushort Exponent = 0x7C00;
            long count = (long)(to - from) * Tensor.Columns, i = 0;
            var source = (ushort*)(Tensor.Data + (from * Tensor.RowBytes));
            Vector256<ushort> mask = Vector256.Create(Exponent), found = default;
            for (; i <= count - 16; i += 16)
                found |= Vector256.Equals(Vector256.Load(source + i) & mask, mask);
            bool any = found != default;
            for (; i < count; i++)
                any |= (source[i] & Exponent) == Exponent;
            if (any)
                Found = true;   // never set back, whichever thread is first
        }
    }
}
