using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Cache elements that attention computes with as they lie, one or two to each word of 32 bits.</summary>
internal interface IRawFormat
{
    /// <summary>Two elements to a word.</summary>
    static abstract bool Pairs { get; }

    /// <summary>An exponent of all ones is not infinity or NaN after conversion, and has to be looked for.</summary>
    static abstract bool Checked { get; }

    /// <summary>What a converted element is to be multiplied with; left to the other factor of a product.</summary>
    static abstract float Factor { get; }

    /// <summary>The element in the low half, or the only one.</summary>
    static abstract Vector256<float> Low(Vector256<int> words);

    /// <summary>The element in the high half.</summary>
    static abstract Vector256<float> High(Vector256<int> words);

    /// <summary>As the 256-bit one.</summary>
    static abstract Vector512<float> Low(Vector512<int> words);

    /// <summary>As the 256-bit one.</summary>
    static abstract Vector512<float> High(Vector512<int> words);
}

/// <summary>Single precision.</summary>
internal readonly struct RawF32 : IRawFormat
{
    public static bool Pairs => false;

    public static bool Checked => false;

    public static float Factor => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low(Vector256<int> words) => words.AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High(Vector256<int> words) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low(Vector512<int> words) => words.AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High(Vector512<int> words) => default;
}

/// <summary>
/// Half precision with exponent and mantissa moved into place and nothing else: that is the value times 2^−112, exactly,
/// subnormal ones included. The product with a factor that carries 2^112 is the same real number, so the same bits.
/// </summary>
internal readonly struct RawF16 : IRawFormat
{
    private const int SignAndMagnitude = unchecked((int)0x8FFFE000);

    public static bool Pairs => true;

    public static bool Checked => true;

    public static float Factor => 5.192296858534828e33f;   // 2^112

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low(Vector256<int> words) => High(words << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High(Vector256<int> words) => ((words >> 3) & Vector256.Create(SignAndMagnitude)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low(Vector512<int> words) => High(words << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High(Vector512<int> words) => ((words >> 3) & Vector512.Create(SignAndMagnitude)).AsSingle();
}

/// <summary>Brain floats.</summary>
internal readonly struct RawBF16 : IRawFormat
{
    private const int UpperHalf = unchecked((int)0xFFFF0000);

    public static bool Pairs => true;

    public static bool Checked => false;

    public static float Factor => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Low(Vector256<int> words) => (words << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> High(Vector256<int> words) => (words & Vector256.Create(UpperHalf)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low(Vector512<int> words) => (words << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High(Vector512<int> words) => (words & Vector512.Create(UpperHalf)).AsSingle();
}
