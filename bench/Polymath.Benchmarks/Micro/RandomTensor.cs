using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>Values from −1 to 1, the same in every run.</summary>
internal static class RandomTensor
{
    public static Tensor Floats(int rows, int columns)
    {
        var random = new Random(1);
        Tensor x = Tensor.Zeros(rows, columns);
        foreach (ref float value in x.AsFloats())
            value = (random.NextSingle() * 2) - 1;
        return x;
    }
}
