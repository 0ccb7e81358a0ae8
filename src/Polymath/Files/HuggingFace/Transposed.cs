using System.Runtime.CompilerServices;
using Polymath.Tensors;

namespace Polymath.Files.HuggingFace;

/// <summary>
/// Matrices stored with the inputs as rows, one or a stack of them: GPT-2's Conv1D and the experts of gpt-oss that are
/// not packed. The rows of the result, the outputs, may be taken in another order.
/// </summary>
/// <param name="row">For a row of the result the output it holds, counted through the stack; null for the same.</param>
internal sealed class Transposed(Func<int, int>? row = null) : Recipe
{
    private const int Together = 32;   // rows of the result written side by side, so that each stored line is read once

    /// <inheritdoc/>
    public override void Make(StoredTensor[] sources, TensorInfo info, NativeBuffer target)
    {
        Tensor from = sources[0].View(), to = Whole(info, target);
        if (from.Format != to.Format)
            throw new InvalidOperationException($"a transposed tensor keeps its format, {from.Format} is not {to.Format}");
        if (FormatInfo.BlockBytes(from.Format) == sizeof(float))
            Turn<uint>(from, to);
        else
            Turn<ushort>(from, to);
        from.KeepAlive();
    }

    private unsafe void Turn<T>(Tensor from, Tensor to)
        where T : unmanaged
    {
        int inputs = to.Columns, outputs = from.Columns;
        Span<int> places = stackalloc int[Together];
        for (int start = 0; start < to.Rows; start += Together)
        {
            int count = Math.Min(Together, to.Rows - start);
            for (int i = 0; i < count; i++)
            {
                places[i] = row?.Invoke(start + i) ?? (start + i);
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((long)places[i], (long)from.Rows / inputs * outputs);
                ArgumentOutOfRangeException.ThrowIfNegative(places[i]);
            }

            for (int input = 0; input < inputs; input++)
            {
                for (int i = 0; i < count; i++)
                {
                    int matrix = places[i] / outputs, output = places[i] % outputs;
                    T* source = (T*)from.Data + ((((long)matrix * inputs) + input) * outputs) + output;
                    ((T*)to.Data)[((long)(start + i) * inputs) + input] = Unsafe.ReadUnaligned<T>(source);
                }
            }
        }
    }
}
