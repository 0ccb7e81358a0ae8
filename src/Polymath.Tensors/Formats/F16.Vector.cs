using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// .NET 10 has no vector conversion from F16, so: sign-extend, shift exponent and mantissa into place, mask the copies
/// of the sign between them, and multiply by 2^112 to correct the exponent's bias (right for subnormals too). Infinity
/// and NaN, exponent 31, then get the exponent they have in F32.
/// </summary>
internal readonly unsafe partial struct F16 : IFloatVector
{
    private const int ExponentMask = 0x0F800000;          // of F16, shifted into place
    internal const int SignAndMagnitude = unchecked((int)0x8FFFE000);
    private const int Infinity = 0x7F800000;
    internal const float Bias = 5.192296858534828e33f;     // 2^112

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load128(byte* source)
    {
        Vector128<int> v = Vector128.WidenLower(Vector64.Load((short*)source).ToVector128Unsafe()) << 13;
        Vector128<int> special = Vector128.Equals(v & Vector128.Create(ExponentMask), Vector128.Create(ExponentMask));
        Vector128<float> value = (v & Vector128.Create(SignAndMagnitude)).AsSingle() * Vector128.Create(Bias);
        return value | (special & Vector128.Create(Infinity)).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load256(byte* source)
    {
        Vector256<int> v = Simd.Widen(Vector128.Load((short*)source)) << 13;
        Vector256<int> special = Vector256.Equals(v & Vector256.Create(ExponentMask), Vector256.Create(ExponentMask));
        Vector256<float> value = (v & Vector256.Create(SignAndMagnitude)).AsSingle() * Vector256.Create(Bias);
        return value | (special & Vector256.Create(Infinity)).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load512(byte* source)
    {
        Vector512<int> v = Simd.Widen(Vector256.Load((short*)source)) << 13;
        Vector512<int> special = Vector512.Equals(v & Vector512.Create(ExponentMask), Vector512.Create(ExponentMask));
        Vector512<float> value = (v & Vector512.Create(SignAndMagnitude)).AsSingle() * Vector512.Create(Bias);
        return value | (special & Vector512.Create(Infinity)).AsSingle();
    }
}
