using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

internal readonly unsafe partial struct BF16 : IFloatVector
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load128(byte* source) => (Vector128.WidenLower(Vector64.Load((short*)source).ToVector128Unsafe()) << 16).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* source) => (Simd.Widen(Vector128.Load((short*)source)) << 16).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* source) => (Simd.Widen(Vector256.Load((short*)source)) << 16).AsSingle();
}
