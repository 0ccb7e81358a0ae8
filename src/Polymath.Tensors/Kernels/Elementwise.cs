using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Sums, scales and caps of whole tensors.</summary>
public static unsafe partial class Elementwise
{
    /// <summary><paramref name="into"/> = <paramref name="x"/> + <paramref name="y"/>, element by element; it may be either of them.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static void Add(Tensor x, Tensor y, Tensor into)
    {
        x.RequireF32();
        y.RequireF32(x.Rows, x.Columns, "Elementwise.Add");
        into.RequireF32(x.Rows, x.Columns, "Elementwise.Add");
        Add(x.Floats, y.Floats, into.Floats, (nint)x.ElementCount);
        GC.KeepAlive(x.Owner);
        GC.KeepAlive(y.Owner);
        GC.KeepAlive(into.Owner);
    }

    /// <summary>x = factor · x.</summary>
    public static void Scale(Tensor x, float factor)
    {
        x.RequireF32();
        Scale(x.Floats, factor, (nint)x.ElementCount);
        GC.KeepAlive(x.Owner);
    }

    /// <summary><paramref name="into"/> += factor · x, element by element.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static void AddScaled(Tensor x, float factor, Tensor into)
    {
        x.RequireF32();
        into.RequireF32(x.Rows, x.Columns, "Elementwise.AddScaled");
        AddScaled(x.Floats, factor, into.Floats, (nint)x.ElementCount);
        GC.KeepAlive(x.Owner);
        GC.KeepAlive(into.Owner);
    }

    /// <summary>x = cap · tanh(x / cap): keeps logits within ± cap.</summary>
    public static void SoftCap(Tensor x, float cap)
    {
        x.RequireF32();
        SoftCap(x.Floats, cap, (nint)x.ElementCount);
        GC.KeepAlive(x.Owner);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* x, float factor, nint count)
    {
        nint i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            (Vector256.Load(x + i) * factor).Store(x + i);
        for (; i < count; i++)
            x[i] *= factor;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddScaled(float* x, float factor, float* into, nint count)
    {
        nint i = 0;
        Vector256<float> factors = Vector256.Create(factor);
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            Simd.MultiplyAdd(Vector256.Load(x + i), factors, Vector256.Load(into + i)).Store(into + i);
        if (i < count)
        {
            int rest = (int)(count - i);
            VectorMath.StorePart(
                Simd.MultiplyAdd(VectorMath.LoadPart(x + i, rest), factors, VectorMath.LoadPart(into + i, rest)), into + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SoftCap(float* x, float cap, nint count)
    {
        nint i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            (VectorMath.Tanh(Vector256.Load(x + i) / cap) * cap).Store(x + i);
        if (i < count)
        {
            int rest = (int)(count - i);
            VectorMath.StorePart(VectorMath.Tanh(VectorMath.LoadPart(x + i, rest) / cap) * cap, x + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(float* x, float* y, float* into, nint count)
    {
        nint i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            (Vector256.Load(x + i) + Vector256.Load(y + i)).Store(into + i);
        for (; i < count; i++)
            into[i] = x[i] + y[i];
    }
}
