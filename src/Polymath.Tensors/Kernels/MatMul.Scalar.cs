namespace Polymath.Tensors;

/// <summary>The matmul in plain loops: right everywhere, the truth for the other variants.</summary>
internal static unsafe class MatMulScalar
{
    /// <summary>Computes the outputs of the weight rows [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public static void Rows(MatMul.Part* part, int from, int to)
    {
        switch (part->Format)
        {
            case TensorFormat.F32: Float<F32>(part, from, to); break;
            case TensorFormat.F16: Float<F16>(part, from, to); break;
            case TensorFormat.BF16: Float<BF16>(part, from, to); break;
            case TensorFormat.Q8_0: Int8<Q8_0>(part, from, to); break;
            case TensorFormat.Q4_0: Int8<Q4_0>(part, from, to); break;
            default: throw BlockFormat.Unknown(part->Format);
        }
    }

    private static void Float<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IFloatFormat
    {
        for (int n = from; n < to; n++)
        {
            byte* row = part->Weight + (n * part->WeightStride);
            for (int t = 0; t < part->Tokens; t++)
            {
                float* x = part->X + ((nint)t * part->Columns);
                float sum = 0;
                for (nint k = 0; k < part->Columns; k++)
                    sum += TFormat.Load(row + (k * TFormat.BlockBytes)) * x[k];
                part->Y[((nint)t * part->Rows) + n] = sum;
            }
        }
    }

    private static void Int8<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IInt8Format
    {
        int blocks = part->Columns / TFormat.BlockLength;
        for (int n = from; n < to; n++)
        {
            byte* row = part->Weight + (n * part->WeightStride);
            for (int t = 0; t < part->Tokens; t++)
            {
                byte* x = part->Quantized + (t * part->QuantizedStride);
                float* scales = Int8Activations.Scales(x, part->Columns);
                float sum = 0;
                for (nint b = 0; b < blocks; b++)
                {
                    byte* block = row + (b * TFormat.BlockBytes);
                    sum += TFormat.Scale(block) * scales[b] * TFormat.Dot(block, (sbyte*)x + (b * TFormat.BlockLength));
                }

                part->Y[((nint)t * part->Rows) + n] = sum;
            }
        }
    }
}
