using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// x86 multiplies unsigned with signed bytes: |w| with a·sign(w). The 16-bit sums cannot saturate: 2 · 128 · 127 fits.
/// </summary>
internal readonly unsafe partial struct Q8_0 : IInt8Vector512, IInt8Vector128
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Unpack(byte* block) => Vector256.Load((sbyte*)(block + sizeof(ushort)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Prepare(Vector256<sbyte> activations) => default;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(Vector256<sbyte> weights, Vector256<sbyte> activations, Vector256<short> prepared) =>
        Simd.MultiplyAddPairs(
            Simd.MultiplyAddPairs(Vector256.Abs(weights).AsByte(), Simd.MultiplySign(activations, weights)), Vector256<short>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> Prepare(Vector512<sbyte> activations) => default;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Dot(Vector512<sbyte> weights, Vector512<sbyte> activations, Vector512<short> prepared) =>
        Simd.MultiplyAddPairs(
            Simd.MultiplyAddPairs(Vector512.Abs(weights).AsByte(), Simd.MultiplySign(activations, weights)), Vector512<short>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Unpack(byte* block, out Vector128<sbyte> low, out Vector128<sbyte> high)
    {
        low = Vector128.Load((sbyte*)(block + sizeof(ushort)));
        high = Vector128.Load((sbyte*)(block + sizeof(ushort) + Vector128<sbyte>.Count));
    }
}
