using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// On x86 the unsigned halves of the bytes meet the signed activations as they are, and 8·a, the same for every
/// row, is taken off the 16-bit sums.
/// </summary>
internal readonly unsafe partial struct Q4_0 : IInt8Vector512, IInt8Vector128
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Unpack(byte* block) => Simd.LoadNibbles(block + sizeof(ushort)).AsSByte();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Prepare(Vector256<sbyte> activations) =>
        Simd.MultiplyAddPairs(Vector256.Create((byte)8), activations);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(Vector256<sbyte> weights, Vector256<sbyte> activations, Vector256<short> prepared) =>
        Simd.MultiplyAddPairs(Simd.MultiplyAddPairs(weights.AsByte(), activations) - prepared, Vector256<short>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> Prepare(Vector512<sbyte> activations) =>
        Simd.MultiplyAddPairs(Vector512.Create((byte)8), activations);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Dot(Vector512<sbyte> weights, Vector512<sbyte> activations, Vector512<short> prepared) =>
        Simd.MultiplyAddPairs(Simd.MultiplyAddPairs(weights.AsByte(), activations) - prepared, Vector512<short>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Unpack(byte* block, out Vector128<sbyte> low, out Vector128<sbyte> high)
    {
        Vector128<byte> v = Vector128.Load(block + sizeof(ushort));
        low = (v & Vector128.Create((byte)15)).AsSByte() - Vector128.Create((sbyte)8);
        high = (v >> 4).AsSByte() - Vector128.Create((sbyte)8);
    }
}
